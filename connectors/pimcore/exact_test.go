package pimcore_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// TestN18_RandomValuesArriveByteExact sends 100,000 random names, ids above 2⁵³ and decimals of four places through.
func TestN18_RandomValuesArriveByteExact(t *testing.T) {
	t.Parallel()
	const seed, calls, rows = 18, 1_000, 100
	rnd := rand.New(rand.NewPCG(seed, 0))
	answers := make(chan []byte, 1)
	ports := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(<-answers)
	})
	type object map[string]any
	skus := make([]commerce.SKU, rows)
	for i := range skus {
		skus[i] = commerce.SKU(fmt.Sprintf("SKU-%d", i))
	}
	for call := range calls {
		names, ids, weights := make([]string, rows), make([]string, rows), make([]string, rows)
		edges := make([]object, rows)
		for i := range edges {
			names[i] = "n" + sandboxtest.Text(rnd, 12)
			ids[i] = strconv.FormatUint(1<<53+rnd.Uint64N(1<<62), 10)
			weights[i] = fmt.Sprintf("%d.%04d", rnd.Uint64N(1<<60), rnd.IntN(10_000))
			edges[i] = object{"node": object{
				"sku": skus[i], "name": names[i], "categories": []object{{"id": ids[i], "name": names[i]}},
				"weight": object{"value": json.Number(weights[i])},
			}}
		}
		answer, err := json.Marshal(object{"data": object{"getProductListing": object{"edges": edges}}})
		require.NoError(t, err)
		answers <- answer
		got, err := ports.Catalog.Products(t.Context(), market, skus)
		require.NoError(t, err)
		for i, sku := range skus {
			p := got[sku]
			if p.Name != names[i] || string(p.Categories[0].ID) != ids[i] || p.Categories[0].Name != names[i] || p.Attributes[0].Value != weights[i] {
				require.FailNow(t, "changed on the way", "seed %d call %d row %d: %q", seed, call, i, names[i])
			}
		}
	}
}
