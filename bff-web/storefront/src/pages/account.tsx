import { useState } from 'react'
import { useQuery } from '@apollo/client/react'
import { AccountDocument } from '../gql/graphql'
import type { Customer } from '../api/market'
import { Link, useHeading } from '../router'
import { useFreshness, useSession } from '../session'
import { Part, Skeleton } from '../ui/part'
import { statuses } from './order'

export default function AccountPage() {
  const { customer } = useSession()
  return customer ? <Own customer={customer} /> : <SignIn />
}

function SignIn() {
  const { settings, be } = useSession()
  const heading = useHeading('Sign in')
  const [failed, setFailed] = useState(false)
  const customers = settings?.customers ?? []
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>Sign in</h1>
      {settings && customers.length === 0 && <p>Customers come here from the company's identity provider.</p>}
      {customers.length > 0 && (
        <>
          <p>This is a demonstration: choose who you want to be. It is forgotten when the page is loaded anew.</p>
          {failed && <p className="bad" role="alert">Nobody can be signed in right now.</p>}
          <ul className="customers">
            {customers.map((customer) => (
              <li key={customer.customer}>
                <button type="button" className="quiet" onClick={() => be(customer).catch(() => setFailed(true))}>
                  {customer.name} <span className="faint">{customer.priceGroup}, {customer.orders} orders</span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}

function Own({ customer }: { customer: Customer }) {
  const { be } = useSession()
  const { data, loading, refetch } = useQuery(AccountDocument)
  const me = data?.me
  const entity = { __typename: 'Me' }
  const marks = { profile: useFreshness(entity, 'profile'), loyalty: useFreshness(entity, 'loyalty'), orders: useFreshness(entity, 'orders'), addresses: useFreshness(entity, 'addresses') }
  const heading = useHeading('Account')
  const part = { pending: loading, retry: refetch, skeleton: <Skeleton className="text" /> }
  const { profile, loyalty, orders, addresses } = me ?? {}
  return (
    <>
      <div className="bar">
        <h1 ref={heading} tabIndex={-1}>{profile ? `${profile.firstName} ${profile.lastName}` : customer.name}</h1>
        <button type="button" className="quiet" onClick={() => be(undefined)}>Sign out</button>
      </div>
      <div className="panels">
        <section className="panel" aria-labelledby="loyalty">
          <h2 id="loyalty">Points</h2>
          <Part {...part} mark={marks.loyalty} missing={!loyalty} what="Your points">
            {loyalty ? (
              <>
                <p><span className="figure">{loyalty.points}</span> points{loyalty.level && `, ${loyalty.level}`}</p>
                {loyalty.nextLevel && <p className="faint">{loyalty.pointsToNextLevel} more for {loyalty.nextLevel}</p>}
                {loyalty.rewards.length > 0 && <ul>{loyalty.rewards.map(({ id, name, cost }) => <li key={id}>{name}: {cost} points</li>)}</ul>}
              </>
            ) : <p className="faint">Not in the programme.</p>}
          </Part>
        </section>
        <section className="panel" aria-labelledby="profile">
          <h2 id="profile">Profile</h2>
          <Part {...part} mark={marks.profile} missing={!profile} what="Your profile">
            {profile && <p>{profile.email}<br /><span className="faint">{[...profile.segments, `${me?.priceGroup} prices`].join(', ')}</span></p>}
          </Part>
          <Part {...part} mark={marks.addresses} missing={!addresses} what="Your addresses">
            {addresses?.map(({ street, postcode, city, country }) => <address key={street + postcode}>{street.join(', ')}<br />{postcode} {city}, {country}</address>)}
          </Part>
        </section>
      </div>
      <section aria-labelledby="orders">
        <h2 id="orders">Orders</h2>
        <Part {...part} mark={marks.orders} missing={!orders} what="Your orders">
          {orders?.nodes.length === 0 && <p className="faint">No orders yet.</p>}
          <ul className="orders">
            {orders?.nodes.map(({ number, placedAt, status, totals }) => (
              <li key={number}>
                <Link href={`/orders/${number}`}>{number}</Link>
                <time dateTime={placedAt} className="faint">{new Date(placedAt).toLocaleDateString('en', { dateStyle: 'medium' })}</time>
                <span className="badge">{statuses[status]}</span>
                <span className="unit">{totals.total.formatted}</span>
              </li>
            ))}
          </ul>
        </Part>
      </section>
    </>
  )
}
