package commercetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Pricing is the contract of [commerce.Pricing].
func Pricing(t *testing.T, port commerce.Pricing, f Fixture) {
	one := commerce.PriceKey{SKU: f.Products[0], Quantity: 1}
	price := func(t *testing.T, m commerce.Market, g commerce.PriceGroup, k commerce.PriceKey) *commerce.Price {
		t.Helper()
		got, err := port.Prices(t.Context(), m, g, []commerce.PriceKey{k})
		require.NoError(t, err)
		require.Contains(t, got, k)
		return got[k]
	}
	t.Run("answers are joined by SKU and quantity", func(t *testing.T) {
		keys := []commerce.PriceKey{one, {SKU: f.Products[1], Quantity: 3}, {SKU: f.Products[0], Quantity: 50}, {SKU: f.Unknown, Quantity: 1}}
		got, err := port.Prices(t.Context(), f.Market, f.Group, keys)
		require.NoError(t, err)
		require.Len(t, got, 3)
		for _, key := range keys[:3] {
			p := got[key]
			assert.Equal(t, key, commerce.PriceKey{SKU: p.SKU, Quantity: p.Quantity})
			assert.Equal(t, f.Group, p.Group)
			assert.Equal(t, f.Market.Currency, p.Unit.CurrencyCode())
			assert.Equal(t, f.Market.Currency, p.List.CurrencyCode())
			assert.True(t, p.Unit.IsPositive())
			assert.True(t, p.List.IsPositive())
		}
	})
	t.Run("groups differ", func(t *testing.T) {
		most, cheap := price(t, f.Market, f.Group, one), price(t, f.Market, f.CheapGroup, one)
		order, err := cheap.Unit.Cmp(most.Unit)
		require.NoError(t, err)
		assert.Negative(t, order)
	})
	t.Run("currencies differ", func(t *testing.T) {
		there := price(t, f.Other, f.Group, one)
		assert.Equal(t, f.Other.Currency, there.Unit.CurrencyCode())
	})
	t.Run("quantity breaks agree with the prices at their quantities", func(t *testing.T) {
		for _, tier := range price(t, f.Market, f.CheapGroup, one).Tiers {
			at := price(t, f.Market, f.CheapGroup, commerce.PriceKey{SKU: one.SKU, Quantity: tier.MinQuantity})
			assert.True(t, tier.Unit.Equal(at.Unit), "from %d: %s, priced %s", tier.MinQuantity, tier.Unit, at.Unit)
		}
	})
	canceled(t, func(t *testing.T) error {
		_, err := port.Prices(dead(t), f.Market, f.Group, []commerce.PriceKey{one})
		return err
	})
}

// Inventory is the contract of [commerce.Inventory].
func Inventory(t *testing.T, port commerce.Inventory, f Fixture) {
	asked := append([]commerce.SKU{f.Unknown, f.SoldOut}, f.Products...)
	got, err := port.Availability(t.Context(), f.Market, asked)
	require.NoError(t, err)
	require.Len(t, got, len(f.Products)+1)
	none := got[f.SoldOut]
	assert.Equal(t, f.SoldOut, none.SKU)
	assert.False(t, none.InStock)
	assert.Zero(t, none.Quantity)
	for _, sku := range f.Products {
		a := got[sku]
		assert.Equal(t, sku, a.SKU)
		assert.True(t, a.InStock)
		sum := 0
		for _, l := range a.Locations {
			assert.NotEmpty(t, l.Name)
			assert.Positive(t, l.Quantity)
			sum += l.Quantity
		}
		assert.Equal(t, a.Quantity, sum)
	}
	canceled(t, func(t *testing.T) error {
		_, err := port.Availability(dead(t), f.Market, f.Products)
		return err
	})
}

// OrderHistory is the contract of [commerce.OrderHistory], for a system that holds the fixture's order.
func OrderHistory(t *testing.T, port commerce.OrderHistory, f Fixture) {
	t.Run("a customer sees the own orders, newest first", func(t *testing.T) {
		page, err := port.Orders(t.Context(), f.Customer, commerce.Cursor{First: 50})
		require.NoError(t, err)
		require.NotEmpty(t, page.Orders)
		assert.GreaterOrEqual(t, page.Total, len(page.Orders))
		var numbers []commerce.OrderNumber
		for i, o := range page.Orders {
			numbers = append(numbers, o.Number)
			assert.NotEmpty(t, o.Lines)
			assert.NotEmpty(t, o.Status)
			for _, parcel := range o.Shipments {
				assert.NotEmpty(t, parcel.State)
				assert.Equal(t, parcel.State != commerce.ShipmentSent, parcel.SentAt.IsZero(), "%+v", parcel)
			}
			if i > 0 {
				assert.False(t, o.PlacedAt.After(page.Orders[i-1].PlacedAt))
			}
		}
		assert.Contains(t, numbers, f.Order)
	})
	t.Run("pages cover the history once", func(t *testing.T) {
		whole, err := port.Orders(t.Context(), f.Customer, commerce.Cursor{First: 50})
		require.NoError(t, err)
		var walked []commerce.OrderNumber
		for after := ""; len(walked) < len(whole.Orders); {
			page, err := port.Orders(t.Context(), f.Customer, commerce.Cursor{First: 1, After: after})
			require.NoError(t, err)
			require.Len(t, page.Orders, 1)
			walked = append(walked, page.Orders[0].Number)
			assert.Equal(t, len(walked) < whole.Total, page.HasNext)
			after = page.EndCursor
		}
		for i, o := range whole.Orders {
			assert.Equal(t, o.Number, walked[i])
		}
		cursorsFit(t, len(whole.Orders), whole.Cursors, whole.EndCursor)
		for i, cursor := range whole.Cursors[:len(whole.Cursors)-1] {
			rest, err := port.Orders(t.Context(), f.Customer, commerce.Cursor{First: 1, After: cursor})
			require.NoError(t, err)
			require.Equal(t, whole.Orders[i+1].Number, rest.Orders[0].Number, "one goes on behind any order")
		}
	})
	t.Run("lines add up to the subtotal", func(t *testing.T) {
		o, err := port.Order(t.Context(), f.Customer, f.Order)
		require.NoError(t, err)
		sum, err := commerce.NewMoney("0", o.Totals.Total.CurrencyCode())
		require.NoError(t, err)
		for _, l := range o.Lines {
			sum, err = sum.Add(l.Total)
			require.NoError(t, err)
		}
		assert.True(t, sum.Equal(o.Totals.Subtotal), "lines add up to %s, subtotal is %s", sum, o.Totals.Subtotal)
	})
	t.Run("nobody reads another's order", func(t *testing.T) {
		for _, p := range []commerce.Principal{f.Neighbor, f.Nobody, {}} {
			_, err := port.Order(t.Context(), p, f.Order)
			kindOf(t, err, commerce.ErrNotFound)
		}
		unverified := f.Customer
		unverified.EmailVerified = false
		unverified.Subject += "-other"
		_, err := port.Order(t.Context(), unverified, f.Order)
		kindOf(t, err, commerce.ErrNotFound)
	})
	t.Run("a principal that nobody knows has no orders", func(t *testing.T) {
		page, err := port.Orders(t.Context(), f.Nobody, commerce.Cursor{First: 5})
		require.NoError(t, err)
		assert.Empty(t, page.Orders)
		assert.Zero(t, page.Total)
	})
	t.Run("a token opens any order", func(t *testing.T) {
		o, err := port.GuestOrder(t.Context(), f.Order)
		require.NoError(t, err)
		assert.Equal(t, f.Order, o.Number)
		_, err = port.GuestOrder(t.Context(), "no-such-order")
		kindOf(t, err, commerce.ErrNotFound)
	})
	t.Run("an unknown cursor names its field", func(t *testing.T) {
		_, err := port.Orders(t.Context(), f.Customer, commerce.Cursor{First: 5, After: "not a cursor"})
		_ = fieldOf(t, err, "after")
	})
}

// Invoices is the contract of [commerce.Invoices].
func Invoices(t *testing.T, port commerce.Invoices, f Fixture) {
	page, err := port.Invoices(t.Context(), f.Customer, commerce.Cursor{First: 50})
	require.NoError(t, err)
	require.NotEmpty(t, page.Invoices)
	for i, inv := range page.Invoices {
		assert.NotEmpty(t, inv.Number)
		assert.True(t, inv.Total.IsPositive())
		assert.Equal(t, inv.Paid, inv.Due.IsZero())
		if i > 0 {
			assert.False(t, inv.IssuedAt.After(page.Invoices[i-1].IssuedAt))
		}
	}
	cursorsFit(t, len(page.Invoices), page.Cursors, page.EndCursor)
	for i, cursor := range page.Cursors[:len(page.Cursors)-1] {
		rest, err := port.Invoices(t.Context(), f.Customer, commerce.Cursor{First: 1, After: cursor})
		require.NoError(t, err)
		require.Equal(t, page.Invoices[i+1].Number, rest.Invoices[0].Number, "one goes on behind any invoice")
	}
	none, err := port.Invoices(t.Context(), f.Nobody, commerce.Cursor{First: 5})
	require.NoError(t, err)
	assert.Empty(t, none.Invoices)
	_, err = port.Invoices(t.Context(), f.Customer, commerce.Cursor{First: 5, After: "not a cursor"})
	_ = fieldOf(t, err, "after")
}
