package ordering_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
)

// history is an order history that holds what it is given.
type history struct {
	orders  []*commerce.Order
	hasNext bool
	err     error
}

func (h history) Orders(context.Context, commerce.Principal, commerce.Cursor) (*commerce.OrderPage, error) {
	if h.err != nil {
		return nil, h.err
	}
	page := &commerce.OrderPage{Orders: h.orders, Total: len(h.orders), HasNext: h.hasNext}
	for _, o := range h.orders {
		page.EndCursor = "behind " + string(o.Number)
		page.Cursors = append(page.Cursors, page.EndCursor)
	}
	return page, nil
}

func (h history) Order(_ context.Context, _ commerce.Principal, number commerce.OrderNumber) (*commerce.Order, error) {
	return h.GuestOrder(context.Background(), number)
}

func (h history) GuestOrder(_ context.Context, number commerce.OrderNumber) (*commerce.Order, error) {
	for _, o := range h.orders {
		if o.Number == number {
			return o, nil
		}
	}
	if h.err != nil {
		return nil, h.err
	}
	return nil, commerce.ErrNotFound
}

func at(number commerce.OrderNumber, day int) *commerce.Order {
	return &commerce.Order{Number: number, PlacedAt: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)}
}

func service(erp, checkout history) *ordering.Service { return serviceOf(erp, checkout) }

func serviceOf(erp, checkout commerce.OrderHistory) *ordering.Service {
	return ordering.New(ordering.Config{TokenKey: tokenKey}, ordering.Deps{Ports: commerce.Ports{
		OrderHistory: erp, PlacedOrders: checkout,
		Traits: map[commerce.Operation]commerce.Traits{commerce.OpPlace: {System: "magento"}},
	}})
}

func summary(page *commerce.OrderPage) string {
	var list []string
	for _, o := range page.Orders {
		text := string(o.Number)
		if o.PendingSync {
			text += "*"
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

var (
	someone   = commerce.Principal{Tenant: "default", Subject: "C1"}
	anonymous = commerce.Principal{Tenant: "default"}
	firstPage = commerce.Cursor{First: 10}
)

func TestOrdersMergeWhatOnlyTheCheckoutKnows(t *testing.T) {
	t.Parallel()
	fresh := at("5", 9)
	cases := map[string]struct {
		erp, checkout history
		page          commerce.Cursor
		want          string
		total         int
	}{
		"both know all":        {history{orders: []*commerce.Order{at("2", 2), at("1", 1)}}, history{orders: []*commerce.Order{at("2", 2)}}, firstPage, "2 1", 2},
		"a new one":            {history{orders: []*commerce.Order{at("2", 2)}}, history{orders: []*commerce.Order{fresh, at("2", 2)}}, firstPage, "5* 2", 2},
		"new ones in between":  {history{orders: []*commerce.Order{at("4", 4), at("2", 2)}}, history{orders: []*commerce.Order{fresh, at("3", 3)}}, firstPage, "5* 4 3* 2", 4},
		"none in the ERP":      {history{}, history{orders: []*commerce.Order{fresh}}, firstPage, "5*", 1},
		"none at all":          {history{}, history{}, firstPage, "", 0},
		"older than this page": {history{orders: []*commerce.Order{at("4", 4)}, hasNext: true}, history{orders: []*commerce.Order{fresh, at("3", 3)}}, firstPage, "5* 4", 2},
		"a later page":         {history{orders: []*commerce.Order{at("1", 1)}}, history{orders: []*commerce.Order{fresh}}, commerce.Cursor{First: 10, After: "x"}, "1", 1},
		"unknown at checkout":  {history{orders: []*commerce.Order{at("1", 1)}}, history{err: commerce.ErrNotFound}, firstPage, "1", 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, sink := commerce.WithSink(t.Context())
			page, err := service(tc.erp, tc.checkout).Orders(ctx, someone, tc.page)
			require.NoError(t, err)
			assert.Equal(t, tc.want, summary(page))
			assert.Equal(t, tc.total, page.Total)
			assert.Len(t, page.Cursors, len(page.Orders))
			assert.Empty(t, sink.Sources())
		})
	}
	assert.False(t, fresh.PendingSync, "what a port answered is not changed")
}

func TestOrdersWithoutASystem(t *testing.T) {
	t.Parallel()
	down := history{err: &commerce.CallError{System: "magento", Operation: commerce.OpOrders, Kind: commerce.ErrTimeout}}
	ctx, sink := commerce.WithSink(t.Context())
	page, err := service(history{orders: []*commerce.Order{at("1", 1)}}, down).Orders(ctx, someone, firstPage)
	require.NoError(t, err)
	assert.Equal(t, "1", summary(page))
	assert.Equal(t, []commerce.Source{{
		System: "magento", Operation: commerce.OpOrders, State: commerce.StateMissing, Reason: commerce.ReasonTimeout,
	}}, sink.Sources())

	_, err = service(down, history{}).Orders(t.Context(), someone, firstPage)
	require.ErrorIs(t, err, commerce.ErrTimeout)
	_, err = service(history{}, history{}).Orders(t.Context(), anonymous, firstPage)
	require.ErrorIs(t, err, commerce.ErrUnauthenticated)
}

func TestOrderIsForItsOwnerOrTokenOnly(t *testing.T) {
	t.Parallel()
	w := start(ledger.NewMemory())
	guests, err := w.Place(t.Context(), w.cart(t, w.guest()))
	require.NoError(t, err)
	anns, err := w.Place(t.Context(), w.cart(t, w.customer(w.fixture.Customer)))
	require.NoError(t, err)
	token := guests.OrderToken

	cases := []struct {
		name   string
		who    commerce.Principal
		number commerce.OrderNumber
		token  string
		found  bool
	}{
		{"the guest", anonymous, guests.Number, token, true},
		{"anyone with the token", w.fixture.Neighbor, guests.Number, token, true},
		{"the customer", w.fixture.Customer, anns.Number, "", true},
		{"the customer with a wrong token", w.fixture.Customer, anns.Number, token, true},
		{"nobody", anonymous, guests.Number, "", false},
		{"a neighbor", w.fixture.Neighbor, anns.Number, "", false},
		{"another order's token", anonymous, anns.Number, token, false},
		{"a token cut short", anonymous, guests.Number, token[:42], false},
		{"a token with one bit more", anonymous, guests.Number, token[:42] + "_", false},
		{"a token with padding", anonymous, guests.Number, token + "=", false},
		{"no such order", w.fixture.Customer, "999999999", "", false},
	}
	for _, tc := range cases {
		order, err := w.Order(t.Context(), tc.who, tc.number, tc.token)
		if !tc.found {
			require.ErrorIs(t, err, commerce.ErrNotFound, tc.name)
			continue
		}
		require.NoError(t, err, tc.name)
		assert.Equal(t, tc.number, order.Number, tc.name)
	}
}

func TestOrderThatTheERPLacksIsPending(t *testing.T) {
	t.Parallel()
	placed := at("5", 5)
	s := service(history{}, history{orders: []*commerce.Order{placed}})
	order, err := s.Order(t.Context(), someone, "5", "")
	require.NoError(t, err)
	assert.True(t, order.PendingSync)
	assert.False(t, placed.PendingSync)
	s = service(history{err: commerce.ErrUnavailable}, history{orders: []*commerce.Order{placed}})
	_, err = s.Order(t.Context(), someone, "5", "")
	require.ErrorIs(t, err, commerce.ErrUnavailable, "the checkout does not stand in for the ERP")
}
