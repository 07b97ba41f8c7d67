package bffmobile

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/edge/timing/timingtest"
)

// timings reads Server-Timing: what each system took in milliseconds, our own time, and all.
func timings(t *testing.T, a answer) (systems map[string]float64, own, total float64) {
	t.Helper()
	header := a.Header.Get("Server-Timing")
	took := map[string]float64{}
	for _, entry := range timingtest.Parse(t, header) {
		if entry.Name != "cache" { // tells no time
			took[entry.Name] = entry.Dur
		}
	}
	require.Contains(t, took, "own", header)
	require.Contains(t, took, "total", header)
	own, total = took["own"], took["total"]
	delete(took, "own")
	delete(took, "total")
	return took, own, total
}

// What a request waited for and what was left of its time are all of it, overlaps counted
// once, for screens that others share, for one's own, and for writes.
func TestServerTimingAddsUp(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	s := against(t, box)
	fixture := box.Fixture()
	bearer := []string{"Authorization", "Bearer " + box.Token(t, fixture.Customer.Subject)}
	product := "/v1/screens/products/" + string(fixture.Reviewed)
	for _, c := range []struct {
		call
		status  int
		systems []string
		answers string // how the answer cache was used
	}{
		{get(product), 200, []string{"pimcore", "odoo"}, "miss"},
		{get("/v1/screens/home"), 200, []string{"pimcore", "odoo", "elasticsearch"}, "miss"},
		{get("/v1/screens/account", bearer...), 200, []string{"openloyalty", "odoo"}, ""},
		{call{"POST", "/v1/carts", `{}`, nil}, 201, []string{"magento"}, ""},
		{get("/v1/screens/search?first=1&inStock=true", bearer...), 200, []string{"elasticsearch"}, "miss"},
	} {
		a := s.checked(t, c.call)
		require.Equal(t, c.status, a.Status, a.Raw)
		systems, own, total := timings(t, a)
		longest, sum := 0.0, 0.0
		for _, name := range c.systems {
			assert.Positive(t, systems[name], "%s: %s", c.path, a.Header.Get("Server-Timing"))
		}
		for _, ms := range systems {
			longest, sum = max(longest, ms), sum+ms
		}
		const rounding = 0.1
		assert.GreaterOrEqual(t, total+rounding, own+longest, c.path)
		assert.LessOrEqual(t, total, own+sum+rounding, c.path)
		assert.Equal(t, c.answers != "", strings.HasSuffix(a.Header.Get("Server-Timing"), "cache;desc="+c.answers), a.Header.Get("Server-Timing"))
	}
	for range 2 { // found by what it means, then by its letters
		assert.Equal(t, "cache;desc=hit", s.checked(t, get(product)).Header.Get("Server-Timing"), "nothing was waited for")
	}
	assert.Equal(t, "cache;desc=hit", s.checked(t, get(product, bearer...)).Header.Get("Server-Timing"))
	refused := s.checked(t, get("/v1/screens/search?first=0"))
	require.Equal(t, http.StatusBadRequest, refused.Status)
	assert.Empty(t, refused.Header.Get("Server-Timing"), "nothing was asked")
}
