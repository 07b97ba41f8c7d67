// The first request of a product's page, and of the shop's front, sent while the browser still reads the rest of the shop. This file is a script of its own,
// ahead of all others; what it imports comes with it.
import { marketHeaders, savedMarket, writeIn, writtenIn, type Market } from './api/market'

declare const PAGES: Record<'HomePage' | 'ProductPage', string> // ids of documents, from the build

export const client = { name: 'storefront', version: '1.0.0' } // by which the channel counts who asks for what
export const marked = { 'X-CSRF': '1' }

// key is what two requests have in common that have the same answer.
function key(body: unknown, headers: HeadersInit | undefined) {
  const given = new Headers(headers)
  return JSON.stringify([body, ...['Authorization', 'X-Channel', 'Accept-Language', 'X-Currency'].map((name) => given.get(name))])
}

function page(): [keyof typeof PAGES, Record<string, string>] | undefined {
  const [, kind, sku] = location.pathname.split('/').map(decodeURIComponent)
  if (kind === '') return ['HomePage', {}]
  return kind === 'product' && sku ? ['ProductPage', { sku }] : undefined
}

function send(market: Market) {
  const [operationName, variables] = page() ?? []
  if (!operationName) return undefined
  const body = JSON.stringify({ operationName, variables, extensions: { persistedQuery: { version: 1, sha256Hash: PAGES[operationName] } } })
  const headers = {
    ...marketHeaders(market), ...marked, 'Content-Type': 'application/json',
    Accept: 'multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9',
    'apollographql-client-name': client.name, 'apollographql-client-version': client.version,
  }
  const answer = fetch('/graphql', { method: 'POST', body, headers })
  answer.then(picture).catch(() => undefined) // whoever takes the answer is told
  return { key: key(body, headers), answer }
}

// picture asks for the first picture that the first part of an answer names, which is the one that the page is about.
async function picture(answer: Response) {
  const reader = answer.clone().body!.getReader()
  const { value } = await reader.read()
  void reader.cancel()
  const [, url] = /"images":\[\{[^}]*?"url":("[^"]*")/.exec(new TextDecoder().decode(value)) ?? []
  if (url) Object.assign(new Image(), { fetchPriority: 'high', src: JSON.parse(url) })
}

const market = savedMarket()
const language = market.locale || writtenIn() // of what no settings have told yet
if (language) writeIn(language)
let sent = send(market)

// ask is fetch, but for the request that is under way already.
export const ask: typeof fetch = (input, init) => {
  if (!sent || sent.key !== key(init?.body, init?.headers)) return fetch(input, init)
  const { answer } = sent
  sent = undefined
  return answer
}
