package odoo

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// slow answers as the handler does, two seconds later.
type slow struct{ http.Handler }

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(2 * time.Second)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

// The first price of all, with nothing known, is there within a request's five seconds when each call takes two.
func TestTheFirstPriceOfASlowOdooComesInTime(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	f := box.Fixture()
	synctest.Test(t, func(t *testing.T) {
		c, err := newConnector(Config{
			Config: transport.Config{BaseURL: "http://odoo.test/odoo", AllowPrivate: true, AttemptTimeout: 4 * time.Second, NoHedge: true}, APIKey: "sandbox-odoo-key", Database: "sandbox",
		}, transport.Deps{Wire: slow{box.Server.Handler()}})
		require.NoError(t, err)
		begun := time.Now()
		key := commerce.PriceKey{SKU: f.Products[0], Quantity: 1}
		prices, err := c.Prices(t.Context(), commerce.Market{Locale: "en", Currency: "USD", Country: "US"}, "retail", []commerce.PriceKey{key})
		require.NoError(t, err)
		assert.NotNil(t, prices[key])
		assert.Less(t, time.Since(begun), 5*time.Second)
	})
}
