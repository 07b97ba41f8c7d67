package odoo

import (
	"net/http"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// later answers once whoever else is ready has run: prices and stock that are asked for at the same time have
// both asked before either is answered, as they have over a network.
type later struct{ http.RoundTripper }

func (l later) RoundTrip(r *http.Request) (*http.Response, error) {
	runtime.Gosched()
	return l.RoundTripper.RoundTrip(r)
}

// BenchmarkCold is what a page or a list that nobody has kept costs this connector: prices
// and stock asked for at the same time, of products whose records are not known, over answers
// recorded once. What is known of lists, currencies, categories and places is.
func BenchmarkCold(b *testing.B) {
	box := sandboxtest.Start(b)
	c, err := newConnector(Config{
		Config: transport.Config{BaseURL: box.URL + "/odoo", AllowPrivate: true}, APIKey: "sandbox-odoo-key", Database: "sandbox",
	}, transport.Deps{Wire: later{&sandboxtest.Recorded{}}})
	require.NoError(b, err)
	market := commerce.Market{Locale: "en", Currency: "USD", Country: "US"}
	var skus []commerce.SKU
	for _, p := range box.Server.World.Products() {
		if p.Published && len(skus) < commerce.MaxBatch {
			skus = append(skus, commerce.SKU(p.SKU))
		}
	}
	for name, skus := range map[string][]commerce.SKU{"page": skus[:1], "list": skus} {
		keys := make([]commerce.PriceKey, len(skus))
		for i, sku := range skus {
			keys[i] = commerce.PriceKey{SKU: sku, Quantity: 1}
		}
		ask := func(b *testing.B) {
			for _, sku := range skus {
				c.products.Forget(sku)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				prices, err := c.Prices(b.Context(), market, "retail", keys)
				if err != nil || len(prices) == 0 {
					b.Error(len(prices), err)
				}
			})
			stock, err := c.Availability(b.Context(), market, skus)
			require.NoError(b, err)
			require.Len(b, stock, len(skus))
			wg.Wait()
		}
		b.Run(name, func(b *testing.B) {
			ask(b)
			b.ReportAllocs()
			for b.Loop() {
				ask(b)
			}
		})
	}
}
