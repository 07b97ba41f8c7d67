package edge

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// open makes a backend from an environment; its log goes to logged.
func open(t *testing.T, environ ...string) (*Backend, *commercetest.Log) {
	t.Helper()
	cfg, err := Load(environ)
	require.NoError(t, err)
	log := &commercetest.Log{}
	cfg.Telemetry.Out = log
	b, err := New(t.Context(), cfg, "web")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.Close(context.WithoutCancel(t.Context()))) })
	return b, log
}

func TestPortsThatNobodyOffersAreUnavailable(t *testing.T) {
	t.Parallel()
	b, log := open(t, "PORTICO_MODE=development")
	ports := reflect.ValueOf(b.Ports)
	for i := range ports.NumField() {
		assert.False(t, ports.Field(i).IsZero(), ports.Type().Field(i).Name)
	}
	ctx, s, id := t.Context(), commerce.Shopper{}, commerce.CartID("g_1")
	p, m := commerce.Principal{Tenant: "default", Subject: "C1"}, commerce.Market{Channel: "us"}
	calls := map[string]func() error{
		"products":  func() error { _, err := b.Ports.Catalog.Products(ctx, m, []commerce.SKU{"A"}); return err },
		"tree":      func() error { _, err := b.Ports.Categories.Tree(ctx, m); return err },
		"search":    func() error { _, err := b.Ports.Search.Search(ctx, m, commerce.SearchQuery{First: 1}); return err },
		"orders":    func() error { _, err := b.Orders.Orders(ctx, p, commerce.Cursor{First: 1}); return err },
		"customer":  func() error { _, err := b.Ports.Customers.Customer(ctx, p); return err },
		"recommend": func() error { _, err := b.Ports.Recommendations.Recommend(ctx, s, nil, 1); return err },
		"notify":    func() error { return b.Ports.Notifications.Notify(ctx, p, "t", nil) },
		"cart":      func() error { _, err := b.Ports.Carts.Create(ctx, s); return err },
		"line":      func() error { _, err := b.Ports.CartLines.AddLine(ctx, s, id, "A", 1); return err },
		"coupon":    func() error { _, err := b.Ports.CartCoupons.ApplyCoupon(ctx, s, id, "X"); return err },
		"shipping": func() error {
			_, err := b.Ports.CheckoutOptions.ShippingOptions(ctx, s, id, commerce.Address{})
			return err
		},
		"prepare": func() error { _, err := b.Ports.Checkout.Prepare(ctx, s, id); return err },
	}
	for name, call := range calls {
		require.ErrorIs(t, call(), commerce.ErrUnavailable, name)
	}
	assert.Contains(t, log.String(), "PIM,SEARCH,ERP,CRM,CHECKOUT")
	assert.Contains(t, log.String(), "every bearer token is refused")
	assert.Contains(t, log.String(), "no Redis is configured")
	assert.Contains(t, log.String(), "order token key made up")
}

func TestAnUnofferedPortPassesCancellationOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := absent{}.Products(ctx, commerce.Market{}, nil)
	require.ErrorIs(t, err, context.Canceled)
}

func TestNewRefusesWhatLoadWouldHaveRefused(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"PORTICO_MODE=development"})
	require.NoError(t, err)
	cfg.Telemetry.Out = &bytes.Buffer{}
	cfg.Cache.RedisURL, cfg.Markets.Channels = "http://canary", nil
	_, err = New(t.Context(), cfg, "web")
	require.ErrorContains(t, err, "REDIS_URL")
	require.ErrorContains(t, err, "CHANNELS")
	assert.NotContains(t, err.Error(), "canary")
}

func probe(t *testing.T, b *Backend, method, path string) (int, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	b.Admin().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return rec.Code, rec.Body.String()
}

func TestAdminSpeaksOfHealthReadinessAndMetrics(t *testing.T) {
	t.Parallel()
	// Redis is not there: that is no reason to be unready.
	b, _ := open(t, "PORTICO_MODE=development", "REDIS_URL=redis://127.0.0.1:1")
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		status, _ := probe(t, b, http.MethodGet, path)
		assert.Equal(t, http.StatusOK, status, path)
	}
	status, _ := probe(t, b, http.MethodPost, "/healthz")
	assert.Equal(t, http.StatusMethodNotAllowed, status)
	status, _ = probe(t, b, http.MethodGet, "/")
	assert.Equal(t, http.StatusNotFound, status)

	b.Drain()
	status, text := probe(t, b, http.MethodGet, "/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "draining\n", text)
	status, _ = probe(t, b, http.MethodGet, "/healthz")
	assert.Equal(t, http.StatusOK, status, "it still lives")
}

func TestARedisThatIsDownRefusesKeyedWritesOnly(t *testing.T) {
	t.Parallel()
	b, _ := open(t, "PORTICO_MODE=development", "REDIS_URL=redis://127.0.0.1:1")
	ran := false
	request := idempotency.Request{Principal: commerce.Principal{Tenant: "default", Subject: "C1"}, Operation: "lineAdd", Key: "k"}
	_, _, err := b.Idempotency.Do(t.Context(), request, func(context.Context) (idempotency.Answer, error) {
		ran = true
		return idempotency.Answer{}, nil
	})
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	assert.False(t, ran)
}
