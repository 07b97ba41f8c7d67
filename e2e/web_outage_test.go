//go:build e2e

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const outagePage = `query P($sku: String!) {
	product(sku: $sku) { name price { unit { amount } } availability { quantity } reviews { count } related { sku } }
	search(first: 3) { nodes { sku name } }
	categories { name }
	me { profile { firstName } loyalty { points } orders(first: 1) { nodes { number } } }
}`

// What each system's outage takes away, and nothing else: path → error.
var webLosses = map[string][][]any{
	"pimcore":       {{"product"}, {"categories"}},
	"elasticsearch": {{"search"}},
	"odoo":          {{"product", "price"}, {"product", "availability"}, {"me", "orders"}},
	"openloyalty":   {{"me", "profile"}, {"me", "loyalty"}},
	"magento":       {},
}

// Every part of the page, with the way to a value of it.
var webParts = map[string][]any{
	"product": {"product", "name"}, "price": {"product", "price", "unit", "amount"}, "availability": {"product", "availability", "quantity"},
	"reviews": {"product", "reviews", "count"}, "related": {"product", "related"}, "search": {"search", "nodes"}, "categories": {"categories"},
	"profile": {"me", "profile"}, "loyalty": {"me", "loyalty"}, "orders": {"me", "orders"},
}

func TestW6_EachSystemDownTakesItsFieldsOnly(t *testing.T) {
	t.Parallel()
	for system, losses := range webLosses {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			s := start(t) // cold, so that nothing is answered from memory
			customer := bearer(t, s, someCustomer)
			fault(t, s, map[string]any{"system": system, "operation": "*", "errorRate": 1, "status": 503, "mode": "status"})
			r := graphQL(t, s, outagePage, map[string]any{"sku": "HL-U509-R"}, customer...)
			require.Equal(t, 200, r.Status, r.Raw)
			require.NotNil(t, r.at("data"), "an optional part never wipes the answer: %s", r.Raw)
			for name, path := range webParts {
				full := append([]any{"data"}, path...)
				if lost(path, losses) {
					assert.Nil(t, r.at(full...), "%s of %s", name, r.Raw)
				} else {
					assert.NotNil(t, r.at(full...), "%s of %s", name, r.Raw)
				}
			}
			for _, path := range losses {
				assert.True(t, errorAt(r, path), "an error names %v: %s", path, r.Raw)
			}
			if len(losses) > 0 {
				assert.Contains(t, r.Header.Get("Cache-Control"), "no-store")
			}
			assert.NotContains(t, r.Raw, "127.0.0.1", "no upstream's address reaches a client")
			heal(t, s)
		})
	}
}

func lost(path []any, losses [][]any) bool {
	for _, loss := range losses {
		if len(loss) <= len(path) && assert.ObjectsAreEqual(loss, path[:len(loss)]) {
			return true
		}
	}
	return false
}

// errorAt finds an error with the path and a code.
func errorAt(r reply, path []any) bool {
	for i := range r.list("errors") {
		if assert.ObjectsAreEqual(path, r.list("errors", i, "path")) && r.text("errors", i, "extensions", "code") != "" {
			return true
		}
	}
	return false
}
