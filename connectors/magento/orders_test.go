package magento_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func (r *rig) buy(t *testing.T, s commerce.Shopper) *commerce.PlacedOrder {
	t.Helper()
	cart := r.shipped(t, s)
	ref, err := r.ports.Checkout.Prepare(t.Context(), s, cart.ID)
	require.NoError(t, err)
	placed, err := r.ports.Checkout.Place(t.Context(), s, ref, r.fixture.Payment)
	require.NoError(t, err)
	return placed
}

// Magento repeats its last page past the end; ours end.
func TestOrderPagesEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 4 {
		r.buy(t, r.customer())
	}
	whole, err := r.ports.PlacedOrders.Orders(t.Context(), r.fixture.Customer, commerce.Cursor{First: 100})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(whole.Orders), 5)
	assert.False(t, whole.HasNext)
	for _, size := range []int{1, 2, 3, len(whole.Orders) - 1, len(whole.Orders)} {
		var walked []*commerce.Order
		for after, more := "", true; more; {
			page, err := r.ports.PlacedOrders.Orders(t.Context(), r.fixture.Customer, commerce.Cursor{First: size, After: after})
			require.NoError(t, err)
			require.NotEmpty(t, page.Orders)
			assert.Equal(t, len(whole.Orders), page.Total)
			walked, after, more = append(walked, page.Orders...), page.EndCursor, page.HasNext
		}
		assert.Equal(t, whole.Orders, walked)
	}
	past, err := r.ports.PlacedOrders.Orders(t.Context(), r.fixture.Customer, commerce.Cursor{First: 5, After: whole.EndCursor})
	require.NoError(t, err)
	assert.Empty(t, past.Orders)
	assert.False(t, past.HasNext)
}

func TestACursorIsCheckedBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, bad := range []string{"x", "1", ".", "1.", ".1", "0.1", "1.0", "1.-1", "1.x", "1 or 1.1", strings.Repeat("9", 30) + ".1"} {
		_, err := r.ports.PlacedOrders.Orders(t.Context(), r.fixture.Customer, commerce.Cursor{First: 5, After: bad})
		assert.Equal(t, "after", inputError(t, err).Field, bad)
	}
	assert.Zero(t, r.count(""))
}

func TestAnOrderIsWhatWasBought(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	start := time.Now().Add(-2 * time.Second)
	placed := r.buy(t, r.guest)
	assert.Equal(t, r.fixture.Email, placed.Email)
	assert.WithinRange(t, placed.PlacedAt, start, time.Now().Add(time.Second))
	assert.Equal(t, time.UTC, placed.PlacedAt.Location())
	order, err := r.ports.PlacedOrders.GuestOrder(t.Context(), placed.Number)
	require.NoError(t, err)
	assert.Equal(t, commerce.OrderPending, order.Status)
	assert.False(t, order.PendingSync, "only who asks the ERP as well can tell")
	assert.Equal(t, r.fixture.Address, *order.Shipping)
	assert.Equal(t, 2, order.Lines[0].Quantity)
}

const orderBody = `{"items":[{"entity_id":9,"increment_id":"000000009","quote_id":4,"customer_id":1,"customer_email":"a@example.test","state":%q,
"created_at":"2025-01-02 03:04:05","order_currency_code":"USD","subtotal":20.4,"discount_amount":-0.4,"shipping_amount":5,"tax_amount":"1.2345","grand_total":26.2345,
"items":[{"sku":"A-1","name":"Shirt","price":10.2,"row_total":20.4,"qty_ordered":2,"qty_shipped":%d},
{"parent_item_id":1,"sku":"A-1","name":"Shirt, red","price":0,"row_total":0,"qty_ordered":2}],"extension_attributes":[]}],"total_count":1}`

func TestOrderStates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, tc := range []struct {
		state   string
		shipped int
		want    commerce.OrderStatus
	}{
		{"new", 0, commerce.OrderPending},
		{"pending_payment", 0, commerce.OrderPending},
		{"processing", 0, commerce.OrderConfirmed},
		{"processing", 1, commerce.OrderShipped},
		{"complete", 2, commerce.OrderDelivered},
		{"closed", 2, commerce.OrderDelivered},
		{"canceled", 0, commerce.OrderCancelled},
		{"holded", 0, commerce.OrderOnHold},
		{"payment_review", 0, commerce.OrderOnHold},
		{"invented", 0, commerce.OrderUnknown},
	} {
		r.on(opSearchOrders, forge(false, 200, "application/json", fmt.Sprintf(orderBody, tc.state, tc.shipped)))
		order, err := r.ports.PlacedOrders.GuestOrder(t.Context(), "000000009")
		require.NoError(t, err)
		assert.Equal(t, tc.want, order.Status, tc.state)
		require.Len(t, order.Lines, 1, "the chosen variant is no line of its own")
		assert.Equal(t, "26.2345", order.Totals.Total.Number())
		assert.Equal(t, "20.40", order.Totals.Subtotal.Number())
		assert.Equal(t, "-0.40", order.Totals.Discount.Number())
		assert.Equal(t, time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), order.PlacedAt)
		assert.Nil(t, order.Shipping)
	}
}

// N17: a filter that Magento ignored gives nobody a neighbour's order.
func TestN17_OrdersOfOthersAreNotTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.on(opSearchOrders, forge(false, 200, "application/json", fmt.Sprintf(orderBody, "new", 0)))
	for name, call := range map[string]func() error{
		"another number": func() error { _, err := r.ports.PlacedOrders.GuestOrder(t.Context(), "000000010"); return err },
		"another customer": func() error {
			_, err := r.ports.PlacedOrders.Order(t.Context(), r.fixture.Neighbor, "000000009")
			return err
		},
		"another cart": func() error {
			_, err := r.ports.Checkout.Reconcile(t.Context(), r.guest, commerce.CheckoutRef{Cart: "g_x", Key: "5"})
			return err
		},
	} {
		require.ErrorIs(t, call(), commerce.ErrNotFound, name)
	}
	_, err := r.ports.PlacedOrders.Orders(t.Context(), r.fixture.Neighbor, commerce.Cursor{First: 5})
	require.ErrorIs(t, err, commerce.ErrUpstream)
}

// Of a cart that became two orders (older releases), it is always the first.
func TestTwoOrdersOfOneCart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one := strings.Replace(fmt.Sprintf(orderBody, "new", 0), `"customer_id":1`, `"customer_id":null`, 1)
	item := one[len(`{"items":[`) : len(one)-len(`],"total_count":1}`)]
	second := strings.Replace(strings.Replace(item, `"entity_id":9`, `"entity_id":10`, 1), "000000009", "000000010", 1)
	r.on(opSearchOrders, forge(false, 200, "application/json", `{"items":[`+item+`,`+second+`],"total_count":2}`))
	found, err := r.ports.Checkout.Reconcile(t.Context(), r.guest, commerce.CheckoutRef{Cart: "g_x", Key: "4"})
	require.NoError(t, err)
	assert.Equal(t, commerce.OrderNumber("000000009"), found.Number)
	assert.Contains(t, r.log.String(), "several orders")
}

// Reads are repeated, writes are not.
func TestN4_ReadsAreRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	failures := 2
	r.on(opSearchOrders, func(w http.ResponseWriter, answer func() *httptest.ResponseRecorder) {
		if failures > 0 {
			failures--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		rec := answer()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(rec.Body.Bytes())
	})
	_, err := r.ports.PlacedOrders.GuestOrder(t.Context(), r.fixture.Order)
	require.NoError(t, err)
	assert.Equal(t, 3, r.count(opSearchOrders))
}
