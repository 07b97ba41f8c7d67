// What changes in a system changes on the page by itself.
import { browse, change, shop, shot } from './shop.mjs'

await browse(async (page) => {
  const streams = []
  page.on('request', (request) => request.headers().accept === 'text/event-stream' && streams.push(request.postDataJSON().operationName))
  await page.goto(`${shop}/product/LJ-0192-M`)
  await page.getByText(/^In stock: /).waitFor()
  while (!streams.includes('LiveStock')) await page.waitForTimeout(50)
  await change({ sku: 'LJ-0192-M', stock: 7 })
  await page.getByText('In stock: 7', { exact: true }).waitFor()
  await change({ sku: 'LJ-0192-M', stock: 0 })
  await page.locator('summary').filter({ hasText: /^Sold out$/ }).waitFor() // a related product's card may say so, too
  await shot(page, 'live-sold-out')
  await change({ sku: 'LJ-0192-M', stock: 12 })
  await page.getByText('In stock: 12', { exact: true }).waitFor()
})
