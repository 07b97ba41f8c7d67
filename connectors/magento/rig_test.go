package magento_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/magento"
	dialect "github.com/portico-bff/portico/connectors/sandbox/magento"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// rig is the connector in front of the sandbox's shop, with a place in between to
// count calls and to lose, garble or forge answers.
type rig struct {
	ports   commerce.Ports
	fixture commercetest.Fixture
	guest   commerce.Shopper
	log     *commercetest.Log
	cfg     magento.Config

	mu       sync.Mutex
	calls    []string
	headers  []http.Header
	disturbs map[string]disturb
}

// disturb answers a call in the shop's stead. answer asks the shop, once.
type disturb func(w http.ResponseWriter, answer func() *httptest.ResponseRecorder)

func newRig(t *testing.T, change ...func(*magento.Config)) *rig {
	t.Helper()
	box := sandboxtest.Start(t)
	r := &rig{fixture: box.Fixture(), log: &commercetest.Log{}, disturbs: map[string]disturb{}}
	r.guest = commerce.Shopper{Market: r.fixture.Market}
	shop := box.Server.Handler()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.serve(shop, w, req)
	}))
	front.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(front.Close)
	r.cfg = config(front.URL + "/magento")
	for _, fn := range change {
		fn(&r.cfg)
	}
	r.reconnect(t)
	return r
}

// reconnect begins anew with a connector that has seen no failure yet. Cases of one
// rig that fail each need their own: once failures go on for a second, a connector's
// circuit breaker opens, and whether they do depends on how busy the machine is.
func (r *rig) reconnect(t *testing.T) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ports, err := magento.New(r.cfg, transport.Deps{Log: log})
	require.NoError(t, err)
	r.ports = ports
}

func (r *rig) serve(shop http.Handler, w http.ResponseWriter, req *http.Request) {
	op := operation(req)
	r.mu.Lock()
	r.calls = append(r.calls, op)
	r.headers = append(r.headers, req.Header.Clone())
	act := r.disturbs[op]
	r.mu.Unlock()
	if act == nil {
		shop.ServeHTTP(w, req)
		return
	}
	act(w, func() *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		shop.ServeHTTP(rec, req)
		return rec
	})
}

func operation(req *http.Request) string {
	inner := req.Clone(req.Context())
	inner.URL.Path = strings.TrimPrefix(req.URL.Path, "/magento")
	inner.URL.RawPath = strings.TrimPrefix(req.URL.RawPath, "/magento")
	return dialect.Operation(inner, nil)
}

// on makes every call of op go through act; nil puts it back.
func (r *rig) on(op string, act disturb) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.disturbs[op] = act
}

// count answers how many calls of op there were since reset, or of all when op is empty.
func (r *rig) count(op string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, c := range r.calls {
		if op == "" || c == op {
			n++
		}
	}
	return n
}

// writes are the calls since reset that could have changed something.
func (r *rig) writes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, c := range r.calls {
		if !strings.HasPrefix(c, "GET ") && !strings.HasSuffix(c, "/estimate-shipping-methods") {
			list = append(list, c)
		}
	}
	return list
}

func (r *rig) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls, r.headers = nil, nil
}

func (r *rig) customer() commerce.Shopper {
	return commerce.Shopper{Market: r.fixture.Market, Principal: r.fixture.Customer}
}

// filled is a cart with two pieces of the first product.
func (r *rig) filled(t *testing.T, s commerce.Shopper) *commerce.Cart {
	t.Helper()
	cart, err := r.ports.Carts.Create(t.Context(), s)
	require.NoError(t, err)
	cart, err = r.ports.CartLines.AddLine(t.Context(), s, cart.ID, r.fixture.Products[0], 2)
	require.NoError(t, err)
	return cart
}

// shipped is a filled cart with shipping, ready to be placed.
func (r *rig) shipped(t *testing.T, s commerce.Shopper) *commerce.Cart {
	t.Helper()
	cart := r.filled(t, s)
	options, err := r.ports.CheckoutOptions.ShippingOptions(t.Context(), s, cart.ID, r.fixture.Address)
	require.NoError(t, err)
	choice := commerce.ShippingChoice{Email: r.fixture.Email, Shipping: r.fixture.Address, Code: options[0].Code}
	cart, err = r.ports.CheckoutOptions.SetShipping(t.Context(), s, cart.ID, choice)
	require.NoError(t, err)
	return cart
}

// cut drops the connection before the shop has seen anything.
func cut(http.ResponseWriter, func() *httptest.ResponseRecorder) { panic(http.ErrAbortHandler) }

// cutAfter lets the shop act and drops the connection then.
func cutAfter(_ http.ResponseWriter, answer func() *httptest.ResponseRecorder) {
	answer()
	panic(http.ErrAbortHandler)
}

// forge answers this; the shop acts first when acts is set.
func forge(acts bool, status int, contentType, body string) disturb {
	return func(w http.ResponseWriter, answer func() *httptest.ResponseRecorder) {
		if acts {
			answer()
		}
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// truncated breaks the shop's answer off in the middle.
func truncated(w http.ResponseWriter, answer func() *httptest.ResponseRecorder) {
	rec := answer()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "100000")
	_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
