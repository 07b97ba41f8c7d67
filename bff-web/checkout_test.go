package bffweb

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

const cartFields = `cart { id currency quantity coupon
  lines { id sku name quantity unit { amount } total { amount } product { name price { unit { amount } } } }
  totals { subtotal { amount } discount { amount } shipping { amount } tax { amount } total { amount } }
  shipping { code address { city } } payments { code } } userErrors { code message field }`

const addressJSON = `{"firstName":"Ann","lastName":"Lee","street":["1 Main St"],"city":"Seattle","region":"WA","postcode":"98101","country":"US"}`

// change runs a cart mutation and answers its payload.
func (s *shop) change(t *testing.T, mutation string, input map[string]any, headers ...header) map[string]any {
	t.Helper()
	kind := strings.ToUpper(mutation[:1]) + mutation[1:] + "Input"
	a := s.ok(t, `mutation($in: `+kind+`!) { `+mutation+`(input: $in) { `+cartFields+` } }`, map[string]any{"in": input}, headers...)
	assert.Equal(t, "private, no-store", a.Header.Get("Cache-Control"))
	payload, ok := at(t, a.Data, mutation).(map[string]any)
	require.True(t, ok, a.Raw)
	return payload
}

func (s *shop) newCart(t *testing.T, headers ...header) string {
	t.Helper()
	a := s.ok(t, `mutation { cartCreate { `+cartFields+` } }`, nil, headers...)
	id, ok := at(t, a.Data, "cartCreate", "cart", "id").(string)
	require.True(t, ok, a.Raw)
	return id
}

// filled is a cart that can be ordered, and the way to pay.
func (s *shop) filled(t *testing.T, headers ...header) (id, payment string) {
	t.Helper()
	id = s.newCart(t, headers...)
	p := s.change(t, "cartLineAdd", map[string]any{"cartId": id, "sku": "MUG-RED", "quantity": 2}, headers...)
	require.Empty(t, p["userErrors"])
	address := object(t, addressJSON)
	a := s.ok(t, `query($id: ID!, $to: AddressInput!) { shippingOptions(cartId: $id, address: $to) { code carrier title price { amount formatted } } }`,
		map[string]any{"id": id, "to": address}, headers...)
	code := at(t, a.Data, "shippingOptions", 0, "code")
	p = s.change(t, "cartShippingSet", map[string]any{"cartId": id, "email": "ann@example.test", "shippingAddress": address, "methodCode": code}, headers...)
	require.Empty(t, p["userErrors"])
	return id, at(t, p, "cart", "payments", 0, "code").(string)
}

const place = `mutation($in: OrderPlaceInput!) { orderPlace(input: $in) { order { number placedAt email total { amount } } orderToken userErrors { code field } } }`

const orderQuery = `query($n: String!, $t: String) { order(number: $n, orderToken: $t) { number status pendingSync lines { sku quantity product { name } } totals { total { amount } } shipping { city } shipments { status } } }`

func TestGuestBuys(t *testing.T) {
	t.Parallel()
	s := open(t)
	id, payment := s.filled(t)
	assert.True(t, strings.HasPrefix(id, "g_"))
	p := s.change(t, "cartCouponApply", map[string]any{"cartId": id, "code": "WELCOME10"})
	assert.Equal(t, "WELCOME10", at(t, p, "cart", "coupon"))
	assert.Equal(t, "Red mug", at(t, p, "cart", "lines", 0, "product", "name"))
	p = s.change(t, "cartCouponRemove", map[string]any{"cartId": id})
	assert.Empty(t, at(t, p, "cart", "coupon"))
	line := at(t, p, "cart", "lines", 0, "id")
	p = s.change(t, "cartLineUpdate", map[string]any{"cartId": id, "lineId": line, "quantity": 3})
	assert.InDelta(t, 3, at(t, p, "cart", "quantity"), 0)

	in := map[string]any{"cartId": id, "paymentMethod": payment, "idempotencyKey": "key-of-this-order-1"}
	first := s.ok(t, place, map[string]any{"in": in})
	number := at(t, first.Data, "orderPlace", "order", "number")
	token := at(t, first.Data, "orderPlace", "orderToken")
	require.NotEmpty(t, token)
	again := s.ok(t, place, map[string]any{"in": in})
	assert.Equal(t, first.Raw, again.Raw, "the same key gives the same answer")
	assert.Equal(t, 1, s.Calls(commerce.OpPlace))

	a := s.ok(t, orderQuery, map[string]any{"n": number, "t": token})
	assert.Equal(t, "Red mug", at(t, a.Data, "order", "lines", 0, "product", "name"))
	assert.Equal(t, "private, no-store", a.Header.Get("Cache-Control"))
	for _, other := range []any{nil, "guessed"} {
		a = s.ok(t, orderQuery, map[string]any{"n": number, "t": other})
		assert.JSONEq(t, `{"data":{"order":null}}`, a.Raw)
	}
}

func TestOrderPlaceKeyWithAnotherBody(t *testing.T) {
	t.Parallel()
	s := open(t)
	id, payment := s.filled(t)
	in := map[string]any{"cartId": id, "paymentMethod": payment, "idempotencyKey": "key-of-this-order-1"}
	s.ok(t, place, map[string]any{"in": in})
	in["paymentMethod"] = "other"
	a := s.ok(t, place, map[string]any{"in": in})
	assert.Equal(t, "IDEMPOTENCY_KEY_REUSED", at(t, a.Data, "orderPlace", "userErrors", 0, "code"))
	assert.Equal(t, "idempotencyKey", at(t, a.Data, "orderPlace", "userErrors", 0, "field"), "the name it has here")
	assert.Nil(t, at(t, a.Data, "orderPlace", "order"))
}

func TestOrderPlaceRefusedLeavesTheKeyFree(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.newCart(t)
	in := map[string]any{"cartId": id, "paymentMethod": "checkmo", "idempotencyKey": "key-of-this-order-1"}
	a := s.ok(t, place, map[string]any{"in": in})
	assert.Equal(t, "CART_EMPTY", at(t, a.Data, "orderPlace", "userErrors", 0, "code"), a.Raw)
	p := s.change(t, "cartLineAdd", map[string]any{"cartId": id, "sku": "MUG-RED"})
	require.Empty(t, p["userErrors"])
	a = s.ok(t, place, map[string]any{"in": in})
	assert.Equal(t, "SHIPPING_MISSING", at(t, a.Data, "orderPlace", "userErrors", 0, "code"), a.Raw)
}

func TestCustomerBuysAndSeesTheOrder(t *testing.T) {
	t.Parallel()
	s := open(t)
	ann := header{"Authorization", "Bearer C1"}
	guest := s.newCart(t)
	s.change(t, "cartLineAdd", map[string]any{"cartId": guest, "sku": "BOWL-1", "quantity": 1})
	p := s.change(t, "cartMerge", map[string]any{"cartId": guest}, ann)
	assert.Equal(t, "BOWL-1", at(t, p, "cart", "lines", 0, "sku"))
	id, payment := s.filled(t, ann)
	assert.True(t, strings.HasPrefix(id, "c_"))
	assert.Equal(t, at(t, p, "cart", "id"), id)

	a := s.ok(t, place, map[string]any{"in": map[string]any{"cartId": id, "paymentMethod": payment, "idempotencyKey": "key-of-this-order-1"}}, ann)
	number := at(t, a.Data, "orderPlace", "order", "number")
	require.NotNil(t, number, a.Raw)
	assert.Nil(t, at(t, a.Data, "orderPlace", "orderToken"))

	a = s.ok(t, `{me{profile{firstName email segments} addresses{city} loyalty{points level nextLevel pointsToNextLevel rewards{id name cost}}
	  orders(first:5){totalCount pageInfo{hasNextPage} nodes{number status lines{sku product{name}}}}}}`, nil, ann)
	assert.Equal(t, number, at(t, a.Data, "me", "orders", "nodes", 0, "number"))
	assert.Equal(t, "Ann", at(t, a.Data, "me", "profile", "firstName"))
	assert.Equal(t, "Silver", at(t, a.Data, "me", "loyalty", "level"))
	assert.Equal(t, "private, no-store", a.Header.Get("Cache-Control"))
}

func TestOwnership(t *testing.T) {
	t.Parallel()
	s := open(t)
	ann, bob := header{"Authorization", "Bearer C1"}, header{"Authorization", "Bearer C2"}
	cart, _ := s.filled(t, ann)
	nobody := header{"X-Nothing", "1"}
	for name, caller := range map[string]header{"neighbor": bob, "anonymous": nobody} {
		a := s.ok(t, `query($id: ID!) { cart(id: $id) { id } }`, map[string]any{"id": cart}, caller)
		assert.JSONEq(t, `{"data":{"cart":null}}`, a.Raw, name)
		a = s.ok(t, orderQuery, map[string]any{"n": "000000007"}, caller)
		assert.JSONEq(t, `{"data":{"order":null}}`, a.Raw, name)
		p := s.change(t, "cartLineAdd", map[string]any{"cartId": cart, "sku": "MUG-RED"}, caller)
		assert.Equal(t, "UNKNOWN_CART", at(t, p, "userErrors", 0, "code"), name)
		assert.Equal(t, "cartId", at(t, p, "userErrors", 0, "field"), name)
		a = s.ok(t, place, map[string]any{"in": map[string]any{"cartId": cart, "paymentMethod": "checkmo", "idempotencyKey": "key-of-this-order-1"}}, caller)
		assert.Equal(t, "UNKNOWN_CART", at(t, a.Data, "orderPlace", "userErrors", 0, "code"), name)
	}
	a := s.ok(t, `query($id: ID!) { cart(id: $id) { id quantity } }`, map[string]any{"id": cart}, ann)
	assert.Equal(t, cart, at(t, a.Data, "cart", "id"))
	a = s.ok(t, `{me{profile{email}}}`, nil)
	assert.JSONEq(t, `{"data":{"me":null}}`, a.Raw)
	a = s.ok(t, `mutation($in: CartMergeInput!) { cartMerge(input: $in) { userErrors { code } } }`, map[string]any{"in": map[string]any{"cartId": s.newCart(t)}})
	assert.Equal(t, "SIGN_IN_REQUIRED", at(t, a.Data, "cartMerge", "userErrors", 0, "code"))
}

func TestShoppersMistakesAreUserErrors(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.newCart(t)
	for _, c := range []struct {
		mutation string
		input    map[string]any
		code     string
		field    string
	}{
		{"cartLineAdd", map[string]any{"sku": "NO-SUCH-SKU"}, "UNKNOWN_PRODUCT", "sku"},
		{"cartLineAdd", map[string]any{"sku": "RUG-1"}, "OUT_OF_STOCK", "quantity"},
		{"cartLineUpdate", map[string]any{"lineId": "99", "quantity": 1}, "UNKNOWN_LINE", "lineId"},
		{"cartLineRemove", map[string]any{"lineId": "99"}, "UNKNOWN_LINE", "lineId"},
		{"cartCouponApply", map[string]any{"code": "NOPE"}, "COUPON_INVALID", "code"},
	} {
		c.input["cartId"] = id
		p := s.change(t, c.mutation, c.input)
		assert.Nil(t, p["cart"], c.mutation)
		assert.Equal(t, c.code, at(t, p, "userErrors", 0, "code"), c.mutation)
		assert.Equal(t, c.field, at(t, p, "userErrors", 0, "field"), c.mutation)
	}
}

func TestCheckoutDownIsAnErrorOfTheField(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Fail(commerce.OpCartCreate, commerce.ErrUnavailable)
	a := s.query(t, `mutation { cartCreate { cart { id } } }`, nil)
	assert.Equal(t, http.StatusOK, a.Status)
	assert.Equal(t, []string{"UNAVAILABLE"}, a.codes())
	assert.Equal(t, []any{"cartCreate"}, a.Errors[0].Path)
}

// TestAChangeThatMayHaveHappenedIsAnError holds that a cart's change whose answer
// was lost is the shop's fault, not the shopper's, and says to look before repeating.
func TestAChangeThatMayHaveHappenedIsAnError(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Fail(commerce.OpCartCreate, fmt.Errorf("%w: %w", commerce.ErrUnavailable, commerce.ErrOutcomeUnknown))
	a := s.query(t, `mutation { cartCreate { cart { id } userErrors { code message } } }`, nil)
	assert.Nil(t, at(t, a.Data, "cartCreate"), a.Raw)
	require.Equal(t, []string{"UNAVAILABLE"}, a.codes(), a.Raw)
	assert.Equal(t, []any{"cartCreate"}, a.Errors[0].Path)
	assert.Equal(t, "OUTCOME_UNKNOWN", a.Errors[0].Extensions["reason"])
	assert.NotContains(t, a.Raw, "order", "nobody asked for one")
}
