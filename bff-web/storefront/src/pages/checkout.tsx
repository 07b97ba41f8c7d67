import { useHeading } from '../router'

export default function CheckoutPage(_: { id?: string; number?: string }) {
  const heading = useHeading('Checkout')
  return <h1 ref={heading} tabIndex={-1}>Checkout</h1>
}
