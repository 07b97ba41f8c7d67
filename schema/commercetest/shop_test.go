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

// What editors do is seen by who reads the PIM, and by nobody else.
func TestShopIsEdited(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	p, f := shop.Ports(), shop.Fixture()
	products := func() map[commerce.SKU]*commerce.Product {
		found, err := p.Catalog.Products(t.Context(), f.Market, []commerce.SKU{"MUG-RED", "MUG-BLUE"})
		require.NoError(t, err)
		return found
	}
	before := products()
	require.Equal(t, []commerce.SKU{"MUG-BLUE", "MUG-RED"}, shop.Rename("MUG-BLUE", "Mug"))
	require.Equal(t, "Mug", products()["MUG-BLUE"].Name)
	require.Equal(t, "Mug", products()["MUG-RED"].Variants[1].Name)
	require.Equal(t, "Blue mug", before["MUG-RED"].Variants[1].Name, "what was answered stays as it was")
	shop.NameCategory("kitchen", "Cuisine")
	tree, err := p.Categories.Tree(t.Context(), f.Market)
	require.NoError(t, err)
	require.Equal(t, "Cuisine", tree.Category("kitchen").Name)
	require.Equal(t, "Cuisine", products()["MUG-RED"].Categories[0].Name)

	require.Equal(t, []commerce.SKU{"MUG-BLUE", "MUG-RED"}, shop.Publish("MUG-BLUE", false))
	require.NotContains(t, products(), commerce.SKU("MUG-BLUE"))
	require.Empty(t, products()["MUG-RED"].Variants)
	skus, err := p.Listing.SKUs(t.Context(), f.Market, "", commerce.MaxBatch)
	require.NoError(t, err)
	require.NotContains(t, skus, commerce.SKU("MUG-BLUE"))
	stock, err := p.Inventory.Availability(t.Context(), f.Market, []commerce.SKU{"MUG-BLUE"})
	require.NoError(t, err)
	require.Len(t, stock, 1)
	shop.Publish("MUG-BLUE", true)
	require.Len(t, products()["MUG-RED"].Variants, 2)
	require.Nil(t, shop.Publish("NO-SUCH", true))

	shop.WritePage("about", "Us")
	shop.PublishPage("home", false)
	shop.PublishPage("none", true)
	ids, err := p.Listing.PageIDs(t.Context(), f.Market, "", commerce.MaxBatch)
	require.NoError(t, err)
	require.Equal(t, []commerce.PageID{"about"}, ids)
	shop.WritePage("home", "Bowls")
	shop.PublishPage("home", true)
	pages, err := p.Content.Pages(t.Context(), f.Market, []commerce.PageID{"home", "about"})
	require.NoError(t, err)
	require.Equal(t, "Bowls", pages["home"].Body)
	require.Equal(t, "Us", pages["about"].Body)
}
