// With the ERP at 2 s the page of a product paints name, picture and description at once, and price and stock come by themselves. The best of several
// tries counts: the machine may be busy with something else.
import assert from 'node:assert/strict'
import { browse, fault, heal, settled, shop, shot } from './shop.mjs'

const bound = 300
const skus = ['BK-R93R-62', 'BK-R93R-44', 'BK-R93R-48', 'BK-R93R-52', 'BK-R93R-56', 'BK-R89R-44', 'BK-R89R-48', 'BK-R89R-52', 'BK-R89R-58', 'BK-R50R-44']

// painted is when the last of what counts was painted, after the navigation that led to it.
const painted = () => new Promise((done) => {
  const seen = {}
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen[entry.identifier] ??= entry.renderTime || entry.loadTime
    if (seen.name && seen.image && seen.description) done(seen)
  }).observe({ type: 'element', buffered: true })
})

const opened = []
await browse(async (page) => {
  await page.goto(`${shop}/product/HL-U509-R`) // price lists and scripts are there, as they are for whoever comes again; the products below are nowhere yet
  await settled(page)
  await fault({ system: 'odoo', operation: '*', latencyMs: 2000, errorRate: 0 })
  let asked = 0
  page.on('request', (request) => request.postData()?.includes('"operationName":"ProductPage"') && asked++)
  for (const sku of skus) {
    asked = 0
    await page.goto(`${shop}/product/${sku}`)
    const seen = await page.evaluate(painted)
    assert.equal(await page.locator('.price .skeleton').count(), 1, 'the price is still to come')
    assert.equal(asked, 1, 'what was asked ahead of the shop is not asked again')
    opened.push(Math.max(seen.name, seen.image, seen.description))
    if (opened.length === 1) await shot(page, 'erp-2s-first-paint')
    await page.locator('.price .unit').waitFor() // by itself
    await page.getByText(/^In stock: /).waitFor()
    if (opened.length === 1) await settled(page).then(() => shot(page, 'erp-2s-complete'))
    if (opened.length >= 3 && Math.min(...opened) <= bound) break
  }
})
await heal()
console.log(`painted after ${opened.map(Math.round).join(', ')} ms (the least counts); the price came by itself`)
assert.ok(Math.min(...opened) <= bound, `name, picture and description were never painted within ${bound} ms`)
