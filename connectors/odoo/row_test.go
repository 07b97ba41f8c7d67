package odoo_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// What prices read tells which record a SKU means; what stock looks up is no price.
func TestPricesAndStockShareTheProductsRow(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, f := connect(t, s), s.Fixture()
	const sku = commerce.SKU("BK-M82S-38")
	prices := func() {
		got, err := ports.Pricing.Prices(t.Context(), f.Market, f.CheapGroup, []commerce.PriceKey{{SKU: sku, Quantity: 1}})
		require.NoError(t, err)
		require.Len(t, got, 1)
	}
	stock := func() {
		got, err := ports.Inventory.Availability(t.Context(), f.Market, []commerce.SKU{sku})
		require.NoError(t, err)
		require.Len(t, got, 1)
	}
	const read = "product.product.search_read"
	prices()
	stock()
	assert.Equal(t, 1, s.Calls(t)["odoo"][read], "stock needs no look-up of its own")
	prices()
	assert.Equal(t, 2, s.Calls(t)["odoo"][read], "prices are read each time")
}
