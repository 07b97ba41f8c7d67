// The shopper's cart. A guest's cart id is a secret that opens the cart; it is kept in this browser so that the cart is there tomorrow. A
// customer's own cart is asked for by who signs in.
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { useApolloClient, useQuery } from '@apollo/client/react'
import type { TypedDocumentNode } from '@apollo/client'
import {
  CartCouponApplyDocument, CartCouponRemoveDocument, CartCreateDocument, CartDocument, CartLineAddDocument, CartLineRemoveDocument, CartLineUpdateDocument,
  CartMergeDocument, CartShippingSetDocument, type CartPartsFragment, type CartShippingSetInput, type SaidFragment,
} from './gql/graphql'
import { inputError } from './api/errors'
import { useSession } from './session'

export type UserError = SaidFragment['userErrors'][number]

type CartValue = {
  id: string | undefined
  cart: CartPartsFragment | undefined
  quantity: number
  loading: boolean
  failed: boolean // it could not be asked for
  left: UserError | undefined // why not all that was picked as a guest is in it
  again: () => Promise<unknown>
  add: (sku: string, quantity: number) => Promise<UserError[]>
  setQuantity: (lineId: string, quantity: number) => Promise<UserError[]>
  remove: (lineId: string) => Promise<UserError[]>
  applyCoupon: (code: string) => Promise<UserError[]>
  removeCoupon: () => Promise<UserError[]>
  setShipping: (input: Omit<CartShippingSetInput, 'cartId'>) => Promise<UserError[]>
  done: () => void // it was ordered
}

const Context = createContext<CartValue | undefined>(undefined)
const kept = 'cart'

// unavailable stands for whatever the shopper cannot put right.
const unavailable: UserError = { __typename: 'UserError', code: 'UNAVAILABLE', message: 'The cart cannot be changed right now. Please try again.', field: null }

const apart: UserError = { ...unavailable, message: 'This is the cart of before you signed in: it cannot be joined with your own right now.' }

export function CartProvider({ children }: { children: ReactNode }) {
  const client = useApolloClient()
  const { customer } = useSession()
  const [id, setId] = useState<string | undefined>(() => localStorage.getItem(kept) ?? undefined)
  const [left, setLeft] = useState<UserError>()
  const { data, loading, error, refetch } = useQuery(CartDocument, id ? { variables: { id } } : { skip: true } as never)
  const current = useRef(id) // what is changed, whichever page is on the screen still
  const looking = useRef(Promise.resolve())

  const keep = useCallback((next: string | undefined) => {
    current.current = next
    setId(next)
    setLeft(undefined)
    if (next?.startsWith('g_')) localStorage.setItem(kept, next)
    else localStorage.removeItem(kept)
  }, [])

  // change runs a mutation that answers a cart, and what the shopper can put right.
  const change = useCallback(async <V extends Record<string, unknown>>(mutation: TypedDocumentNode<Record<string, unknown>, V>, variables: V) => {
    const { data, error } = await client.mutate({ mutation, variables } as never).catch((error: unknown) => ({ data: undefined, error }))
    const [payload] = Object.values((data ?? {}) as Record<string, SaidFragment | null | string>).filter((value) => typeof value === 'object')
    const said = payload as SaidFragment | null | undefined
    return { cart: said?.cart, errors: said ? said.userErrors : [inputError(error) ?? unavailable] }
  }, [client])

  // inTurn has those who look for the cart that is to be changed do so one after another.
  const inTurn = useCallback((look: () => Promise<void>) => (looking.current = looking.current.then(look)), [])

  const create = useCallback(async () => (await change(CartCreateDocument as never, {})).cart?.id, [change])

  // Who signs in finds the cart of before, and takes what was picked as a guest along. What cannot be had leaves the guest's cart as it is.
  const before = useRef(customer)
  useEffect(() => {
    if (before.current === customer) return
    before.current = customer
    if (!customer) return keep(undefined)
    void inTurn(async () => {
      const guests = current.current?.startsWith('g_') ? current.current : undefined
      const joined = guests ? await change(CartMergeDocument as never, { input: { cartId: guests } }) : undefined
      const own = joined?.cart?.id ?? (joined?.errors[0] === unavailable ? undefined : await create())
      if (before.current !== customer) return // who signed in is gone again
      keep(own ?? guests)
      setLeft(own ? joined?.errors[0] : guests ? apart : undefined)
    })
  }, [customer, keep, inTurn, create, change])

  const value = useMemo<CartValue>(() => {
    const cart = (id && data?.cart) || undefined
    const errors = (said: { errors: UserError[] }) => said.errors
    const within = async (mutation: unknown, input: Record<string, unknown>) => {
      await inTurn(async () => {
        if (!current.current) keep(await create())
      })
      return current.current ? errors(await change(mutation as never, { input: { cartId: current.current, ...input } })) : [unavailable]
    }
    return {
      id, cart, loading, failed: Boolean(error), left, quantity: cart?.quantity ?? 0, again: () => refetch(),
      add: (sku, quantity) => within(CartLineAddDocument, { sku, quantity }),
      setQuantity: (lineId, quantity) => within(CartLineUpdateDocument, { lineId, quantity }),
      remove: (lineId) => within(CartLineRemoveDocument, { lineId }),
      applyCoupon: (code) => within(CartCouponApplyDocument, { code }),
      removeCoupon: () => within(CartCouponRemoveDocument, {}),
      setShipping: (input) => within(CartShippingSetDocument, input),
      done: () => keep(undefined),
    }
  }, [id, data, loading, error, left, refetch, change, create, inTurn, keep])

  return <Context value={value}>{children}</Context>
}

export function useCart(): CartValue {
  const value = use(Context)
  if (!value) throw new Error('there is no cart around this')
  return value
}
