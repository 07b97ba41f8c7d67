import { useSession } from '../session'
import type { Market } from '../api/market'

// Whoever looks for a language finds it in its own words.
const language = (locale: string) => new Intl.DisplayNames([locale], { type: 'language' }).of(locale) ?? locale
const currencies = new Intl.DisplayNames(['en'], { type: 'currency' })
const countries = new Intl.DisplayNames(['en'], { type: 'region' })

// MarketChoice says for which market, language and currency the shop shows everything.
export function MarketChoice() {
  const { settings, channel, market, setMarket } = useSession()
  if (!settings || !channel) return null
  return (
    <form className="market" aria-label="Market" onSubmit={(event) => event.preventDefault()}>
      <Choice label="Market" value={channel.name} entries={settings.channels.map((c) => [c.name, countries.of(c.country) ?? c.name])}
        choose={(name) => setMarket({ channel: name, locale: '', currency: '' })} />
      <Choice label="Language" value={market.locale || channel.locale} entries={settings.locales.map((l) => [l, language(l)])}
        choose={(locale) => setMarket({ ...market, locale })} />
      <Choice label="Currency" value={market.currency || channel.currency} entries={settings.currencies.map((c) => [c, currencies.of(c) ?? c])}
        choose={(currency) => setMarket({ ...market, currency })} />
    </form>
  )
}

function Choice({ label, value, entries, choose }: { label: string; value: string; entries: [string, string][]; choose: (value: Market[keyof Market]) => void }) {
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={(event) => choose(event.target.value)}>
        {entries.map(([entry, text]) => <option key={entry} value={entry}>{text}</option>)}
      </select>
    </label>
  )
}
