import { useState, type SyntheticEvent } from 'react'
import { useCart } from '../cart'
import { Link } from '../router'
import { useAnnounce } from '../ui/announce'

// Buy puts pieces of a product into the cart.
export function Buy({ sku, name }: { sku: string; name: string }) {
  const { add } = useCart()
  const say = useAnnounce()
  const [quantity, setQuantity] = useState('1')
  const [state, setState] = useState<{ sku: string; adding?: boolean; added?: boolean; error?: string }>({ sku })
  const here = state.sku === sku ? state : { sku }

  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    if (here.adding) return
    setState({ sku, adding: true })
    add(sku, Number(quantity)).then((errors) => {
      setState({ sku, added: errors.length === 0, error: errors[0]?.message })
      if (errors.length === 0) say(`${name} is in the cart`)
    })
  }
  return (
    <form className="buy" onSubmit={submit}>
      <label>
        <span>Quantity</span>
        <input type="number" min={1} max={10000} required value={quantity} onChange={(event) => setQuantity(event.target.value)}
          aria-invalid={here.error ? true : undefined} aria-describedby={here.error ? 'buy-error' : undefined} />
      </label>
      <button type="submit" aria-disabled={here.adding}>{here.adding ? 'Adding…' : 'Add to cart'}</button>
      {here.added && <p className="good">Added. <Link href="/cart">Go to the cart</Link></p>}
      {here.error && <p id="buy-error" className="bad" role="alert">{here.error}</p>}
    </form>
  )
}
