// What a guest needs to read an order, and what makes placing one happen once, for as long as the tab is open.

const keyOf = (cart: string) => `key:${cart}`

// orderKey is the idempotency key of an order: the same for the same cart and payment, so that an answer that was lost can be asked for again.
export function orderKey(cart: string, payment: string): string {
  const [kept, paid] = sessionStorage.getItem(keyOf(cart))?.split(' ') ?? []
  if (kept && paid === payment) return kept
  const key = Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, '0')).join('')
  sessionStorage.setItem(keyOf(cart), `${key} ${payment}`)
  return key
}

export function forgetKey(cart: string) {
  sessionStorage.removeItem(keyOf(cart))
}

export function keepOrderToken(number: string, token: string) {
  sessionStorage.setItem(`order:${number}`, token)
}

export function orderToken(number: string): string | null {
  return sessionStorage.getItem(`order:${number}`)
}
