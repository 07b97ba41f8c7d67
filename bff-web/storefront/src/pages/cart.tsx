import { useState, type SyntheticEvent } from 'react'
import { useCart, type UserError } from '../cart'
import { Link, useHeading } from '../router'
import { useAnnounce } from '../ui/announce'
import { LineRow } from '../ui/line'
import { Missing, Skeleton } from '../ui/part'
import { Sums } from '../ui/sums'
import type { CartPartsFragment } from '../gql/graphql'

export default function CartPage() {
  const { id, cart, loading, failed, left, again } = useCart()
  const heading = useHeading('Cart')
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>Cart</h1>
      {left && <p className="bad" role="alert">{left.message}</p>}
      {id && !cart && loading ? <Skeleton className="text" />
        : id && !cart && failed ? <Missing what="Your cart" retry={again} />
          : !cart || cart.lines.length === 0 ? <p>Your cart is empty. <Link href="/category/1">Look at bikes</Link></p>
            : <Full cart={cart} />}
    </>
  )
}

function Full({ cart }: { cart: CartPartsFragment }) {
  return (
    <div className="with-aside">
      <section aria-labelledby="lines">
        <h2 id="lines" className="visually-hidden">Products</h2>
        <ul>{cart.lines.map((line) => <Row key={line.lineId} line={line} />)}</ul>
      </section>
      <section className="panel" aria-label="Summary">
        <Coupon coupon={cart.coupon} />
        <Sums totals={cart.totals} />
        <Link href="/checkout" className="button">Go to checkout</Link>
      </section>
    </div>
  )
}

function Row({ line }: { line: CartPartsFragment['lines'][number] }) {
  const { setQuantity, remove } = useCart()
  const say = useAnnounce()
  const [typed, setTyped] = useState<string>()
  const [error, setError] = useState<UserError>()
  const [busy, setBusy] = useState(false)
  const stock = line.product?.availability

  const change = async (work: Promise<UserError[]>, said: string) => {
    setBusy(true)
    const [failed] = await work
    setBusy(false)
    setError(failed)
    setTyped(undefined)
    if (!failed) say(said)
  }
  const settle = () => {
    const quantity = Number(typed)
    if (typed === undefined || quantity === line.quantity || busy) return
    if (!Number.isInteger(quantity) || quantity < 1) return setTyped(undefined)
    void change(setQuantity(line.lineId, quantity), `${line.name}: ${quantity}`)
  }
  const errorId = `line-${line.lineId}-error`
  return (
    <LineRow line={line}>
      <form className="quantity" onSubmit={(event) => { event.preventDefault(); settle() }}>
        <label>
          <span className="visually-hidden">Quantity of {line.name}</span>
          <input type="number" min={1} max={10000} value={typed ?? line.quantity} onChange={(event) => setTyped(event.target.value)} onBlur={settle}
            aria-invalid={error ? true : undefined} aria-describedby={error ? errorId : undefined} />
        </label>
        <button type="button" className="quiet" aria-disabled={busy} onClick={() => busy || change(remove(line.lineId), `${line.name} was removed`)}>
          Remove<span className="visually-hidden"> {line.name}</span>
        </button>
      </form>
      {stock && stock.quantity < line.quantity && !error && <p className="bad">Only {stock.quantity} in stock</p>}
      {error && <p id={errorId} className="bad" role="alert">{error.message}</p>}
    </LineRow>
  )
}

function Coupon({ coupon }: { coupon: string }) {
  const { applyCoupon, removeCoupon } = useCart()
  const say = useAnnounce()
  const [code, setCode] = useState('')
  const [error, setError] = useState<string>()
  const done = (errors: UserError[], said: string) => {
    setError(errors[0]?.message)
    if (errors.length === 0) {
      setCode('')
      say(said)
    }
  }
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    void applyCoupon(code.trim()).then((errors) => done(errors, 'The coupon is applied'))
  }
  if (coupon) {
    return (
      <p className="coupon">
        <span>Coupon <strong>{coupon}</strong></span>
        <button type="button" className="quiet" onClick={() => removeCoupon().then((errors) => done(errors, 'The coupon is removed'))}>Remove coupon</button>
      </p>
    )
  }
  return (
    <form className="coupon" onSubmit={submit}>
      <label>
        <span>Coupon</span>
        <input value={code} onChange={(event) => setCode(event.target.value)} required maxLength={64} autoComplete="off"
          aria-invalid={error ? true : undefined} aria-describedby={error ? 'coupon-error' : undefined} />
      </label>
      <button type="submit" className="quiet">Apply</button>
      {error && <p id="coupon-error" className="bad" role="alert">{error}</p>}
    </form>
  )
}
