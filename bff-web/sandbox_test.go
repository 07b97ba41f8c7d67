package bffweb

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

// sandboxed is the channel as it ships, over the five imitated systems.
func sandboxed(t *testing.T, environ ...string) (*shop, *sandboxtest.Sandbox) {
	t.Helper()
	systems := sandboxtest.Start(t)
	cfg, err := Load(append(append([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true"}, sandboxtest.Environ(systems.URL)...), environ...))
	require.NoError(t, err)
	cfg.Telemetry.Out = io.Discard
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Close(t.Context())) })
	return &shop{handler: app.Handler(), admin: app.adminRoutes()}, systems
}

// TestSandboxShopping walks from a search to an order through every real connector.
func TestSandboxShopping(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t)
	customer := header{"Authorization", "Bearer " + systems.Token(t, "AW00011000")}
	a := s.ok(t, `{search(text:"helmet",first:5,filter:{inStock:true}){totalCount facets{code values{value count}} nodes{
	  sku name images(width:200){url} price{unit{amount formatted}} availability{quantity inStock} reviews{count} related{sku name} variants{sku product{name}}}}}`, nil)
	sku := at(t, a.Data, "search", "nodes", 0, "sku")
	require.NotEmpty(t, at(t, a.Data, "search", "nodes", 0, "price", "unit", "formatted"), a.Raw)

	id := s.newCart(t, customer)
	p := s.change(t, "cartLineAdd", map[string]any{"cartId": id, "sku": sku, "quantity": 2}, customer)
	require.Empty(t, p["userErrors"])
	a = s.ok(t, `query($id: ID!, $to: AddressInput!) { shippingOptions(cartId: $id, address: $to) { code title price { formatted } } }`,
		map[string]any{"id": id, "to": object(t, addressJSON)}, customer)
	p = s.change(t, "cartShippingSet", map[string]any{
		"cartId": id, "email": "ann@example.test", "shippingAddress": object(t, addressJSON), "methodCode": at(t, a.Data, "shippingOptions", 0, "code"),
	}, customer)
	require.Empty(t, p["userErrors"])
	payment := at(t, p, "cart", "payments", 0, "code")
	a = s.ok(t, place, map[string]any{"in": map[string]any{"cartId": id, "paymentMethod": payment, "idempotencyKey": "key-of-this-order-1"}}, customer)
	number := at(t, a.Data, "orderPlace", "order", "number")
	require.NotEmpty(t, number, a.Raw)

	a = s.ok(t, `{me{profile{firstName email} addresses{city} loyalty{points level} orders(first:3){nodes{number pendingSync lines{sku}}}}}`, nil, customer)
	assert.Equal(t, number, at(t, a.Data, "me", "orders", "nodes", 0, "number"), a.Raw)
	assert.NotEmpty(t, at(t, a.Data, "me", "profile", "firstName"))
}

// TestSandboxOdooDown holds that the rest of a page stands, and says what is missing.
func TestSandboxOdooDown(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t)
	systems.Faults(t, sandbox.Fault{System: "odoo", Operation: "*", ErrorRate: 1, Status: http.StatusServiceUnavailable, Mode: "status"})
	a := s.query(t, `{product(sku:"HL-U509-R"){name price{unit{amount}} availability{quantity} reviews{count}}}`, nil)
	require.Equal(t, http.StatusOK, a.Status)
	assert.NotEmpty(t, at(t, a.Data, "product", "name"), a.Raw)
	assert.Equal(t, []string{"UNAVAILABLE", "UNAVAILABLE"}, a.codes(), a.Raw)
	require.Len(t, a.Extensions.Freshness, 2, a.Raw)
	for _, f := range a.Extensions.Freshness {
		assert.Equal(t, "missing", f.State)
		assert.True(t, strings.HasPrefix(f.Source, "odoo"), a.Raw)
		assert.True(t, slices.Contains([]any{"price", "availability"}, f.Path[1]))
	}
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
}
