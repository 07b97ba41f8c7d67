// Every page at both sizes, healthy and with the ERP or the checkout gone: axe, no sideways scrolling, a quiet console, pictures for people to look at.
import assert from 'node:assert/strict'
import { accessible, browse, fault, heal, settled, shop, shot, sizes } from './shop.mjs'

const pages = {
  home: '/', category: '/category/101', filtered: '/category/101?color=Silver&sort=PRICE_ASC', search: '/search?q=helmet', nothing: '/search?q=zzzzzz',
  product: '/product/BK-M82S-38', unknown: '/product/NO-SUCH', 'cart-empty': '/cart', content: '/pages/shipping', signin: '/account', order: '/orders/000000000',
}
// What is gone answers 5xx, which the browser writes into its console; parts that are missing are 200.
const small = async (page, name) => {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(over <= 0, `${name} is ${over} px wider than the screen`)
}
let minor = 0
const look = async (page, name) => {
  await settled(page)
  await small(page, name)
  await shot(page, name)
  minor += await accessible(page, name)
}

for (const size of Object.keys(sizes)) {
  for (const colorScheme of size === 'phone' ? ['light'] : ['light', 'dark']) {
    const tag = colorScheme === 'dark' ? `${size}-dark` : size
    await browse(async (page) => {
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(shop + path)
        await look(page, `${tag}-${name}`)
      }
      await page.goto(`${shop}/product/SO-B909-L`)
      await page.getByRole('button', { name: 'Add to cart' }).click()
      await page.getByText('Added.').waitFor()
      for (const name of ['cart', 'checkout']) {
        await page.goto(`${shop}/${name}`)
        await look(page, `${tag}-${name}`)
      }
      await page.goto(`${shop}/account`)
      await page.getByRole('button', { name: /Rania Andersen/ }).click()
      await page.getByRole('heading', { name: 'Orders' }).waitFor()
      await look(page, `${tag}-account`)
    }, { size, colorScheme })
  }
}
console.log(`axe: 0 serious or critical, ${minor} others`)

await fault({ system: 'odoo', operation: '*', mode: 'status', status: 503, errorRate: 1 })
for (const size of Object.keys(sizes)) {
  await browse(async (page) => {
    // What nobody has asked for yet is kept nowhere.
    for (const [name, path] of Object.entries({ product: '/product/BK-T79Y-46', category: '/category/103', home: '/' })) {
      await page.goto(shop + path)
      await look(page, `${size}-erp-gone-${name}`)
    }
  }, { size })
}
await heal()
