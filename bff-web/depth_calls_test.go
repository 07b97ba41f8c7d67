package bffweb

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

// wired is the imitated systems without a socket. Every call of theirs takes a step, by a
// clock that nothing else moves.
type wired struct {
	systems http.Handler

	mu    sync.Mutex
	calls map[string]int // by path
}

func (w *wired) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.calls[strings.TrimPrefix(r.URL.Path, "/odoo/json/2/")]++
	w.mu.Unlock()
	select {
	case <-time.After(step):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	rec := httptest.NewRecorder()
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w.systems.ServeHTTP(rec, in)
	res := rec.Result()
	res.Request = r
	return res, nil
}

// made answers the calls since it was asked last.
func (w *wired) made() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	made := maps.Clone(w.calls)
	clear(w.calls)
	return made
}

// unplugged is the channel as it ships, over the real connectors and the imitated systems.
func unplugged(t *testing.T) (*shop, *wired) {
	t.Helper()
	systems, err := sandbox.New(sandbox.Config{})
	require.NoError(t, err)
	t.Cleanup(systems.Close)
	cfg, err := Load(append(sandboxtest.Environ("http://sandbox.test"), "PORTICO_MODE=development", "WEB_OPEN_QUERIES=true"))
	require.NoError(t, err)
	cfg.Telemetry.Out = io.Discard
	w := &wired{systems: systems.Handler(), calls: map[string]int{}}
	cfg.Wire = w
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Backend().Close(t.Context())) })
	return &shop{handler: app.Handler()}, w
}

// A page of whose products nothing is known costs as many round trips of the systems as it
// has rounds of operations, once price lists, currencies, categories and places are known.
func TestW7_APageCostsItsRoundsOfCallsOverTheRealConnectors(t *testing.T) {
	t.Parallel()
	const product = `{product(sku:"%s"){name price{unit{amount}} availability{inStock quantity locations{name}} reviews{count average}}}`
	const page = `{category(id:"%s"){name products(first:24){nodes{name price{unit{amount}} availability{inStock quantity}}}}}`
	cases := map[string]struct {
		queries []string
		steps   int
	}{
		"product": {
			queries: []string{fmt.Sprintf(product, "BK-R50R-48"), fmt.Sprintf(product, "BK-R68R-44"), fmt.Sprintf(product, "LJ-0192-M")},
			steps:   1,
		},
		"category page": {
			queries: []string{fmt.Sprintf(page, "101"), fmt.Sprintf(page, "102"), fmt.Sprintf(page, "131")},
			steps:   2,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, w := unplugged(t)
				s.ok(t, fmt.Sprintf(page, "103"), nil) // what every page needs is known from here on
				s.ok(t, fmt.Sprintf(product, "BK-M82S-38"), nil)
				w.made()
				for i, query := range c.queries {
					began := time.Now()
					a := s.ok(t, query, nil)
					assert.Equal(t, time.Duration(c.steps)*step, time.Since(began), "%d: %s", i, a.Raw)
					made := w.made()
					assert.Equal(t, 1, made["product.product/search_read"], "%v", made)
					assert.Equal(t, 1, made["stock.quant/search_read"], "%v", made)
					time.Sleep(20 * time.Second) // reference data is read anew in between, behind everybody's back
				}
			})
		})
	}
}
