//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a screen asks for that nothing is known of, once price lists, currencies,
// categories and places are. An operation that is asked once cannot be in two rounds.
func TestColdScreensCostTheirRounds(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := app{t: t, s: s}
	a.get("/v1/screens/products/BK-R68R-44")
	a.get("/v1/screens/categories/117?first=1")
	a.get("/v1/screens/home")
	for _, system := range []string{"pimcore", "elasticsearch", "odoo", "openloyalty", "magento"} {
		fault(t, s, map[string]any{"system": system, "operation": "*", "latencyMs": 50, "jitter": "none"})
	}
	product := []string{"BK-R68R-48", "BK-R68R-52", "BK-R50R-44", "BK-R50R-48", "BK-R50R-52"}
	for _, screen := range []struct {
		name   string
		rounds int
		paths  []string
		want   map[string]map[string]int
	}{
		{"product", 1, below("/v1/screens/products/", product...), map[string]map[string]int{"pimcore": {"products": 1, "related": 1, "reviews": 1}}},
		{"category", 2, below("/v1/screens/categories/", "101?first=24", "103?first=24", "131?first=24", "114?first=24", "121?first=24"), map[string]map[string]int{"pimcore": {"products": 1}}},
		// There is one home: in another language nothing of it is known.
		{"home", 2, []string{"/v1/screens/home#fr", "/v1/screens/home#ar", "/v1/screens/home#zh-Hant", "/v1/screens/home#he", "/v1/screens/home#th"}, map[string]map[string]int{"pimcore": {"categories": 1, "pages": 1, "products": 1}}},
	} {
		var took []time.Duration
		for _, path := range screen.paths {
			forgetCalls(t, s)
			began := time.Now()
			address, language, _ := strings.Cut(path, "#")
			r := a.get(address, "Accept-Language", language)
			took = append(took, time.Since(began))
			require.Nil(t, r.at("degraded"), r.Raw)
			counts := calls(t, s)
			assert.Equal(t, screen.want["pimcore"], counts["pimcore"], "%s: %v", path, counts)
			for op, n := range counts["odoo"] {
				assert.LessOrEqual(t, n, 2, "%s: %s", path, op) // stock by SKU, and prices with what ids SKUs have
			}
		}
		best := slices.Min(took)
		t.Logf("%s: %d rounds of 50 ms, best of %d: %s (%v); %v", screen.name, screen.rounds, len(took), best.Round(time.Millisecond), took, calls(t, s))
		assert.GreaterOrEqual(t, best, time.Duration(screen.rounds)*50*time.Millisecond, "nothing of it was known")
	}
}

func below(path string, names ...string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = fmt.Sprint(path, name)
	}
	return list
}
