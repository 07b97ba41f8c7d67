// A guest who signs in keeps the cart, finds the address filled in, and watches the order on its way.
import assert from 'node:assert/strict'
import { accessible, browse, change, late, settled, shop, shot } from './shop.mjs'

async function pickAndSignIn(page) {
  await page.goto(`${shop}/product/HL-U509-R`)
  await page.getByRole('button', { name: 'Add to cart' }).click()
  await page.getByText('Added.').waitFor()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: /Rania Andersen/ }).click()
  await page.getByRole('heading', { level: 1, name: 'Rania Andersen' }).waitFor()
}

// Carts that cannot be joined now: what was picked is not lost.
await browse(async (page) => {
  const operation = (route) => route.request().postDataJSON().operationName
  await page.route('**/graphql', (route) => (operation(route) === 'CartMerge' ? route.fulfill({ status: 503 }) : route.continue()))
  await pickAndSignIn(page)
  await page.getByRole('link', { name: /^Cart, 1/ }).click()
  await page.getByText('cannot be joined').waitFor()
  await page.getByRole('link', { name: 'Sport-100 Helmet, Red' }).waitFor()
  await accessible(page, 'two carts')
}, { expected: /status of 503/ })

await browse(async (page) => {
  await late(page, 'Cart', 'CartMerge')
  await pickAndSignIn(page)
  await page.unrouteAll({ behavior: 'wait' })
  await page.getByRole('link', { name: /^Cart, [1-9]/ }).click()
  await page.getByRole('link', { name: 'Sport-100 Helmet, Red' }).waitFor()
  await page.getByRole('link', { name: 'Go to checkout' }).click()
  await page.getByLabel('E-mail').waitFor()
  assert.match(await page.getByLabel('E-mail').inputValue(), /rania/)
  assert.notEqual(await page.getByLabel('City').inputValue(), '')

  const mail = await page.getByLabel('E-mail').inputValue()
  await page.getByLabel('E-mail').fill('rania@localhost') // good enough for a browser
  await page.getByRole('button', { name: 'Continue to shipping' }).click()
  await page.getByRole('button', { name: 'Continue to payment' }).click()
  await page.getByText('must be an e-mail address').waitFor()
  assert.equal(await page.getByLabel('E-mail').getAttribute('aria-invalid'), 'true', 'what is wrong stands next to its field')
  await page.getByLabel('E-mail').fill(mail)
  await page.getByRole('button', { name: 'Continue to shipping' }).click()
  await page.getByRole('radio', { name: /OVERNIGHT/ }).check()
  await page.getByRole('button', { name: 'Continue to payment' }).click()
  await page.getByText('3. How it is paid').waitFor()
  await accessible(page, 'checkout under way')
  await shot(page, 'customer-checkout')
  await page.getByRole('button', { name: /^Place order/ }).click()
  await page.getByRole('heading', { level: 1, name: 'Thank you' }).waitFor()
  await page.getByText('Confirmed', { exact: true }).waitFor()
  await settled(page)
  const order = new URL(page.url()).pathname.split('/').pop()
  for (const [state, said] of [['shipped', 'On its way'], ['delivered', 'Delivered']]) {
    await change({ order, state })
    await page.getByText(said, { exact: true }).waitFor() // by itself
  }
  await page.locator('address').getByText('Rania Andersen').waitFor() // the ERP's order knows where it goes
  await accessible(page, 'order')
  await shot(page, 'customer-order')
  await page.getByRole('link', { name: 'Rania' }).click()
  await page.getByRole('link', { name: order }).waitFor()
  await shot(page, 'customer-account')
}, { expected: /status of 400/ }) // the browser notes the refused e-mail
