package commercetest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// The fake keeps every contract, so none asks for the impossible.
func TestShopKeepsTheContracts(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	p, f := shop.Ports(), shop.Fixture()
	t.Run("Catalog", func(t *testing.T) { commercetest.Catalog(t, p.Catalog, f) })
	t.Run("Related", func(t *testing.T) { commercetest.Related(t, p.Related, p.Catalog, f) })
	t.Run("Recommendations", func(t *testing.T) { commercetest.Recommendations(t, p.Recommendations, f) })
	t.Run("Categories", func(t *testing.T) { commercetest.Categories(t, p.Categories, f) })
	t.Run("Content", func(t *testing.T) { commercetest.Content(t, p.Content, f) })
	t.Run("Listing", func(t *testing.T) { commercetest.Listing(t, p, f) })
	t.Run("Reviews", func(t *testing.T) { commercetest.Reviews(t, p.Reviews, f) })
	t.Run("Search", func(t *testing.T) { commercetest.Search(t, p.Search, f) })
	t.Run("Pricing", func(t *testing.T) { commercetest.Pricing(t, p.Pricing, f) })
	t.Run("Inventory", func(t *testing.T) { commercetest.Inventory(t, p.Inventory, f) })
	t.Run("OrderHistory", func(t *testing.T) { commercetest.OrderHistory(t, p.OrderHistory, f) })
	t.Run("Invoices", func(t *testing.T) { commercetest.Invoices(t, p.Invoices, f) })
	t.Run("Customers", func(t *testing.T) { commercetest.Customers(t, p.Customers, f) })
	t.Run("Loyalty", func(t *testing.T) { commercetest.Loyalty(t, p.Loyalty, f) })
	t.Run("Notifications", func(t *testing.T) { commercetest.Notifications(t, p.Notifications, f) })
	t.Run("Carts", func(t *testing.T) { commercetest.Carts(t, p, f) })
}

func TestShopFailsAndCountsWhenTold(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	p, f := shop.Ports(), shop.Fixture()
	shop.Fail(commerce.OpPrices, commerce.ErrUnavailable)
	_, err := p.Pricing.Prices(t.Context(), f.Market, f.Group, nil)
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	shop.Fail(commerce.OpPrices, nil)
	_, err = p.Pricing.Prices(t.Context(), f.Market, f.Group, nil)
	require.NoError(t, err)
	require.Equal(t, 2, shop.Calls(commerce.OpPrices))
	var held bool
	shop.Hold(commerce.OpPrices, func(context.Context) { held = true })
	_, err = p.Pricing.Prices(t.Context(), f.Market, f.Group, nil)
	require.NoError(t, err)
	require.True(t, held)
	shop.ResetCalls()
	require.Zero(t, shop.TotalCalls())
}
