import { useHeading } from '../router'

export default function CartPage(_: { id?: string; number?: string }) {
  const heading = useHeading('Cart')
  return <h1 ref={heading} tabIndex={-1}>Cart</h1>
}
