import { useQuery, useSubscription } from '@apollo/client/react'
import { LiveOrderDocument, OrderPageDocument, type OrderStatus, type ShipmentState } from '../gql/graphql'
import { orderToken } from '../orders'
import { Link, useHeading, usePlace } from '../router'
import { useFreshness } from '../session'
import { useVisible } from '../visible'
import { LineRow } from '../ui/line'
import { Part, Skeleton } from '../ui/part'
import { Sums } from '../ui/sums'

export const statuses: Record<OrderStatus, string> = {
  PENDING: 'Received', CONFIRMED: 'Confirmed', SHIPPED: 'On its way', DELIVERED: 'Delivered', CANCELLED: 'Cancelled', ON_HOLD: 'On hold', UNKNOWN: 'Being looked at',
}
const shipments: Record<ShipmentState, string> = { PENDING: 'being prepared', READY: 'packed', SENT: 'sent', UNKNOWN: 'being looked at' }
const root = { __typename: 'Query' }

export default function OrderPage({ number }: { number: string }) {
  const { query } = usePlace()
  const { data, loading, refetch } = useQuery(OrderPageDocument, { variables: { number, token: orderToken(number) } })
  const order = data?.order
  const visible = useVisible()
  useSubscription(LiveOrderDocument, { variables: { number, token: orderToken(number) }, skip: !order || !visible }) // it goes into the same order
  const mark = useFreshness(root, 'order')
  const title = query.has('new') ? 'Thank you' : `Order ${number}`
  const heading = useHeading(title)
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      {query.has('new') && <p>Your order <strong>{number}</strong> is taken. This page always says where it stands.</p>}
      <Part mark={mark} missing={!order} pending={loading} what="The order" retry={refetch} skeleton={<Skeleton className="text" />}>
        {order ? (
          <div className="with-aside">
            <section aria-label="Order">
              <p>
                <span className="badge" role="status">{statuses[order.status]}</span>{' '}
                <span className="faint">placed on <time dateTime={order.placedAt}>{new Date(order.placedAt).toLocaleDateString('en', { dateStyle: 'long' })}</time></span>
              </p>
              {order.pendingSync && <p className="faint">The warehouse will take it over shortly.</p>}
              <h2 className="visually-hidden">Products</h2>
              <ul>{order.lines.map((line, i) => <LineRow key={line.sku || i} line={line}><p>Quantity: {line.quantity}</p></LineRow>)}</ul>
            </section>
            <section className="panel" aria-label="Summary">
              <Sums totals={order.totals} />
              {order.shipping && (
                <address>
                  {order.shipping.firstName} {order.shipping.lastName}<br />
                  {order.shipping.street.join(', ')}<br />
                  {order.shipping.postcode} {order.shipping.city}, {order.shipping.country}
                </address>
              )}
              {order.shipments.map(({ state, carrier, tracking, trackingUrl }, i) => (
                <p key={tracking || i}>{carrier || 'Parcel'}: {shipments[state]} {trackingUrl && <a href={trackingUrl}>track {tracking}</a>}</p>
              ))}
            </section>
          </div>
        ) : <p>There is no such order, or it is somebody else's. <Link href="/account">Sign in</Link> to see yours.</p>}
      </Part>
    </>
  )
}
