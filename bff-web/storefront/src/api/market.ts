// The market that the shopper chose. Every request carries it; what is empty is the channel's own.
export type Market = { channel: string; locale: string; currency: string }

export type Channel = { name: string; locale: string; currency: string; country: string }

export type Settings = {
  channels: Channel[]
  locales: string[]
  currencies: string[]
  countries: string[]
  customers: Customer[]
}

// Customer is somebody to be, in development.
export type Customer = { customer: string; name: string; priceGroup: string; orders: number }

const kept = 'market'
const written = 'language'

export function savedMarket(): Market {
  try {
    return { channel: '', locale: '', currency: '', ...JSON.parse(localStorage.getItem(kept) ?? '{}') }
  } catch {
    return { channel: '', locale: '', currency: '' } // what is kept is no longer understood
  }
}

export function saveMarket(market: Market) {
  localStorage.setItem(kept, JSON.stringify(market))
}

export function marketHeaders({ channel, locale, currency }: Market): Record<string, string> {
  return {
    ...(channel && { 'X-Channel': channel }),
    ...(locale && { 'Accept-Language': locale }),
    ...(currency && { 'X-Currency': currency }),
  }
}

// The scripts that are written from right to left.
const rightToLeft = new Set(['Adlm', 'Arab', 'Hebr', 'Nkoo', 'Rohg', 'Syrc', 'Thaa'])

// writtenIn is the language that the shop was last in: the market's own, unless the shopper chose one.
export const writtenIn = () => localStorage.getItem(written)

// writeIn has the page be in a language, and run as it is written, from the next page's start on.
export function writeIn(locale: string) {
  localStorage.setItem(written, locale)
  const root = document.documentElement
  root.lang = locale
  root.dir = rightToLeft.has(new Intl.Locale(locale).maximize().script ?? '') ? 'rtl' : 'ltr'
}

// loadSettings asks the shop's own server what there is to choose.
export async function loadSettings(): Promise<Settings> {
  const response = await fetch('/storefront/settings', { headers: { 'X-CSRF': '1' } })
  if (!response.ok) throw new Error(`settings: ${response.status}`)
  const { markets, customers } = await response.json()
  const channels = (markets.channels as string[]).map((text) => {
    const [name, rest] = text.trim().split('=')
    const [locale, currency, country] = rest.split('/')
    return { name, locale, currency, country }
  })
  return { channels, locales: markets.locales, currencies: markets.currencies, countries: markets.countries, customers }
}

// signIn has the sandbox sign a token for a customer. It lasts for an hour.
export async function signIn(customer: string): Promise<string> {
  const response = await fetch('/storefront/settings', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF': '1' },
    body: JSON.stringify({ customer }),
  })
  if (!response.ok) throw new Error(`token: ${response.status}`)
  return (await response.json()).token
}
