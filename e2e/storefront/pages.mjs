// Every page at both sizes, healthy and with the ERP or the checkout gone: axe, no sideways scrolling, a quiet console, pictures for people to look at.
import { accessible, browse, fault, found, heal, narrow, settled, shop, shot, sizes } from './shop.mjs'

const pages = {
  home: '/', category: '/category/101', filtered: '/category/101?color=Silver&sort=PRICE_ASC', search: '/search?q=helmet', nothing: '/search?q=zzzzzz',
  product: '/product/BK-M82S-38', unknown: '/product/NO-SUCH', 'cart-empty': '/cart', content: '/pages/shipping', signin: '/account', order: '/orders/000000000',
}
const some = new Set(['home', 'category', 'product', 'signin']) // in the dark on a phone, where little is new
const look = async (page, name) => {
  await settled(page)
  await narrow(page, name)
  await shot(page, name)
  await accessible(page, name)
}

for (const size of Object.keys(sizes)) {
  for (const colorScheme of ['light', 'dark']) {
    const all = size === 'desktop' || colorScheme === 'light'
    const state = colorScheme === 'dark' ? 'dark' : 'healthy'
    await browse(async (page) => {
      for (const [name, path] of Object.entries(pages).filter(([name]) => all || some.has(name))) {
        await page.goto(shop + path)
        await look(page, `${name}-${size}-${state}`)
      }
      await page.goto(`${shop}/product/SO-B909-L`)
      await page.getByRole('button', { name: 'Add to cart' }).click()
      await page.getByText('Added.').waitFor()
      for (const name of ['cart', 'checkout']) {
        await page.goto(`${shop}/${name}`)
        await look(page, `${name}-${size}-${state}`)
      }
      await page.goto(`${shop}/account`)
      await page.getByRole('button', { name: /Rania Andersen/ }).click()
      await page.getByRole('heading', { name: 'Orders' }).waitFor()
      await look(page, `account-${size}-${state}`)
    }, { size, colorScheme })
  }
}
await fault({ system: 'odoo', operation: '*', mode: 'status', status: 503, errorRate: 1 })
for (const size of Object.keys(sizes)) {
  await browse(async (page) => {
    // What nobody has asked for yet is kept nowhere.
    for (const [name, path] of Object.entries({ product: '/product/BK-T79Y-46', category: '/category/103', home: '/' })) {
      await page.goto(shop + path)
      await look(page, `${name}-${size}-erp-gone`)
    }
  }, { size })
}
await heal()
console.log('axe:', JSON.stringify(found))
