package bffweb

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// unasked are operations that the channel has no field for.
var unasked = []commerce.Operation{commerce.OpNotify, commerce.OpSKUs, commerce.OpPageIDs}

// inCheckout panic while an order is placed or read by its token, which needs a history:
// TestW9_CheckoutMayPanic has them.
var inCheckout = []commerce.Operation{commerce.OpPlace, commerce.OpReconcile, commerce.OpGuestOrder}

// TestW9_CheckoutMayPanic has the operations panic that only a placed order leads to.
func TestW9_CheckoutMayPanic(t *testing.T) {
	t.Parallel()
	for _, op := range inCheckout {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			s := open(t)
			id, payment := s.filled(t)
			query, variables := place, map[string]any{"in": map[string]any{"cartId": id, "paymentMethod": payment, "idempotencyKey": "key-of-this-order-1"}}
			switch op {
			case commerce.OpGuestOrder:
				a := s.ok(t, query, variables)
				query, variables = orderQuery, map[string]any{"n": at(t, a.Data, "orderPlace", "order", "number"), "t": at(t, a.Data, "orderPlace", "orderToken")}
			case commerce.OpReconcile:
				s.Fail(commerce.OpPlace, commerce.ErrOutcomeUnknown)
			}
			s.Hold(op, func(context.Context) { panic("c4n4ry") })
			a := s.query(t, query, variables)
			require.Positive(t, s.Calls(op))
			require.Equal(t, http.StatusOK, a.Status, a.Raw)
			require.NotEmpty(t, a.Errors, a.Raw)
			assert.Equal(t, []string{"INTERNAL"}, a.codes(), a.Raw)
			assert.NotContains(t, a.Raw, "c4n4ry")
			assert.Contains(t, s.log.String(), "c4n4ry")
			s.ok(t, `{product(sku:"BOWL-1"){sku}}`, nil)
		})
	}
}

// panicking is an operation of a port, with a request in which it is asked for.
type panicking struct {
	op       commerce.Operation
	mutation string // empty: the query for everything
	input    map[string]any
}

// TestW9_EveryPortMayPanic has each operation of each port panic in turn, behind the
// cache: its parts are errors, the rest stands, and nothing of it is left behind.
func TestW9_EveryPortMayPanic(t *testing.T) {
	t.Parallel()
	s, cart := loaded(t)
	address := object(t, addressJSON)
	rows := []panicking{
		{op: commerce.OpProducts},
		{op: commerce.OpRelated},
		{op: commerce.OpCategoryTree},
		{op: commerce.OpReviews},
		{op: commerce.OpPages},
		{op: commerce.OpRecommend},
		{op: commerce.OpSearch},
		{op: commerce.OpPrices},
		{op: commerce.OpAvailability},
		{op: commerce.OpCustomer},
		{op: commerce.OpLoyalty},
		{op: commerce.OpOrders},
		{op: commerce.OpOrder},
		{op: commerce.OpInvoices},
		{op: commerce.OpCartRead},
		{op: commerce.OpShippingOptions},
		{commerce.OpCartCreate, "cartCreate", nil},
		{commerce.OpCartMerge, "cartMerge", map[string]any{"cartId": "g_00000000000000000000000000001001"}},
		{commerce.OpLineAdd, "cartLineAdd", map[string]any{"cartId": cart, "sku": "MUG-RED", "quantity": 1}},
		{commerce.OpLineSet, "cartLineUpdate", map[string]any{"cartId": cart, "lineId": "1", "quantity": 1}},
		{commerce.OpLineRemove, "cartLineRemove", map[string]any{"cartId": cart, "lineId": "1"}},
		{commerce.OpCouponApply, "cartCouponApply", map[string]any{"cartId": cart, "code": "WELCOME10"}},
		{commerce.OpCouponRemove, "cartCouponRemove", map[string]any{"cartId": cart}},
		{commerce.OpShippingSet, "cartShippingSet", map[string]any{"cartId": cart, "email": "a@b.test", "shippingAddress": address, "methodCode": "x"}},
		{commerce.OpPrepare, "orderPlace", map[string]any{"cartId": cart, "paymentMethod": "checkmo", "idempotencyKey": "one"}},
	}
	for op := range s.Ports().Traits {
		has := slices.ContainsFunc(rows, func(c panicking) bool { return c.op == op }) || slices.Contains(inCheckout, op) || slices.Contains(unasked, op)
		assert.True(t, has, "%s needs its row", op)
	}
	for _, c := range rows {
		t.Run(string(c.op), func(t *testing.T) {
			fresh, cart := loaded(t) // whose cache holds nothing
			if c.input["cartId"] != nil && c.op != commerce.OpCartMerge {
				c.input["cartId"] = cart
			}
			fresh.Hold(c.op, func(context.Context) { panic("c4n4ry") })
			a := fresh.panicked(t, c, cart)
			require.Equal(t, http.StatusOK, a.Status, a.Raw)
			require.NotEmpty(t, a.Errors, a.Raw)
			for _, e := range a.Errors {
				assert.Equal(t, "INTERNAL", e.Extensions["code"], a.Raw)
				assert.NotEmpty(t, e.Path)
			}
			assert.NotContains(t, a.Raw, "c4n4ry")
			assert.NotNil(t, a.Data)
			if c.mutation == "" {
				assert.NotEmpty(t, a.standing(), a.Raw)
				assert.Len(t, a.Extensions.Freshness, len(a.Errors), "what is missing is listed: %s", a.Raw)
			}
			fresh.Hold(c.op, nil)
			for range 50 {
				fresh.ok(t, wholeShop, everythingOf(t, cart), header{"Authorization", "Bearer C1"})
			}
		})
		s.Hold(c.op, func(context.Context) { panic("c4n4ry") })
		s.panicked(t, c, cart)
		s.Hold(c.op, nil)
	}
	for range 1000 { // of the shop in which everything has panicked
		s.ok(t, `{product(sku:"BOWL-1"){sku price{unit{amount}}} me{loyalty{points}}}`, nil, header{"Authorization", "Bearer C1"})
	}
}

func everythingOf(t *testing.T, cart string) map[string]any {
	t.Helper()
	return map[string]any{"cart": cart, "to": object(t, addressJSON), "own": true}
}

func (s *shop) panicked(t *testing.T, c panicking, cart string) answer {
	t.Helper()
	signed := header{"Authorization", "Bearer C1"}
	switch c.mutation {
	case "":
		return s.query(t, wholeShop, everythingOf(t, cart), signed)
	case "cartCreate":
		return s.query(t, `mutation { cartCreate { cart { id } } }`, nil, signed)
	default:
		kind := string(c.mutation[0]-'a'+'A') + c.mutation[1:] + "Input"
		return s.query(t, `mutation($in: `+kind+`!) { `+c.mutation+`(input: $in) { userErrors { code } } }`, map[string]any{"in": c.input}, signed)
	}
}

// standing are the root fields that have a value.
func (a answer) standing() []string {
	var names []string
	for name, value := range a.Data {
		if value != nil {
			names = append(names, name)
		}
	}
	return names
}
