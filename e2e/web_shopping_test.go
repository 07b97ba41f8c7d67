//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// someCustomer is in the sandbox's world, with orders; otherCustomer is another one.
const (
	someCustomer  = "AW00011000"
	otherCustomer = "AW00011001"
)

var seattle = map[string]any{
	"firstName": "Ann", "lastName": "Lee", "street": []string{"1 Main St"}, "city": "Seattle",
	"region": "WA", "postcode": "98101", "country": "US", "phone": "206-555-0100",
}

// webShop is a shopper at the web channel.
type webShop struct {
	t       *testing.T
	s       *stack.Stack
	headers []string
}

// ask fails the test when the answer has errors.
func (w webShop) ask(query string, variables map[string]any) reply {
	w.t.Helper()
	r := graphQL(w.t, w.s, query, variables, w.headers...)
	require.Equal(w.t, 200, r.Status, r.Raw)
	require.Nil(w.t, r.at("errors"), r.Raw)
	return r
}

// change runs a mutation that takes an input and fails the test on user errors.
func (w webShop) change(name, input, fields string, values map[string]any) map[string]any {
	w.t.Helper()
	r := w.ask("mutation M($input: "+input+"!) { out: "+name+"(input: $input) { "+fields+" userErrors { code message field } } }", map[string]any{"input": values})
	require.Empty(w.t, r.list("data", "out", "userErrors"), r.Raw)
	return r.at("data", "out").(map[string]any)
}

const cartFields = "cart { id coupon quantity lines { lineId sku quantity total { amount } } totals { subtotal { amount } discount { amount } shipping { amount } tax { amount } total { amount currency } } payments { code } } "

func TestAShopperBuysOnTheWeb(t *testing.T) {
	t.Parallel()
	s := start(t)
	t.Run("as guest", func(t *testing.T) { webPurchase(t, webShop{t: t, s: s}, "") })
	t.Run("as customer", func(t *testing.T) {
		webPurchase(t, webShop{t: t, s: s, headers: bearer(t, s, someCustomer)}, someCustomer)
	})
}

func webPurchase(t *testing.T, w webShop, customer string) {
	sku := w.browse()
	before := w.stock(sku)
	require.GreaterOrEqual(t, before, 2)
	number, token := w.buy(sku)
	if customer == "" {
		require.NotEmpty(t, token)
	} else {
		require.Empty(t, token)
		r := w.ask(`{ me { orders(first: 5) { nodes { number pendingSync } } } }`, nil)
		require.Equal(t, number, r.text("data", "me", "orders", "nodes", 0, "number"), r.Raw)
	}
	require.Equal(t, before-2, w.stock(sku), "the order took two pieces")
	order := func() reply {
		return w.ask(`query O($n: String!, $t: String) { order(number: $n, orderToken: $t) { number status pendingSync lines { sku quantity } } }`,
			map[string]any{"n": number, "t": orNil(token)})
	}
	first := order()
	require.Equal(t, sku, first.text("data", "order", "lines", 0, "sku"), first.Raw)
	require.Eventually(t, func() bool { return order().at("data", "order", "pendingSync") == false }, 15*time.Second, 200*time.Millisecond,
		"the ERP takes the order over")
	stranger := webShop{t: t, s: w.s, headers: bearer(t, w.s, otherCustomer)}
	for name, shop := range map[string]webShop{"anonymous": {t: t, s: w.s}, "another customer": stranger} {
		r := shop.ask(`query O($n: String!) { order(number: $n) { number } }`, map[string]any{"n": number})
		assert.Nil(t, r.at("data", "order"), name)
	}
}

// browse walks from the categories to a product that is in stock.
func (w webShop) browse() string {
	w.t.Helper()
	r := w.ask(`{ categories { id name children { id name } } }`, nil)
	id := r.text("data", "categories", 0, "children", 0, "id")
	require.NotEmpty(w.t, id, r.Raw)
	r = w.ask(`query C($id: ID!) { category(id: $id) { name breadcrumbs { name } products(first: 5) { totalCount nodes { sku name price { unit { formatted } } } } } }`, map[string]any{"id": id})
	require.Len(w.t, r.list("data", "category", "breadcrumbs"), 2)
	require.NotEmpty(w.t, r.list("data", "category", "products", "nodes"), r.Raw)
	r = w.ask(`{ search(text: "helmet", first: 10, filter: {inStock: true}) { totalCount facets { code values { value count } }
		nodes { sku name price { unit { amount currency formatted } } availability { inStock quantity } } } }`, nil)
	require.NotEmpty(w.t, r.list("data", "search", "facets"))
	for i := range r.list("data", "search", "nodes") {
		require.NotEmpty(w.t, r.text("data", "search", "nodes", i, "price", "unit", "formatted"), r.Raw)
		if n, _ := r.at("data", "search", "nodes", i, "availability", "quantity").(float64); n >= 20 {
			sku := r.text("data", "search", "nodes", i, "sku")
			page := w.ask(`query P($sku: String!) { product(sku: $sku) { name description brand images(width: 200) { url alt } attributes { code value }
				categories { name } variants { sku options { code value } } reviews { count average } related { sku name price { unit { formatted } } } } }`, map[string]any{"sku": sku})
			require.NotEmpty(w.t, page.text("data", "product", "name"))
			return sku
		}
	}
	require.Fail(w.t, "no helmet in stock", r.Raw)
	return ""
}

func (w webShop) stock(sku string) int {
	w.t.Helper()
	r := w.ask(`query S($sku: String!) { product(sku: $sku) { availability { quantity } } }`, map[string]any{"sku": sku})
	n, ok := r.at("data", "product", "availability", "quantity").(float64)
	require.True(w.t, ok, r.Raw)
	return int(n)
}

// buy places an order for two pieces, with a coupon, and answers its number and token.
func (w webShop) buy(sku string) (number, token string) {
	w.t.Helper()
	id := w.ask(`mutation { cartCreate { cart { id } userErrors { code } } }`, nil).text("data", "cartCreate", "cart", "id")
	require.NotEmpty(w.t, id)
	w.change("cartLineAdd", "CartLineAddInput", cartFields, map[string]any{"cartId": id, "sku": sku, "quantity": 1})
	out := w.change("cartLineAdd", "CartLineAddInput", cartFields, map[string]any{"cartId": id, "sku": sku, "quantity": 2})
	line := reply{Body: out}.text("cart", "lines", 0, "lineId")
	w.change("cartLineUpdate", "CartLineUpdateInput", cartFields, map[string]any{"cartId": id, "lineId": line, "quantity": 2})
	out = w.change("cartCouponApply", "CartCouponApplyInput", cartFields, map[string]any{"cartId": id, "code": "WELCOME10"})
	require.True(w.t, strings.HasPrefix(reply{Body: out}.text("cart", "totals", "discount", "amount"), "-"))
	r := w.ask(`query S($id: ID!, $a: AddressInput!) { shippingOptions(cartId: $id, address: $a) { code title price { formatted } } }`, map[string]any{"id": id, "a": seattle})
	method := r.text("data", "shippingOptions", 0, "code")
	require.NotEmpty(w.t, method, r.Raw)
	out = w.change("cartShippingSet", "CartShippingSetInput", cartFields, map[string]any{
		"cartId": id, "email": "ann@example.test", "shippingAddress": seattle, "methodCode": method,
	})
	payment := reply{Body: out}.text("cart", "payments", 0, "code")
	require.NotEmpty(w.t, payment)
	input := map[string]any{"cartId": id, "paymentMethod": payment, "idempotencyKey": "6ba7b810-9dad-11d1-80b4-" + strings.Repeat("0", 6) + id[len(id)-3:]}
	const orderFields = "order { number total { amount } } orderToken "
	placed := reply{Body: w.change("orderPlace", "OrderPlaceInput", orderFields, input)}
	require.NotEmpty(w.t, placed.text("order", "number"))
	require.Equal(w.t, reply{Body: out}.text("cart", "totals", "total", "amount"), placed.text("order", "total", "amount"))
	again := reply{Body: w.change("orderPlace", "OrderPlaceInput", orderFields, input)}
	require.Equal(w.t, placed.Body, again.Body, "the same key gives the same answer")
	r = w.ask(`query C($id: ID!) { cart(id: $id) { id } }`, map[string]any{"id": id})
	require.Nil(w.t, r.at("data", "cart"), "the cart became the order")
	return placed.text("order", "number"), placed.text("orderToken")
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
