package elasticsearch_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/schema/commerce"
)

// While products move within a listing, in front of the reader and behind, pages joined at any
// product's cursor have every other product once, in its order.
func TestPagesAreStableWhileProductsMove(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	port, m := connect(t, settings(box.URL+"/elasticsearch")), box.Fixture().Market
	rnd := rand.New(rand.NewPCG(4, 8))
	page := func(first int, after string) *commerce.SearchResult {
		got, err := port.Search(t.Context(), m, commerce.SearchQuery{Sort: commerce.SortName, First: first, After: after})
		require.NoError(t, err)
		return got
	}
	whole := page(commerce.MaxBatch, "")
	for range 5 {
		moved := map[commerce.SKU]bool{}
		seen := map[commerce.SKU]int{}
		var walked []commerce.SKU
		for after := ""; len(walked) < 60; {
			part := page(1+rnd.IntN(12), after)
			take := 1 + rnd.IntN(len(part.SKUs))
			for _, sku := range part.SKUs[:take] {
				seen[sku]++
				walked = append(walked, sku)
			}
			after = part.Cursors[take-1]
			sku := whole.SKUs[rnd.IntN(len(whole.SKUs))]
			moved[sku] = true
			require.True(t, box.Server.World.Change(string(sku), world.Change{Name: string(rune('A'+rnd.IntN(26))) + strconv.Itoa(rnd.Int())}))
		}
		var want, got []commerce.SKU
		for _, sku := range walked {
			if !moved[sku] {
				require.Equal(t, 1, seen[sku], "%s came twice", sku)
				got = append(got, sku)
			}
		}
		for _, sku := range whole.SKUs {
			if !moved[sku] && len(want) < len(got) {
				want = append(want, sku)
			}
		}
		require.Equal(t, want, got)
		whole = page(commerce.MaxBatch, "")
	}
}
