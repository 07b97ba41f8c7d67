//go:build e2e

package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// belongings are one customer's cart and order, and a guest's cart and order.
type belongings struct {
	customerCart, customerOrder       string
	guestCart, guestOrder, guestToken string
}

// caller is who asks, and what they may see.
type caller struct {
	headers                                          []string
	customerCart, customerOrder, guestOrder, account bool
}

// Who may see what, by either channel. A guest's cart is for whoever holds its id.
func TestOwnershipTable(t *testing.T) {
	t.Parallel()
	s := start(t)
	owner := bearer(t, s, someCustomer)
	own := belong(t, s, owner)
	callers := map[string]caller{
		"owner":                 {headers: owner, customerCart: true, customerOrder: true, account: true},
		"another customer":      {headers: bearer(t, s, otherCustomer), account: true},
		"anonymous":             {},
		"anonymous, with token": {headers: []string{"X-Order-Token", own.guestToken}, guestOrder: true},
		"another, with token":   {headers: append(bearer(t, s, otherCustomer), "X-Order-Token", own.guestToken), guestOrder: true, account: true},
		"with a made-up token":  {headers: []string{"X-Order-Token", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}},
	}
	for name, c := range callers {
		t.Run(name, func(t *testing.T) {
			t.Run("mobile", func(t *testing.T) { mobileOwnership(t, s, own, c) })
			t.Run("web", func(t *testing.T) { webOwnership(t, s, own, c) })
		})
	}
	// Nothing was changed by all the trying.
	r := send(t, http.MethodGet, s.Mobile+"/v1/screens/cart/"+own.customerCart, nil, owner...)
	require.EqualValues(t, 1, r.at("cart", "quantity"), r.Raw)
}

func belong(t *testing.T, s *stack.Stack, owner []string) belongings {
	t.Helper()
	customer, guest := webShop{t: t, s: s, headers: owner}, webShop{t: t, s: s}
	var own belongings
	own.customerOrder, _ = customer.buy("HL-U509-R")
	own.guestOrder, own.guestToken = guest.buy("HL-U509-R")
	const create = `mutation { cartCreate { cart { id } userErrors { code } } }`
	own.customerCart = customer.ask(create, nil).text("data", "cartCreate", "cart", "id")
	customer.change("cartLineAdd", "CartLineAddInput", cartFields, map[string]any{"cartId": own.customerCart, "sku": "HL-U509", "quantity": 1})
	own.guestCart = guest.ask(create, nil).text("data", "cartCreate", "cart", "id")
	return own
}

func mobileOwnership(t *testing.T, s *stack.Stack, own belongings, c caller) {
	see := func(may bool, method, path string, body any) {
		t.Helper()
		r := send(t, method, s.Mobile+path, body, c.headers...)
		if may {
			assert.Less(t, r.Status, 300, "%s %s: %s", method, path, r.Raw)
		} else {
			assert.Equal(t, http.StatusNotFound, r.Status, "%s %s: %s", method, path, r.Raw)
		}
	}
	see(c.customerCart, "GET", "/v1/screens/cart/"+own.customerCart, nil)
	see(true, "GET", "/v1/screens/cart/"+own.guestCart, nil)
	see(c.customerCart, "GET", "/v1/screens/checkout/"+own.customerCart, nil)
	see(true, "GET", "/v1/screens/checkout/"+own.guestCart, nil)
	see(c.customerOrder, "GET", "/v1/orders/"+own.customerOrder, nil)
	see(c.guestOrder, "GET", "/v1/orders/"+own.guestOrder, nil)
	if !c.customerCart {
		see(false, "POST", "/v1/carts/"+own.customerCart+"/lines", map[string]any{"sku": "HL-U509", "quantity": 1})
		see(false, "PUT", "/v1/carts/"+own.customerCart+"/coupon", map[string]any{"code": "WELCOME10"})
		see(false, "DELETE", "/v1/carts/"+own.customerCart+"/coupon", nil)
		see(false, "DELETE", "/v1/carts/"+own.customerCart+"/lines/1", nil)
	}
	account := send(t, http.MethodGet, s.Mobile+"/v1/screens/account", nil, c.headers...)
	if c.account {
		assert.Equal(t, http.StatusOK, account.Status, account.Raw)
		assert.Equal(t, c.customerOrder, containsOrder(account.list("orders"), own.customerOrder), account.Raw)
	} else {
		assert.Equal(t, http.StatusUnauthorized, account.Status, account.Raw)
	}
}

func webOwnership(t *testing.T, s *stack.Stack, own belongings, c caller) {
	var token any
	for i := 0; i+1 < len(c.headers); i += 2 {
		if c.headers[i] == "X-Order-Token" {
			token = c.headers[i+1]
		}
	}
	r := graphQL(t, s, `query O($cart: ID!, $guestCart: ID!, $order: String!, $guestOrder: String!, $token: String) {
		cart(id: $cart) { id } guestCart: cart(id: $guestCart) { id }
		order(number: $order, orderToken: $token) { number } guestOrder: order(number: $guestOrder, orderToken: $token) { number }
		me { orders(first: 20) { nodes { number } } } }`,
		map[string]any{"cart": own.customerCart, "guestCart": own.guestCart, "order": own.customerOrder, "guestOrder": own.guestOrder, "token": token}, c.headers...)
	require.Equal(t, http.StatusOK, r.Status, r.Raw)
	assert.Equal(t, c.customerCart, r.at("data", "cart") != nil, r.Raw)
	assert.NotNil(t, r.at("data", "guestCart"), r.Raw)
	assert.Equal(t, c.customerOrder, r.at("data", "order") != nil, r.Raw)
	assert.Equal(t, c.guestOrder, r.at("data", "guestOrder") != nil, r.Raw)
	assert.Equal(t, c.account, r.at("data", "me") != nil, r.Raw)
	assert.Equal(t, c.customerOrder, containsOrder(r.list("data", "me", "orders", "nodes"), own.customerOrder), r.Raw)
	if !c.customerCart {
		change := graphQL(t, s, `mutation M($c: ID!) { cartLineAdd(input: {cartId: $c, sku: "HL-U509", quantity: 1}) { cart { id } userErrors { code } } }`, map[string]any{"c": own.customerCart}, c.headers...)
		assert.Nil(t, change.at("data", "cartLineAdd", "cart"), change.Raw)
	}
}

func containsOrder(orders []any, number string) bool {
	for i := range orders {
		if (reply{Body: map[string]any{"o": orders}}).text("o", i, "number") == number {
			return true
		}
	}
	return false
}

// The ERP knows an order a few seconds later; a customer never sees it vanish in between.
func TestAnOrderIsNeverMissingFromHistory(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := webShop{t: t, s: s, headers: bearer(t, s, someCustomer)}
	number, _ := w.buy("HL-U509-R")
	pending, synced := false, false
	for deadline := time.Now().Add(15 * time.Second); !synced && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		r := w.ask(`{ me { orders(first: 5) { nodes { number pendingSync } } } }`, nil)
		require.True(t, containsOrder(r.list("data", "me", "orders", "nodes"), number), r.Raw)
		if r.at("data", "me", "orders", "nodes", 0, "pendingSync") == true {
			pending = true
		} else {
			synced = true
		}
	}
	assert.True(t, pending, "at first only the checkout knows it")
	assert.True(t, synced, "then the ERP does")
}
