// What changes in a system changes on the page by itself: stock, and where an order stands.
import assert from 'node:assert/strict'
import { browse, buyer, sandbox, settled, shop, shot } from './shop.mjs'

const change = async (what) => {
  const response = await fetch(`${sandbox}/_sandbox/world`, { method: 'POST', body: JSON.stringify(what) })
  assert.ok(response.ok, await response.text())
}

await browse(async (page) => {
  const streams = []
  page.on('request', (request) => request.headers().accept === 'text/event-stream' && streams.push(request.postDataJSON().operationName))
  await page.goto(`${shop}/product/LJ-0192-M`)
  await page.getByText(/^In stock: /).waitFor()
  const began = page.waitForRequest((request) => request.headers().accept === 'text/event-stream')
  if (streams.length === 0) await began
  await change({ sku: 'LJ-0192-M', stock: 7 })
  await page.getByText('In stock: 7', { exact: true }).waitFor()
  await change({ sku: 'LJ-0192-M', stock: 0 })
  await page.getByText('Sold out', { exact: true }).waitFor()
  await shot(page, 'live-sold-out')
  await change({ sku: 'LJ-0192-M', stock: 12 })
  await page.getByText('In stock: 12', { exact: true }).waitFor()

  await page.getByRole('button', { name: 'Add to cart' }).click()
  await page.getByRole('link', { name: 'Go to the cart' }).click()
  await page.getByRole('link', { name: 'Go to checkout' }).click()
  for (const [label, value] of Object.entries(buyer)) await page.getByLabel(label, { exact: label === 'Street' || label === 'City' }).first().fill(value)
  await page.getByRole('button', { name: 'Continue to shipping' }).click()
  await page.getByRole('button', { name: 'Continue to payment' }).click()
  await page.getByRole('button', { name: /^Place order/ }).click()
  await page.getByRole('heading', { level: 1, name: 'Thank you' }).waitFor()
  await page.getByText('Ada Byron').waitFor()
  await page.waitForFunction(() => performance.now() > 0)
  while (!streams.includes('LiveOrder')) await page.waitForTimeout(50)
  await settled(page)
  await shot(page, 'live-order')
})
