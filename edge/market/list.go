package market

import (
	"slices"

	"github.com/portico-bff/portico/schema/commerce"
)

// List is what a request can choose from, in the order of the configuration.
type List struct {
	Channels   []commerce.Market // each with its defaults; the first is the default one
	Locales    []string
	Currencies []string
	Countries  []string
}

// List is everything that Resolve knows. The caller may keep and change it.
func (r *Resolver) List() List {
	l := List{Locales: slices.Clone(r.locales), Currencies: slices.Clone(r.currencies), Countries: slices.Clone(r.countries)}
	for _, name := range r.names {
		l.Channels = append(l.Channels, r.channels[name].defaults)
	}
	return l
}
