//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// app is a shopper at the mobile channel.
type app struct {
	t       *testing.T
	s       *stack.Stack
	headers []string
}

// call fails the test unless the answer is a success.
func (a app) call(method, path string, body any, headers ...string) reply {
	a.t.Helper()
	r := send(a.t, method, a.s.Mobile+path, body, append(append([]string{}, a.headers...), headers...)...)
	require.Less(a.t, r.Status, 300, "%s %s: %s", method, path, r.Raw)
	require.NotContains(a.t, r.Raw, "null", "no nulls on the wire")
	return r
}

func (a app) get(path string, headers ...string) reply {
	a.t.Helper()
	return a.call(http.MethodGet, path, nil, headers...)
}

func TestAShopperBuysInTheApp(t *testing.T) {
	t.Parallel()
	s := start(t)
	t.Run("as guest", func(t *testing.T) { mobilePurchase(t, app{t: t, s: s}, false) })
	t.Run("as customer", func(t *testing.T) { mobilePurchase(t, app{t: t, s: s, headers: bearer(t, s, someCustomer)}, true) })
}

func mobilePurchase(t *testing.T, a app, customer bool) {
	sku := a.browse()
	before := a.stock(sku)
	placed := a.buy(sku)
	number := placed.text("number")
	var token []string
	if customer {
		require.Empty(t, placed.text("orderToken"))
		r := a.get("/v1/orders?first=5")
		require.Equal(t, number, r.text("items", 0, "number"), r.Raw)
		account := a.get("/v1/screens/account")
		require.Equal(t, number, account.text("orders", 0, "number"), account.Raw)
		require.NotEmpty(t, account.text("profile", "lastName"), account.Raw)
		require.NotNil(t, account.at("loyalty", "points"), account.Raw)
		require.Nil(t, account.at("degraded"), account.Raw)
	} else {
		require.NotEmpty(t, placed.text("orderToken"))
		token = []string{"X-Order-Token", placed.text("orderToken")}
	}
	require.Equal(t, before-2, a.stock(sku), "the order took two pieces")
	require.Equal(t, sku, a.get("/v1/orders/"+number, token...).text("lines", 0, "sku"))
	require.Eventually(t, func() bool { return a.get("/v1/orders/"+number, token...).at("pendingSync") != true }, 15*time.Second, 200*time.Millisecond,
		"the ERP takes the order over")
}

// browse walks over the screens to a product that is in stock.
func (a app) browse() string {
	a.t.Helper()
	home := a.get("/v1/screens/home")
	require.Nil(a.t, home.at("degraded"), home.Raw)
	require.NotEmpty(a.t, home.list("featured"), home.Raw)
	id := home.text("categories", 0, "children", 0, "id")
	require.NotEmpty(a.t, id, home.Raw)
	category := a.get("/v1/screens/categories/" + id)
	require.Nil(a.t, category.at("degraded"), category.Raw)
	require.NotEmpty(a.t, category.text("products", "items", 0, "price", "unit", "formatted"), category.Raw)
	search := a.get("/v1/screens/search?q=helmet&inStock=true")
	for i := range search.list("products", "items") {
		sku := search.text("products", "items", i, "sku")
		if a.stock(sku) >= 20 {
			return sku
		}
	}
	require.Fail(a.t, "no helmet in stock", search.Raw)
	return ""
}

func (a app) stock(sku string) int {
	a.t.Helper()
	r := a.get("/v1/screens/products/" + sku)
	require.Nil(a.t, r.at("degraded"), r.Raw)
	n, _ := r.at("availability", "quantity").(float64)
	return int(n)
}

// buy places an order for two pieces, with a coupon, and answers it.
func (a app) buy(sku string) reply {
	a.t.Helper()
	cart := a.call(http.MethodPost, "/v1/carts", map[string]any{})
	path := "/v1/carts/" + cart.text("id")
	require.NotEqual(a.t, "/v1/carts/", path, cart.Raw)
	const tap = "6ba7b810-9dad-11d1-80b4-00c04fd430aa"
	a.call(http.MethodPost, path+"/lines", map[string]any{"sku": sku, "quantity": 1}, "Idempotency-Key", tap)
	cart = a.call(http.MethodPost, path+"/lines", map[string]any{"sku": sku, "quantity": 1}, "Idempotency-Key", tap)
	require.EqualValues(a.t, 1, cart.at("quantity"), "a repeated tap adds nothing: %s", cart.Raw)
	require.Equal(a.t, "true", cart.Header.Get("Idempotent-Replayed"))
	a.call(http.MethodPatch, path+"/lines/"+cart.text("lines", 0, "id"), map[string]any{"quantity": 2})
	other := a.call(http.MethodPost, path+"/lines", map[string]any{"sku": "SO-B909-M", "quantity": 1})
	for i := range other.list("lines") {
		if other.text("lines", i, "sku") != sku {
			a.call(http.MethodDelete, path+"/lines/"+other.text("lines", i, "id"), nil)
		}
	}
	cart = a.call(http.MethodPut, path+"/coupon", map[string]any{"code": "WELCOME10"})
	require.True(a.t, strings.HasPrefix(cart.text("totals", "discount", "amount"), "-"), cart.Raw)
	a.call(http.MethodDelete, path+"/coupon", nil)
	a.call(http.MethodPut, path+"/coupon", map[string]any{"code": "WELCOME10"})
	options := a.call(http.MethodPost, path+"/shipping-options", map[string]any{"address": seattle})
	cart = a.call(http.MethodPut, path+"/shipping", map[string]any{
		"email": "ann@example.test", "shippingAddress": seattle, "methodCode": options.text("options", 0, "code"),
	})
	require.EqualValues(a.t, 2, cart.at("quantity"), cart.Raw)
	screen := a.get("/v1/screens/cart/" + cart.text("id"))
	require.Equal(a.t, cart.at("totals"), screen.at("cart", "totals"))
	order := map[string]any{"paymentMethod": cart.text("payments", 0, "code")}
	missing := send(a.t, http.MethodPost, a.s.Mobile+path+"/order", order, append([]string{"Idempotency-Key", ""}, a.headers...)...)
	require.Equal(a.t, http.StatusBadRequest, missing.Status, "the key is required here: %s", missing.Raw)
	const key = "6ba7b810-9dad-11d1-80b4-00c04fd430ab"
	placed := a.call(http.MethodPost, path+"/order", order, "Idempotency-Key", key)
	require.Equal(a.t, http.StatusCreated, placed.Status)
	require.Equal(a.t, cart.text("totals", "total", "amount"), placed.text("total", "amount"))
	again := a.call(http.MethodPost, path+"/order", order, "Idempotency-Key", key)
	require.Equal(a.t, placed.Raw, again.Raw, "the first answer is given again")
	require.Equal(a.t, "true", again.Header.Get("Idempotent-Replayed"))
	different := send(a.t, http.MethodPost, a.s.Mobile+path+"/order", map[string]any{"paymentMethod": "banktransfer"}, append([]string{"Idempotency-Key", key}, a.headers...)...)
	require.Equal(a.t, http.StatusUnprocessableEntity, different.Status, different.Raw)
	return placed
}

func TestMergingAGuestsCartInTheApp(t *testing.T) {
	t.Parallel()
	s := start(t)
	guest, customer := app{t: t, s: s}, app{t: t, s: s, headers: bearer(t, s, someCustomer)}
	cart := guest.call(http.MethodPost, "/v1/carts", map[string]any{})
	guest.call(http.MethodPost, "/v1/carts/"+cart.text("id")+"/lines", map[string]any{"sku": "HL-U509-R", "quantity": 2})
	refused := send(t, http.MethodPost, s.Mobile+"/v1/carts/"+cart.text("id")+"/merge", map[string]any{})
	require.Equal(t, http.StatusUnauthorized, refused.Status, refused.Raw)
	merged := customer.call(http.MethodPost, "/v1/carts/"+cart.text("id")+"/merge", map[string]any{})
	assert.True(t, strings.HasPrefix(merged.text("id"), "c_"), merged.Raw)
	assert.Equal(t, "HL-U509-R", merged.text("lines", 0, "sku"))
}

// What each system's outage takes from the product screen; product itself is required.
var mobileLosses = map[string][]string{
	"elasticsearch": {},
	"odoo":          {"price", "availability"},
	"openloyalty":   {},
	"magento":       {},
}

func TestEachSystemDownDegradesItsPartsOnly(t *testing.T) {
	t.Parallel()
	for _, system := range []string{"pimcore", "elasticsearch", "odoo", "openloyalty", "magento"} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			customer := bearer(t, s, someCustomer)
			fault(t, s, map[string]any{"system": system, "operation": "*", "errorRate": 1, "status": 503, "mode": "status"})
			r := send(t, http.MethodGet, s.Mobile+"/v1/screens/products/HL-U509-R", nil)
			t.Logf("without %s: %d, Cache-Control %q, ETag %q, degraded %v", system, r.Status, r.Header.Get("Cache-Control"), r.Header.Get("ETag"), r.at("degraded"))
			if system == "pimcore" {
				require.Equal(t, http.StatusServiceUnavailable, r.Status, r.Raw)
				require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"))
				assert.Empty(t, r.Header.Values("ETag"))
			} else {
				require.Equal(t, http.StatusOK, r.Status, r.Raw)
				for _, part := range mobileLosses[system] {
					assert.Nil(t, r.at(part))
					assert.Contains(t, degraded(r), part, r.Raw)
				}
				if len(mobileLosses[system]) == 0 {
					assert.Nil(t, r.at("degraded"), r.Raw)
					assert.NotEmpty(t, r.Header.Get("ETag"), "whole: may be kept and asked for again")
				} else {
					assert.Contains(t, r.Header.Get("Cache-Control"), "no-store")
					assert.Empty(t, r.Header.Values("ETag"), "nobody is told later that a screen with a gap is as it was")
				}
			}
			home := send(t, http.MethodGet, s.Mobile+"/v1/screens/home", nil)
			require.Equal(t, http.StatusOK, home.Status, home.Raw)
			account := send(t, http.MethodGet, s.Mobile+"/v1/screens/account", nil, customer...)
			require.Equal(t, http.StatusOK, account.Status, account.Raw)
			assert.Equal(t, system == "openloyalty", account.at("profile") == nil, account.Raw)
			assert.NotContains(t, home.Raw+account.Raw+r.Raw, "127.0.0.1:9", "no upstream's address reaches a client")
		})
	}
}

// degraded lists the parts of a screen that are not fresh.
func degraded(r reply) []string {
	var parts []string
	for i := range r.list("degraded") {
		parts = append(parts, r.text("degraded", i, "part"))
	}
	return parts
}

func TestBadInputInTheAppCostsNoCall(t *testing.T) {
	t.Parallel()
	s := start(t)
	const cart = "/v1/carts/g_0123456789abcdef0123456789abcdef"
	cases := map[string]struct {
		method, path string
		body         any
		headers      []string
		status       int
		field        string
	}{
		"malformed SKU":            {"GET", "/v1/screens/products/a%20b", nil, nil, 400, "sku"},
		"malformed category":       {"GET", "/v1/screens/categories/a;b", nil, nil, 400, "id"},
		"malformed cart":           {"GET", "/v1/screens/cart/7", nil, nil, 400, "cartId"},
		"a page too large":         {"GET", "/v1/screens/search?q=x&first=101", nil, nil, 400, "first"},
		"unknown sort":             {"GET", "/v1/screens/search?q=x&sort=CHEAP", nil, nil, 400, "sort"},
		"a text too long":          {"GET", "/v1/screens/search?q=" + strings.Repeat("x", 201), nil, nil, 400, "q"},
		"unknown currency":         {"GET", "/v1/screens/home", nil, []string{"X-Currency", "XTS"}, 400, "X-Currency"},
		"bad token":                {"GET", "/v1/screens/home", nil, []string{"Authorization", "Bearer x"}, 401, ""},
		"no token":                 {"GET", "/v1/screens/account", nil, nil, 401, ""},
		"negative quantity":        {"POST", cart + "/lines", map[string]any{"sku": "HL-U509", "quantity": -1}, nil, 400, "quantity"},
		"huge quantity":            {"POST", cart + "/lines", map[string]any{"sku": "HL-U509", "quantity": 1000000}, nil, 400, "quantity"},
		"a quantity no int holds":  {"POST", cart + "/lines", `{"sku":"HL-U509","quantity":99999999999999999999}`, nil, 400, "quantity"},
		"a fraction":               {"POST", cart + "/lines", `{"sku":"HL-U509","quantity":1.5}`, nil, 400, "quantity"},
		"wrong type":               {"POST", cart + "/lines", `{"sku":7,"quantity":1}`, nil, 400, "sku"},
		"unknown field":            {"POST", cart + "/lines", `{"sku":"HL-U509","quantity":1,"gift":true}`, nil, 400, "gift"},
		"missing field":            {"POST", cart + "/lines", `{"quantity":1}`, nil, 400, "sku"},
		"a key twice":              {"POST", cart + "/lines", `{"sku":"HL-U509","sku":"HL-U509-R","quantity":1}`, nil, 400, "sku"},
		"broken JSON":              {"POST", cart + "/lines", `{"sku":`, nil, 400, ""},
		"no country":               {"POST", cart + "/shipping-options", map[string]any{"address": map[string]any{"firstName": "A"}}, nil, 400, "address"},
		"malformed key":            {"POST", "/v1/carts", map[string]any{}, []string{"Idempotency-Key", "a b"}, 400, "Idempotency-Key"},
		"another content type":     {"POST", "/v1/carts", `{}`, []string{"Content-Type", "text/plain"}, 415, ""},
		"a compressed body":        {"POST", "/v1/carts", `{}`, []string{"Content-Encoding", "gzip"}, 415, ""},
		"1 MiB":                    {"POST", "/v1/carts", `{"x":"` + strings.Repeat("a", 1<<20) + `"}`, nil, 413, ""},
		"another case":             {"GET", "/v1/Screens/home", nil, nil, 404, ""},
		"a slash at the end":       {"GET", "/v1/screens/home/", nil, nil, 404, ""},
		"a method that is not":     {"DELETE", "/v1/screens/home", nil, nil, 405, ""},
		"an order with no key":     {"POST", cart + "/order", map[string]any{"paymentMethod": "checkmo"}, []string{"Idempotency-Key", ""}, 400, "Idempotency-Key"},
		"another customer's guess": {"GET", "/v1/screens/cart/c_1", nil, nil, 404, ""},
	}
	forgetCalls(t, s)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := send(t, c.method, s.Mobile+c.path, c.body, c.headers...)
			require.Equal(t, c.status, r.Status, r.Raw)
			require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"), r.Raw)
			assert.Contains(t, r.Raw, c.field)
			assert.Less(t, len(r.Raw), 2000, "what was sent is not sent back")
		})
	}
	assert.Zero(t, total(calls(t, s)), "%v", calls(t, s))
	unknown := send(t, http.MethodGet, s.Mobile+"/v1/screens/products/NO-SUCH-SKU", nil)
	require.Equal(t, http.StatusNotFound, unknown.Status, unknown.Raw)
	require.Equal(t, "application/problem+json", unknown.Header.Get("Content-Type"))
}
