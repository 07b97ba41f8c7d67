// Market, language and currency: what the page shows follows, and where a language is written from right to left so does the page.
import assert from 'node:assert/strict'
import { accessible, browse, found, narrow, settled, shop, shot, sizes } from './shop.mjs'

const languages = { en: 'ltr', fr: 'ltr', he: 'rtl', th: 'ltr', ar: 'rtl', 'zh-Hant': 'ltr' }
const pages = { home: '/', category: '/category/101', product: '/product/BK-M82S-38', cart: '/cart', checkout: '/checkout', account: '/account' }

const written = (page) => page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])

for (const size of Object.keys(sizes)) {
  await browse(async (page) => {
    const choose = (label, value) => page.getByRole('combobox', { name: label }).selectOption(value)
    await page.goto(`${shop}${pages.product}`)
    await settled(page)
    const price = page.locator('.price .unit')
    assert.match(await price.innerText(), /^\$/)

    const descriptions = new Set()
    for (const [language, dir] of Object.entries(languages)) {
      await choose('Language', language)
      await page.waitForFunction((lang) => document.documentElement.lang === lang, language)
      await settled(page)
      assert.deepEqual(await written(page), [language, dir])
      descriptions.add(await page.locator('.description').innerText())
      const [photo, facts] = await Promise.all(['.product > .photo', '.facts'].map((part) => page.locator(part).boundingBox()))
      if (size === 'desktop') assert.equal(photo.x > facts.x, dir === 'rtl', `${language}: the picture stands where one begins to read`)
      await narrow(page, language)
    }
    assert.equal(descriptions.size, Object.keys(languages).length, 'a description in every language')

    await choose('Market', 'eu')
    await page.waitForFunction(() => document.documentElement.lang === 'fr')
    await page.locator('.price').getByText('€').waitFor()
    await choose('Currency', 'GBP')
    await page.locator('.price').getByText('£').waitFor()

    await page.reload() // what was chosen is kept, and there from the first request on
    await page.locator('.price').getByText('£').waitFor()
    assert.deepEqual(await written(page), ['fr', 'ltr'])

    await page.getByRole('button', { name: 'Add to cart' }).click()
    await page.getByText('Added.').waitFor()
    const language = size === 'desktop' ? 'ar' : 'he'
    await choose('Language', language)
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(shop + path)
      await settled(page)
      assert.deepEqual(await written(page), [language, 'rtl'])
      await narrow(page, `${language} ${name}`)
      await accessible(page, `${language} ${name}`)
      await shot(page, `${name}-${size}-${language}`)
    }
  }, { size })
}
console.log('axe:', JSON.stringify(found))
