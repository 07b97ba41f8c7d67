// Package market resolves where, in which language and in which money a request
// shops, from its headers and the configured lists.
package market

import (
	"slices"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/text/language"

	"github.com/portico-bff/portico/schema/commerce"
)

// Config lists what is sold where.
type Config struct {
	Channels    []string `env:"CHANNELS" envDefault:"us=en/USD/US,eu=fr/EUR/FR,uk=en/GBP/GB" doc:"Sales channels as name=locale/currency/country with their defaults, the first one being the default channel."`
	Locales     []string `env:"LOCALES" envDefault:"en,fr,he,th,ar,zh-Hant" doc:"Locales (BCP 47) that Accept-Language may choose from."`
	Currencies  []string `env:"CURRENCIES" envDefault:"USD,EUR,GBP" doc:"Currencies (ISO 4217) that X-Currency may name."`
	Countries   []string `env:"COUNTRIES" envDefault:"US,CA,FR,DE,GB,AU" doc:"Countries (ISO 3166-1 alpha-2) that X-Country may name."`
	PriceGroups []string `env:"DEFAULT_PRICE_GROUPS" doc:"Price group of callers whose token names none, as channel=group, separated by commas; retail where a channel is not listed."`
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

const (
	defaultGroup     = commerce.PriceGroup("retail")
	maxLanguageBytes = 256 // of Accept-Language that are looked at
	// maxChosen is how many headers a channel remembers. Browsers send some hundreds, and
	// to understand one takes longer than many requests do.
	maxChosen = 1000
)

// Resolver resolves markets. It is safe for concurrent use.
type Resolver struct {
	first      string
	channels   map[string]channel
	names      []string
	locales    []string
	currencies []string
	countries  []string
}

type channel struct {
	defaults commerce.Market
	group    commerce.PriceGroup
	locales  []string // the default one first, in the matcher's order
	matcher  language.Matcher
	chosen   *lru.Cache[string, string] // locales that headers were found to choose
}

// Resolve answers a market with every field set. A channel, currency or country
// that is not configured is an [commerce.InputError] on the header's name. The
// language is negotiated and never fails.
func (r *Resolver) Resolve(h Hints) (commerce.Market, error) {
	name := h.Channel
	if name == "" {
		name = r.first
	}
	c, ok := r.channels[name]
	if !ok {
		return commerce.Market{}, unsupported("X-Channel", r.names)
	}
	m := c.defaults
	if h.Currency != "" {
		i := slices.Index(r.currencies, h.Currency)
		if i < 0 {
			return commerce.Market{}, unsupported("X-Currency", r.currencies)
		}
		m.Currency = r.currencies[i] // ours, not the header's: a router may reuse its memory
	}
	if h.Country != "" {
		i := slices.Index(r.countries, h.Country)
		if i < 0 {
			return commerce.Market{}, unsupported("X-Country", r.countries)
		}
		m.Country = r.countries[i]
	}
	m.Locale = c.negotiate(h.AcceptLanguage)
	return m, nil
}

func unsupported(header string, known []string) error {
	return &commerce.InputError{
		Field: header, Code: commerce.CodeUnsupported, Message: "must be one of " + strings.Join(known, ", "),
	}
}

// negotiate chooses the locale that fits the header best. Of a header longer than
// any browser sends only the beginning counts.
func (c channel) negotiate(header string) string {
	if len(header) > maxLanguageBytes {
		header = header[:maxLanguageBytes]
		header = header[:max(strings.LastIndexByte(header, ','), 0)]
	}
	if header == "" {
		return c.defaults.Locale
	}
	if locale, ok := c.chosen.Get(header); ok {
		return locale
	}
	locale := c.match(header)
	c.chosen.Add(strings.Clone(header), locale)
	return locale
}

// match is the locale that a header asks for.
func (c channel) match(header string) string {
	tags, weights, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return c.defaults.Locale
	}
	var wanted []language.Tag
	for i, tag := range tags {
		if weights[i] > 0 {
			wanted = append(wanted, tag)
		}
	}
	_, i, confidence := c.matcher.Match(wanted...)
	if confidence == language.No {
		return c.defaults.Locale
	}
	return c.locales[i]
}

// PriceGroup is whose prices p sees in m: the token's group, else the channel's default.
func (r *Resolver) PriceGroup(m commerce.Market, p commerce.Principal) commerce.PriceGroup {
	if p.PriceGroup != "" {
		return p.PriceGroup
	}
	if c, ok := r.channels[m.Channel]; ok {
		return c.group
	}
	return defaultGroup
}
