// With the ERP dead the product page says so, part by part, what is known from before has its age, and everything else works; once it is back a part is there at a click.
import assert from 'node:assert/strict'
import { browse, fault, heal, patience, settled, shop, shot } from './shop.mjs'

const known = '/product/BK-R89R-58'

await browse(async (page) => {
  await page.goto(shop + known)
  await page.getByText(/^In stock: /).waitFor()
  await settled(page)
  const asked = Date.now()
  assert.equal(await page.locator('.facts .stale').count(), 0, 'what has just been read is no news')
  await fault({ system: 'odoo', operation: '*', mode: 'status', status: 503, errorRate: 1 })

  await page.goto(`${shop}/product/BK-T44U-60`)
  await settled(page)
  await page.getByRole('heading', { level: 1, name: 'Touring-2000 Blue, 60' }).waitFor()
  await page.getByText('The price cannot be shown right now.').waitFor()
  await page.getByText('Stock cannot be shown right now.').waitFor()
  await page.getByRole('heading', { name: 'Reviews' }).waitFor()
  assert.ok(await page.getByText('Equipped with ride-all-day comfort', { exact: false }).or(page.locator('.description')).count())
  await shot(page, 'erp-dead-product')

  await page.getByRole('combobox', { name: 'Search' }).fill('helmet')
  await page.getByRole('combobox', { name: 'Search' }).press('Enter')
  await page.getByRole('link', { name: 'Sport-100 Helmet, Red' }).first().click()
  await page.getByRole('heading', { level: 1, name: 'Sport-100 Helmet, Red' }).waitFor()
  await page.getByRole('button', { name: 'Add to cart' }).click()
  await page.getByText('Added.').waitFor() // the checkout knows its own prices
  await page.getByRole('link', { name: /^Cart, 1/ }).click()
  await page.getByText('$34.99').first().waitFor()
  await shot(page, 'erp-dead-cart')

  // Stock is fresh for eight to ten seconds. What is older is shown all the same, and says how old it is.
  const mark = page.locator('.stock .stale')
  for (const until = Date.now() + patience; !(await mark.count()) && Date.now() < until; await page.waitForTimeout(1000)) {
    await page.goto(shop + known)
    await settled(page)
  }
  await page.getByText(/^In stock: /).waitFor()
  const [, age] = /as of (\d+) s ago/.exec(await mark.innerText()) ?? []
  assert.ok(age >= 8 && age <= (Date.now() - asked) / 1000 + 2, `its age: ${await mark.innerText()}`)
  await shot(page, 'erp-dead-stale')

  await page.goto(`${shop}/product/BK-T44U-60`)
  await page.getByText('The price cannot be shown right now.').waitFor()
  await heal()
  const again = page.locator('.price').getByRole('button', { name: 'Try again' })
  const price = page.locator('.price .unit')
  for (const until = Date.now() + patience; !(await price.count()) && Date.now() < until; await page.waitForTimeout(200)) {
    if (await again.count()) await again.click({ timeout: 1000 }).catch(() => undefined) // the breaker leaves the ERP alone for a moment
  }
  await price.waitFor()
  assert.equal(await page.locator('.price .missing').count(), 0, 'nothing is said to be missing any more')
  await shot(page, 'erp-back')
  // Who comes first is still given what is kept, while it is read anew.
  for (const until = Date.now() + patience; ; await page.waitForTimeout(1000)) {
    await page.goto(shop + known)
    await page.getByText(/^In stock: /).waitFor()
    await settled(page)
    if (!(await mark.count())) break
    assert.ok(Date.now() < until, 'what is fresh again has no mark')
  }
})
