package odoo

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// held is a quantity as it is read.
func held(text string) quantity {
	q, ok := quantityOf([]byte(text))
	if !ok {
		panic(text)
	}
	return q
}

// What an archived record or another one with the same code holds is not the product's.
func TestN17_StockFoundBySKUIsJoinedByTheRecord(t *testing.T) {
	t.Parallel()
	stock, err := joinQuants(commerce.OpAvailability, []wireQuant{
		{Product: link{3}, Location: relation{ID: 8}, Quantity: held("50.0"), Reserved: held("0.0")}, // archived
		{Product: link{5}, Location: relation{ID: 8}, Quantity: held("2.0"), Reserved: held("1.0")},
		{Product: link{9}, Location: relation{ID: 8}, Quantity: held("70.0"), Reserved: held("0.0")}, // a younger double
	})
	require.NoError(t, err)
	answer := stockAnswer{
		products: map[commerce.SKU]*priced{"A": {product: product{id: 5}}, "B": {product: product{id: 6}}},
		stock:    map[commerce.SKU]*records{"A": stock, "B": stock, "C": stock},
	}
	found, err := answer.bySKU([]commerce.SKU{"A", "B", "C"})
	require.NoError(t, err)
	require.Len(t, found, 2, "C is no record that is asked for")
	assert.Equal(t, 1, found["A"].Quantity)
	assert.Zero(t, found["B"].Quantity)
}

func TestStockIsAskedForByIDWhereTheRecordIsKnown(t *testing.T) {
	t.Parallel()
	known := map[commerce.SKU]*priced{"A": {product: product{id: 5}}, "B": {product: product{id: 3}}}
	for want, skus := range map[string][]commerce.SKU{
		`[["product_id","in",[3,5]]]`:                                          {"A", "B"},
		`[["product_id.default_code","in",["C"]]]`:                             {"C"},
		`["|",["product_id","in",[5]],["product_id.default_code","in",["C"]]]`: {"C", "A"},
	} {
		got, err := ofProducts(skus, known).appendTo(nil)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(got))
	}
}
