// A shopper's browser: Debian's Chromium, which can reach nothing but this machine.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'

export const [shop, sandbox] = process.argv.slice(2)
export const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } }
export const patience = Number(process.env.PATIENCE ?? 120_000) // the machine may be busy
const shots = process.env.PORTICO_SCREENSHOTS

// browse opens a tab and hands it to visit; whatever the page's console says is wrong fails the test. What expected names may be said.
export async function browse(visit, { size = 'desktop', expected, ...options } = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
  })
  try {
    const context = await browser.newContext({ viewport: sizes[size], reducedMotion: 'reduce', ...options })
    context.setDefaultTimeout(patience)
    const page = await context.newPage()
    const wrong = []
    const note = (text) => expected?.test(text) || wrong.push(text)
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && note(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => note(String(error.stack ?? error)))
    try {
      await visit(page)
    } catch (error) {
      await shot(page, `failed-${Date.now()}`)
      throw new Error(`${error.message}\nat ${page.url()}\nconsole: ${wrong.join('\n')}`, { cause: error.stack })
    }
    assert.deepEqual(wrong, [], 'the console is quiet')
  } finally {
    await browser.close()
  }
}

// settled waits until the page has all that it asked for; streams stay open.
export async function settled(page) {
  await page.locator('h1').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('.skeleton, [aria-busy=true]') && [...document.images].every((image) => image.complete || image.loading === 'lazy'))
  await page.waitForTimeout(300) // what comes in the same breath
}

// late has what is read before a change reach the page after it, as it may on a network: the change is a second on its way, and for at most 3 s an answer waits for it.
export async function late(page, read, change) {
  const name = (request) => request.postDataJSON()?.operationName
  await page.route('**/graphql', async (route) => {
    if (name(route.request()) === change) await page.waitForTimeout(1000)
    if (name(route.request()) !== read) return route.continue()
    const changed = page.waitForEvent('requestfinished', { predicate: (request) => name(request) === change, timeout: 3000 }).catch(() => undefined)
    const response = await route.fetch()
    await changed
    await route.fulfill({ response })
  })
}

// narrow fails when the page is wider than its screen.
export async function narrow(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(over <= 0, `${name} is ${over} px wider than the screen`)
}

export async function shot(page, name) {
  if (!shots) return
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

// found counts what axe has found, by impact.
export const found = { pages: 0, critical: 0, serious: 0, moderate: 0, minor: 0 }

// accessible fails on whatever axe calls serious or critical.
export async function accessible(page, name) {
  const { violations } = await new AxeBuilder({ page }).analyze()
  found.pages++
  for (const { impact } of violations) found[impact]++
  const told = (entries) => entries.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('; ')}`)
  assert.deepEqual(told(violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))), [], name)
}

export async function fault(rule) {
  const response = await fetch(`${sandbox}/_sandbox/faults`, { method: 'POST', body: JSON.stringify(rule) })
  assert.ok(response.ok, await response.text())
}

// change alters what the systems hold, as the company's people would.
export async function change(what) {
  const response = await fetch(`${sandbox}/_sandbox/world`, { method: 'POST', body: JSON.stringify(what) })
  assert.ok(response.ok, await response.text())
}

export async function heal() {
  assert.ok((await fetch(`${sandbox}/_sandbox/faults`, { method: 'DELETE' })).ok)
}

export const buyer = {
  'E-mail': 'ada@example.test', 'Given name': 'Ada', 'Family name': 'Byron', Street: '12 Main Street', 'Postal code': '98101', City: 'Seattle', 'State or province': 'WA', Phone: '+1 206 555 0100',
}
