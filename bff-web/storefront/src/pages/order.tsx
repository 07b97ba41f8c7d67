import { useHeading } from '../router'

export default function OrderPage(_: { id?: string; number?: string }) {
  const heading = useHeading('Order')
  return <h1 ref={heading} tabIndex={-1}>Order</h1>
}
