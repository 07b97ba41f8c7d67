// The whole purchase by keyboard alone: whatever is done is done where focus is.
import assert from 'node:assert/strict'
import { browse, buyer, shop, shot } from './shop.mjs'

await browse(async (page) => {
  const focused = () => page.evaluate(() => {
    const e = document.activeElement
    return { tag: e.tagName, type: e.type ?? '', text: (e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent ?? '').trim(), id: e.id, visible: e.matches(':focus-visible') }
  })
  // tab goes on until what has focus fits.
  const tab = async (fits, { least = 1 } = {}) => {
    for (let i = 0; i < 120; i++) {
      if (i >= least || least === 0) {
        const now = await focused()
        if (fits(now)) return now
      }
      await page.keyboard.press('Tab')
    }
    assert.fail(`focus never came to ${fits}`)
  }
  const onHeading = async (name) => {
    await page.getByRole('heading', { level: 1, name }).waitFor()
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1')
    assert.ok((await page.title()).startsWith(name), await page.title())
  }

  await page.goto(shop)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.keyboard.press('Tab')
  assert.equal((await focused()).text, 'Skip to content')

  await tab(({ type }) => type === 'search')
  await page.keyboard.type('mountain bike socks', { delay: 10 })
  await page.getByRole('option').first().waitFor()
  await page.getByRole('option', { name: 'Mountain Bike Socks, M' }).waitFor()
  while (!(await page.locator('[role=option][aria-selected=true]').filter({ hasText: 'Mountain Bike Socks, M' }).count())) await page.keyboard.press('ArrowDown')
  const active = await page.getByRole('combobox', { name: 'Search' }).getAttribute('aria-activedescendant')
  assert.equal(await page.locator(`[id="${active}"]`).innerText().then((text) => text.trim()), 'Mountain Bike Socks, M')
  await shot(page, 'keyboard-suggestions')
  await page.keyboard.press('Enter')
  await onHeading('Mountain Bike Socks, M')

  await tab(({ type }) => type === 'radio')
  await page.keyboard.press('ArrowRight')
  await page.getByRole('heading', { level: 1, name: 'Mountain Bike Socks, L' }).waitFor()
  assert.equal((await focused()).type, 'radio', 'choosing a variant leaves focus where it is')
  const add = await tab(({ text }) => text === 'Add to cart')
  assert.ok(add.visible, 'focus can be seen')
  await page.keyboard.press('Enter')
  await page.getByText('Mountain Bike Socks, L is in the cart').waitFor() // the live region
  await tab(({ text }) => text === 'Go to the cart')
  await page.keyboard.press('Enter')
  await onHeading('Cart')

  await tab(({ type }) => type === 'number')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await page.getByText('Mountain Bike Socks, L: 2').waitFor()
  await tab(({ text }) => text === 'Go to checkout')
  await page.keyboard.press('Enter')
  await onHeading('Checkout')

  for (const [label, value] of Object.entries(buyer)) {
    await tab(({ text }) => text.replace(' (optional)', '') === label)
    await page.keyboard.press('ControlOrMeta+a')
    await page.keyboard.type(value)
  }
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.textContent === '2. How it is sent')
  await tab(({ type }) => type === 'radio')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.textContent === '3. How it is paid')
  await tab(({ text }) => text.startsWith('Place order'))
  await page.keyboard.press('Enter')
  await onHeading('Thank you')
  await shot(page, 'keyboard-order')
})
