// Checkout in three steps on one page: where to, how it is sent, how it is paid. What is wrong stands next to its field.
import { useEffect, useRef, useState, type ReactNode, type SyntheticEvent } from 'react'
import { useApolloClient, useQuery } from '@apollo/client/react'
import { BillingDocument, OrderPlaceDocument, ShippingDocument, type AddressInput, type ShippingQuery } from '../gql/graphql'
import { inputError } from '../api/errors'
import { useCart, type UserError } from '../cart'
import { forgetKey, keepOrderToken, orderKey } from '../orders'
import { go, Link, useHeading } from '../router'
import { useSession } from '../session'
import { Field } from '../ui/field'
import { Skeleton } from '../ui/part'
import { Sums } from '../ui/sums'

type Details = AddressInput & { email: string }
type Option = NonNullable<NonNullable<ShippingQuery['cart']>['shippingOptions']>[number]

const fields: { name: keyof Details; label: string; autoComplete: string; required?: boolean; type?: string; pattern?: string; title?: string }[] = [
  { name: 'email', label: 'E-mail', autoComplete: 'email', required: true, type: 'email' },
  { name: 'firstName', label: 'Given name', autoComplete: 'given-name', required: true },
  { name: 'lastName', label: 'Family name', autoComplete: 'family-name', required: true },
  { name: 'company', label: 'Company', autoComplete: 'organization' },
  { name: 'street', label: 'Street', autoComplete: 'street-address', required: true },
  { name: 'postcode', label: 'Postal code', autoComplete: 'postal-code', required: true },
  { name: 'city', label: 'City', autoComplete: 'address-level2', required: true },
  { name: 'region', label: 'State or province', autoComplete: 'address-level1' },
  { name: 'phone', label: 'Phone', autoComplete: 'tel', type: 'tel' },
]

const countryNames = new Intl.DisplayNames(['en'], { type: 'region' })

export default function CheckoutPage() {
  const { cart, loading } = useCart()
  const { customer } = useSession()
  const heading = useHeading('Checkout')
  const billing = useQuery(BillingDocument, { skip: !customer })
  if (!cart || cart.lines.length === 0) {
    return (
      <>
        <h1 ref={heading} tabIndex={-1}>Checkout</h1>
        {loading ? <Skeleton className="text" /> : <p>There is nothing in your cart. <Link href="/">Go to the shop</Link></p>}
      </>
    )
  }
  const me = billing.data?.me
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>Checkout</h1>
      <div className="with-aside">
        {customer && billing.loading ? <Skeleton className="text" />
          : <Steps key={customer?.customer ?? ''} known={{ ...me?.addresses?.[0], ...me?.profile && { email: me.profile.email, firstName: me.profile.firstName, lastName: me.profile.lastName } }} />}
        <section className="panel" aria-label="Summary">
          <ul className="faint">{cart.lines.map(({ lineId, name, quantity }) => <li key={lineId}>{quantity} × {name}</li>)}</ul>
          <Sums totals={cart.totals} />
        </section>
      </div>
    </>
  )
}

function Steps({ known }: { known: Partial<Details> & { __typename?: string } }) {
  const client = useApolloClient()
  const { cart, setShipping, done } = useCart()
  const { settings, channel } = useSession()
  const [details, setDetails] = useState<Details>()
  const [options, setOptions] = useState<readonly Option[]>()
  const [method, setMethod] = useState('')
  const [payment, setPayment] = useState('')
  const [errors, setErrors] = useState<readonly UserError[]>([])
  const [busy, setBusy] = useState('')
  const ways = useRef<HTMLHeadingElement>(null)
  const payments = useRef<HTMLHeadingElement>(null)
  const [step, setStep] = useState(1)
  const wrong = useRef<HTMLDivElement>(null)

  useEffect(() => {
    const next = { 2: ways, 3: payments }[step]
    next?.current?.focus()
  }, [step])
  useEffect(() => {
    if (errors.length > 0) wrong.current?.focus()
  }, [errors])

  const errorOf = (name: string) => errors.find(({ field }) => field?.replace(/^.*Address\./, '') === name)?.message
  const general = errors.filter(({ field }) => !field || ![...fields.map(({ name }) => name), 'country'].includes(field.replace(/^.*Address\./, '') as keyof Details))
  const unavailable = (message: string): UserError => ({ __typename: 'UserError', code: 'UNAVAILABLE', message, field: null })

  const work = async (name: string, run: () => Promise<void>) => {
    if (busy) return
    setBusy(name)
    setErrors([])
    await run().catch(() => setErrors([unavailable('The checkout cannot be reached right now. Please try again.')]))
    setBusy('')
  }
  const address = (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '').trim()
    const { email, ...to } = Object.fromEntries([...fields.map(({ name }) => name), 'country'].map((name) => [name, text(name)])) as Record<string, string>
    const sent = { ...to, street: text('street').split(/\s*\n\s*/), email } as Details
    void work('address', async () => {
      const { email: _, ...address } = sent
      const { data, error } = await client.query({ query: ShippingDocument, variables: { id: cart!.id, address }, fetchPolicy: 'network-only' })
      const found = data?.cart?.shippingOptions
      const failed = inputError(error)
      if (failed) return setErrors([failed])
      if (!found) return setErrors([unavailable('Ways to send it cannot be had right now. Please try again.')])
      if (found.length === 0) return setErrors([{ ...unavailable('Nothing can be sent there.'), field: 'country' }])
      setDetails(sent)
      setOptions(found)
      setMethod(found[0].code)
      setStep(2)
    })
  }
  const shipping = (event: SyntheticEvent) => {
    event.preventDefault()
    if (!details) return
    const { email, ...shippingAddress } = details
    void work('shipping', async () => {
      const failed = await setShipping({ email, shippingAddress, methodCode: method })
      if (failed.length > 0) return setErrors(failed)
      setStep(3)
    })
  }
  const place = (event: SyntheticEvent) => {
    event.preventDefault()
    const chosen = payment || cart?.payments[0]?.code
    if (!cart || !chosen) return
    void work('place', async () => {
      const key = orderKey(cart.id, chosen)
      const { data } = await client.mutate({ mutation: OrderPlaceDocument, variables: { input: { cartId: cart.id, paymentMethod: chosen, idempotencyKey: key } } })
      const answer = data?.orderPlace
      if (!answer) return setErrors([unavailable('It is not known yet whether the order was taken. Place it again: it is taken once.')])
      if (!answer.order) {
        if (!answer.userErrors.some(({ code }) => code === 'OUTCOME_UNKNOWN')) forgetKey(cart.id)
        return setErrors(answer.userErrors)
      }
      forgetKey(cart.id)
      if (answer.orderToken) keepOrderToken(answer.order.number, answer.orderToken)
      go(`/orders/${answer.order.number}?new`)
      done()
    })
  }

  return (
    <div className="steps">
      <div ref={wrong} tabIndex={-1} role="alert" className={errors.length > 0 ? 'wrong' : undefined}>
        {general.map(({ code, message }) => <p key={code + message}>{message}</p>)}
        {errors.length > general.length && <p>Please check what is marked below.</p>}
      </div>
      <form onSubmit={address} onChange={() => step > 1 && setStep(1)}>
        <h2>1. Where to</h2>
        <div className="fields">
          {fields.map(({ name, ...field }) => (
            <Field key={name} name={name} {...field} maxLength={255} defaultValue={text(known[name])} error={errorOf(name)} />
          ))}
          <div className="field">
            <label htmlFor="country">Country</label>
            <select id="country" name="country" autoComplete="country" defaultValue={known.country ?? channel?.country} key={channel?.country}>
              {(settings?.countries ?? ['US']).map((code) => <option key={code} value={code}>{countryNames.of(code)}</option>)}
            </select>
            {errorOf('country') && <p className="bad">{errorOf('country')}</p>}
          </div>
        </div>
        <Submit busy={busy === 'address'} quiet={step > 1}>{step > 1 ? 'Change address' : 'Continue to shipping'}</Submit>
      </form>
      {step > 1 && options && (
        <form onSubmit={shipping} onChange={() => step > 2 && setStep(2)}>
          <h2 ref={ways} tabIndex={-1}>2. How it is sent</h2>
          <fieldset>
            <legend className="visually-hidden">Ways to send it</legend>
            {options.map(({ code, carrier, title, price }) => (
              <label key={code} className="choice">
                <input type="radio" name="method" value={code} checked={method === code} onChange={() => setMethod(code)} />
                <span>{carrier} {title}</span> <span className="unit">{price.formatted}</span>
              </label>
            ))}
          </fieldset>
          <Submit busy={busy === 'shipping'} quiet={step > 2}>{step > 2 ? 'Change shipping' : 'Continue to payment'}</Submit>
        </form>
      )}
      {step > 2 && cart && (
        <form onSubmit={place}>
          <h2 ref={payments} tabIndex={-1}>3. How it is paid</h2>
          <fieldset>
            <legend className="visually-hidden">Ways to pay</legend>
            {cart.payments.map(({ code, title }, i) => (
              <label key={code} className="choice">
                <input type="radio" name="payment" value={code} checked={payment ? payment === code : i === 0} onChange={() => setPayment(code)} />
                <span>{title}</span>
              </label>
            ))}
          </fieldset>
          <Submit busy={busy === 'place'}>Place order: <bdi>{cart.totals.total.formatted}</bdi></Submit>
        </form>
      )}
    </div>
  )
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : ''
}

function Submit({ busy, quiet, children }: { busy: boolean; quiet?: boolean; children: ReactNode }) {
  return <button type="submit" className={quiet ? 'quiet' : undefined} aria-disabled={busy}>{busy ? 'One moment…' : children}</button>
}
