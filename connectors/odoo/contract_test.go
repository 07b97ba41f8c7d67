package odoo_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/odoo"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// connect opens the connector's ports to a sandbox.
func connect(t *testing.T, s *sandboxtest.Sandbox) commerce.Ports {
	t.Helper()
	ports, err := odoo.New(odoo.Config{
		Config: transport.Config{BaseURL: s.URL + "/odoo", AllowPrivate: true},
		APIKey: "sandbox-odoo-key", Database: "sandbox",
	}, transport.Deps{})
	require.NoError(t, err)
	return ports
}

func TestContracts(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, f := connect(t, s), s.Fixture()
	t.Run("pricing", func(t *testing.T) { commercetest.Pricing(t, ports.Pricing, f) })
	t.Run("inventory", func(t *testing.T) { commercetest.Inventory(t, ports.Inventory, f) })
	t.Run("order history", func(t *testing.T) { commercetest.OrderHistory(t, ports.OrderHistory, f) })
	t.Run("invoices", func(t *testing.T) { commercetest.Invoices(t, ports.Invoices, f) })
}

func TestEveryPriceIsTheWorlds(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, w := connect(t, s), s.Server.World
	var keys []commerce.PriceKey
	for _, p := range w.Products() {
		for _, quantity := range []int{1, 10, 11, 15, 25, 41, 61, 100} {
			keys = append(keys, commerce.PriceKey{SKU: commerce.SKU(p.SKU), Quantity: quantity})
		}
	}
	for _, group := range []string{world.Retail, world.Wholesale} {
		for _, code := range w.Currencies() {
			m := commerce.Market{Channel: "us", Locale: "en", Currency: code, Country: "US"}
			for batch := range slices.Chunk(keys, commerce.MaxBatch) {
				got, err := ports.Pricing.Prices(t.Context(), m, commerce.PriceGroup(group), batch)
				require.NoError(t, err)
				for _, key := range batch {
					assertWorldPrice(t, w, key, code, group, got[key])
				}
			}
		}
	}
}

func assertWorldPrice(t *testing.T, w *world.World, key commerce.PriceKey, code, group string, got *commerce.Price) {
	t.Helper()
	p := w.BySKU(string(key.SKU))
	unit, sold := w.UnitPrice(p.ID, group, code, key.Quantity)
	if !sold {
		require.Nil(t, got, "%s is not sold", key.SKU)
		return
	}
	list, _ := w.UnitPrice(p.ID, world.Retail, code, 1)
	require.NotNil(t, got, "%s in %s for %s", key.SKU, code, group)
	require.Equal(t, unit.String(), got.Unit.String(), "%s × %d for %s", key.SKU, key.Quantity, group)
	require.Equal(t, list.String(), got.List.String())
	breaks := w.Breaks(group)
	require.Len(t, got.Tiers, max(0, len(breaks)-1), "%s for %s: %v", key.SKU, group, got.Tiers)
	for i, tier := range got.Tiers {
		at, _ := w.UnitPrice(p.ID, group, code, breaks[i+1].MinQty)
		require.Equal(t, breaks[i+1].MinQty, tier.MinQuantity)
		require.Equal(t, at.String(), tier.Unit.String())
	}
}

func TestStockIsTheWorlds(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, w := connect(t, s), s.Server.World
	for batch := range slices.Chunk(w.Products(), commerce.MaxBatch) {
		var skus []commerce.SKU
		for _, p := range batch {
			skus = append(skus, commerce.SKU(p.SKU))
		}
		got, err := ports.Inventory.Availability(t.Context(), s.Fixture().Market, skus)
		require.NoError(t, err)
		for _, p := range batch {
			a := got[commerce.SKU(p.SKU)]
			require.NotNil(t, a, p.SKU)
			require.Equal(t, w.Free(p.ID), a.Quantity, p.SKU)
			require.Equal(t, a.Quantity > 0, a.InStock)
		}
	}
}

func TestAWarmListCostsOneCallAnOperation(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, f := connect(t, s), s.Fixture()
	var skus []commerce.SKU
	var keys []commerce.PriceKey
	for _, p := range s.Server.World.Products() {
		if p.Published && len(skus) < 50 {
			skus = append(skus, commerce.SKU(p.SKU))
			keys = append(keys, commerce.PriceKey{SKU: commerce.SKU(p.SKU), Quantity: 1})
		}
	}
	ask := func() {
		prices, err := ports.Pricing.Prices(t.Context(), f.Market, f.CheapGroup, keys)
		require.NoError(t, err)
		require.Len(t, prices, 50)
		stock, err := ports.Inventory.Availability(t.Context(), f.Market, skus)
		require.NoError(t, err)
		require.Len(t, stock, 50)
	}
	ask()
	cold := s.Calls(t)["odoo"]
	assert.LessOrEqual(t, sum(cold), 9, "%v", cold)
	s.ResetCalls(t)
	ask()
	assert.Equal(t, map[string]int{"product.product.search_read": 1, "stock.quant.search_read": 1}, s.Calls(t)["odoo"])
}

func TestAPageOfOrdersCostsFiveCalls(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, f := connect(t, s), s.Fixture()
	ask := func() {
		page, err := ports.OrderHistory.Orders(t.Context(), f.Customer, commerce.Cursor{First: 50})
		require.NoError(t, err)
		require.NotEmpty(t, page.Orders)
	}
	ask()
	s.ResetCalls(t)
	ask()
	assert.Equal(t, map[string]int{
		"sale.order.search_read": 1, "sale.order.search_count": 1, "sale.order.line.search_read": 1, "stock.picking.search_read": 1, "res.partner.search_read": 1,
	}, s.Calls(t)["odoo"])
}

func sum(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// place has somebody buy a helmet through the checkout.
func place(t *testing.T, w *world.World, customer, email string, qty int) *world.Order {
	t.Helper()
	p := w.BySKU("HL-U509-R")
	unit, ok := w.UnitPrice(p.ID, world.Retail, "USD", qty)
	require.True(t, ok)
	subtotal, err := unit.Mul(strconv.Itoa(qty))
	require.NoError(t, err)
	shipping, err := commerce.NewMoney("8.99", "USD")
	require.NoError(t, err)
	off, err := commerce.NewMoney("3.50", "USD")
	require.NoError(t, err)
	zero, err := commerce.NewMoney("0", "USD")
	require.NoError(t, err)
	total, err := subtotal.Add(shipping)
	require.NoError(t, err)
	total, err = total.Sub(off)
	require.NoError(t, err)
	o, err := w.PlaceOrder(world.Order{
		CustomerNumber: customer, Email: email, Group: world.Retail, Currency: "USD", Coupon: "WELCOME10",
		Lines:    []world.OrderLine{{ProductID: p.ID, SKU: p.SKU, Name: p.Name, Qty: qty, Unit: unit}},
		Subtotal: subtotal, Discount: off, Shipping: shipping, Tax: zero, Total: total, ShippingTitle: "Ground",
		ShipTo: world.OrderAddress{
			FirstName: "Ada Maria", LastName: "Byron", Street1: "12 Main Street", Street2: "Back door",
			City: "Seattle", RegionCode: "WA", Region: "Washington", Postcode: "98101", Country: "US", Phone: "+1 206 555 0100",
		},
	})
	require.NoError(t, err)
	return o
}

func TestAnOrderAppearsOnceItWasSynced(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, f, w := connect(t, s), s.Fixture(), s.Server.World
	now := time.Now()
	w.SetClock(func() time.Time { return now })
	before, err := ports.OrderHistory.Orders(t.Context(), f.Customer, commerce.Cursor{First: 1})
	require.NoError(t, err)
	free := w.Free(w.BySKU("HL-U509-R").ID)

	placed := place(t, w, f.Customer.Subject, f.Customer.Email, 2)
	number := commerce.OrderNumber(placed.Number)
	_, err = ports.OrderHistory.Order(t.Context(), f.Customer, number)
	require.ErrorIs(t, err, commerce.ErrNotFound)
	w.SetClock(func() time.Time { return now.Add(w.SyncDelay()) })

	page, err := ports.OrderHistory.Orders(t.Context(), f.Customer, commerce.Cursor{First: 1})
	require.NoError(t, err)
	require.Len(t, page.Orders, 1)
	assert.Equal(t, before.Total+1, page.Total)
	o := page.Orders[0]
	assert.Equal(t, number, o.Number)
	assert.Equal(t, commerce.OrderConfirmed, o.Status)
	assert.False(t, o.PendingSync)
	require.Len(t, o.Lines, 1)
	assert.Equal(t, commerce.SKU("HL-U509-R"), o.Lines[0].SKU)
	assert.Equal(t, 2, o.Lines[0].Quantity)
	assert.Equal(t, placed.Lines[0].Name, o.Lines[0].Name)
	assert.Equal(t, placed.Subtotal.String(), o.Totals.Subtotal.String())
	assert.Equal(t, &commerce.Address{
		FirstName: "Ada Maria", LastName: "Byron", Street: []string{"12 Main Street", "Back door"},
		City: "Seattle", Region: "Washington", Postcode: "98101", Country: "US", Phone: "+1 206 555 0100",
	}, o.Shipping)
	assert.Equal(t, "8.99 USD", o.Totals.Shipping.String())
	assert.Equal(t, "-3.50 USD", o.Totals.Discount.String())
	assert.Equal(t, placed.Total.String(), o.Totals.Total.String())

	stock, err := ports.Inventory.Availability(t.Context(), f.Market, []commerce.SKU{"HL-U509-R"})
	require.NoError(t, err)
	assert.Equal(t, free-2, stock["HL-U509-R"].Quantity)
}

func TestAGuestsOrderIsNobodysHistory(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, f, w := connect(t, s), s.Fixture(), s.Server.World
	w.SetSyncDelay(0)
	before, err := ports.OrderHistory.Orders(t.Context(), f.Customer, commerce.Cursor{First: 1})
	require.NoError(t, err)
	placed := place(t, w, "", f.Customer.Email, 1) // a guest may type any address
	number := commerce.OrderNumber(placed.Number)

	o, err := ports.OrderHistory.GuestOrder(t.Context(), number)
	require.NoError(t, err)
	assert.Equal(t, number, o.Number)
	_, err = ports.OrderHistory.Order(t.Context(), f.Customer, number)
	require.ErrorIs(t, err, commerce.ErrNotFound)
	after, err := ports.OrderHistory.Orders(t.Context(), f.Customer, commerce.Cursor{First: 1})
	require.NoError(t, err)
	assert.Equal(t, before.Total, after.Total)
}

func TestEverySeededOrderIsRead(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, w := connect(t, s), s.Server.World
	statuses := map[commerce.OrderStatus]int{}
	refunds, unpaid := 0, 0
	seen := map[string]bool{}
	for i, past := range w.Orders() {
		if i%10 != 0 || seen[past.CustomerNumber] {
			continue
		}
		seen[past.CustomerNumber] = true
		c := w.Customer(past.CustomerNumber)
		p := sandboxtest.Principal(c)
		page, err := ports.OrderHistory.Orders(t.Context(), p, commerce.Cursor{First: 100})
		require.NoError(t, err)
		require.NotEmpty(t, page.Orders)
		for _, o := range page.Orders {
			statuses[o.Status]++
			want := w.OrderByNumber(string(o.Number))
			require.Equal(t, c.Number, want.CustomerNumber)
			require.Equal(t, want.Total.String(), o.Totals.Total.String())
			require.Equal(t, want.Subtotal.String(), o.Totals.Subtotal.String())
			require.Len(t, o.Lines, len(want.Lines))
		}
		bills, err := ports.Invoices.Invoices(t.Context(), p, commerce.Cursor{First: 100})
		require.NoError(t, err)
		for _, b := range bills.Invoices {
			require.NotNil(t, w.OrderByNumber(string(b.Order)), "invoice %s", b.Number)
			require.Equal(t, c.Number, w.OrderByNumber(string(b.Order)).CustomerNumber)
			if b.Refund {
				refunds++
			}
			if !b.Paid {
				unpaid++
			}
		}
	}
	for _, status := range []commerce.OrderStatus{commerce.OrderDelivered, commerce.OrderShipped, commerce.OrderCancelled} {
		assert.Positive(t, statuses[status], status)
	}
	assert.Positive(t, refunds)
	assert.Positive(t, unpaid)
}

func TestACodeThatWasGivenTwiceIsTheActiveLowestID(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, f, w := connect(t, s), s.Fixture(), s.Server.World
	var sold, part *world.Product
	for _, p := range w.Products() {
		switch {
		case p.Published && sold == nil:
			sold = p
		case !p.Published && part == nil:
			part = p
		}
	}
	key := commerce.PriceKey{SKU: commerce.SKU(sold.SKU), Quantity: 1}
	prices, err := ports.Pricing.Prices(t.Context(), f.Market, f.Group, []commerce.PriceKey{key, {SKU: commerce.SKU(part.SKU), Quantity: 1}})
	require.NoError(t, err)
	require.Len(t, prices, 1, "a part is not for sale")
	assert.Equal(t, sold.ListPrice.String(), prices[key].List.String(), "not the archived record's")
	stock, err := ports.Inventory.Availability(t.Context(), f.Market, []commerce.SKU{commerce.SKU(part.SKU)})
	require.NoError(t, err)
	assert.Equal(t, w.Free(part.ID), stock[commerce.SKU(part.SKU)].Quantity, "not the double's")
}
