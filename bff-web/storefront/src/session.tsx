// Who shops, and in which market. A token is held in memory only: a page that is loaded anew has none.
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react'
import { ApolloProvider } from '@apollo/client/react'
import { connect } from './api/client'
import { Marks, useMark } from './api/freshness'
import { loadSettings, marketHeaders, savedMarket, saveMarket, signIn, writeIn, type Channel, type Customer, type Market, type Settings } from './api/market'

type Session = {
  market: Market
  setMarket: (market: Market) => void
  settings: Settings | undefined
  channel: Channel | undefined // the market's
  customer: Customer | undefined
  be: (customer: Customer | undefined) => Promise<void>
  marks: Marks
}

const Context = createContext<Session | undefined>(undefined)

const renewAfterMs = 50 * 60_000 // a token lasts for an hour

// tokens answers a customer's token, a new one before the old one ends.
function tokens(customer: string, token: string) {
  let at = Date.now()
  let renewing: Promise<string> | undefined
  return async () => {
    if (Date.now() - at < renewAfterMs) return token
    renewing ??= signIn(customer).then((fresh) => {
      token = fresh
      at = Date.now()
      return fresh
    }).finally(() => (renewing = undefined))
    return renewing
  }
}

type Signed = { customer: Customer; token: () => Promise<string> }

export function SessionProvider({ children }: { children: ReactNode }) {
  const [market, choose] = useState(savedMarket)
  const [signed, setSigned] = useState<Signed>()
  const [settings, setSettings] = useState<Settings>()

  useEffect(() => {
    loadSettings().then(setSettings, () => undefined) // without them there is nothing to choose
  }, [])

  const channel = settings?.channels.find(({ name }) => name === market.channel) ?? settings?.channels[0]
  const locale = market.locale || channel?.locale
  useEffect(() => {
    if (locale) writeIn(locale)
  }, [locale])

  const be = useCallback(async (customer: Customer | undefined) => {
    setSigned(customer && { customer, token: tokens(customer.customer, await signIn(customer.customer)) })
  }, [])

  const { client, marks } = useMemo(() => {
    const marks = new Marks()
    const headers = async () => ({
      ...marketHeaders(market),
      ...(signed && { Authorization: `Bearer ${await signed.token()}` }),
    })
    return { client: connect(headers, marks), marks }
  }, [market, signed])

  const session = useMemo<Session>(() => {
    const setMarket = (chosen: Market) => {
      saveMarket(chosen)
      choose(chosen)
    }
    return { market, setMarket, settings, channel, customer: signed?.customer, be, marks }
  }, [market, settings, channel, signed, be, marks])

  return (
    <Context value={session}>
      <ApolloProvider client={client}>{children}</ApolloProvider>
    </Context>
  )
}

export function useSession(): Session {
  const session = use(Context)
  if (!session) throw new Error('there is no session around this')
  return session
}

// useFreshness is the mark on a field of what is shown.
export function useFreshness(entity: Record<string, unknown> | undefined | null, field: string) {
  return useMark(useSession().marks, entity, field)
}
