//go:build e2e

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// References are read once and kept apart: which id a SKU has, what rules a price list holds.
var referenceData = map[string]bool{
	"product.pricelist.search_read": true, "product.pricelist.item.search_read": true, "res.currency.search_read": true,
	"stock.location.search_read": true, "product.category.search_read": true,
}

func TestW7_AListCostsOneCallAnOperation(t *testing.T) {
	t.Parallel()
	s := start(t)
	const list = `query L($n: Int!) { search(first: $n, sort: NAME) { nodes { sku name price { unit { formatted } } bulk: price(quantity: 50) { unit { amount } }
		availability { quantity } reviews { count average } related { sku name price { unit { amount } } } variants { sku product { name } } } } }`
	warm := graphQL(t, s, list, map[string]any{"n": 1}) // reference data
	require.Nil(t, warm.at("errors"), warm.Raw)
	forgetCalls(t, s)
	r := graphQL(t, s, list, map[string]any{"n": 50}, "Accept-Language", "fr")
	require.Nil(t, r.at("errors"), r.Raw)
	require.Len(t, r.list("data", "search", "nodes"), 50)
	counts := calls(t, s)
	t.Logf("50 products: %v", counts)
	related := map[string]bool{}
	for i := range r.list("data", "search", "nodes") {
		for j := range r.list("data", "search", "nodes", i, "related") {
			related[r.text("data", "search", "nodes", i, "related", j, "sku")] = true
		}
	}
	hundreds := (len(related) + 99) / 100 // the related products are other keys, known only after the first round
	limits := map[string]int{
		"products":                    2 + hundreds, // the list, its variants, the related ones
		"product.product.search_read": 2 + hundreds, // the list's prices, which ids its SKUs have, the related ones' prices
	}
	for system, ops := range counts {
		for op, n := range ops {
			if !referenceData[op] {
				assert.LessOrEqual(t, n, max(1, limits[op]), "%s %s, %d related products", system, op, len(related))
			}
		}
	}
	forgetCalls(t, s)
	again := graphQL(t, s, list, map[string]any{"n": 50}, "Accept-Language", "fr")
	require.Equal(t, r.at("data"), again.at("data"))
	assert.LessOrEqual(t, total(calls(t, s)), 3, "what is warm is not asked again")
}

func TestAPlainListCostsOneCallAnOperation(t *testing.T) {
	t.Parallel()
	s := start(t)
	const list = `query L($n: Int!) { search(first: $n, sort: NAME) { nodes { sku name price { unit { formatted } } availability { quantity } reviews { count } } } }`
	require.Nil(t, graphQL(t, s, list, map[string]any{"n": 1}).at("errors"))
	forgetCalls(t, s)
	r := graphQL(t, s, list, map[string]any{"n": 50}, "Accept-Language", "fr", "X-Currency", "EUR")
	require.Nil(t, r.at("errors"), r.Raw)
	counts := calls(t, s)
	t.Logf("50 products: %v", counts)
	for system, ops := range counts {
		for op, n := range ops {
			limit := 1
			if op == "product.product.search_read" {
				limit = 2 // list prices, and once which ids the SKUs have
			}
			assert.LessOrEqual(t, n, limit, "%s %s", system, op)
		}
	}
}
