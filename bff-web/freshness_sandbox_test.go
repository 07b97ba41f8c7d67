package bffweb

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
)

// warm asks until the answer is whole: what a busy machine loads too late is kept for who
// asks again.
func (s *shop) warm(t *testing.T, query string) {
	t.Helper()
	var a answer
	for range 50 {
		if a = s.query(t, query, nil); a.Status == http.StatusOK && len(a.Errors) == 0 {
			return
		}
	}
	require.Fail(t, "never whole", a.Raw)
}

// The contract over real connectors: reviews hang, the ERP answers with errors, and each
// field of a list holds what its contract says.
func TestSandboxFreshness(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t, "CACHE_HARD_TIMEOUT=300ms", "ERP_MAX_ATTEMPTS=1")
	const query = `{products(skus:["HL-U509-R","HL-U509","HL-U509-B"]){sku
		reviews{count items{body}} honest: reviews@freshness(onError:STALE){count}
		price{unit{amount}} availability%s{inStock}}}`
	s.warm(t, `{products(skus:["HL-U509-R","HL-U509","HL-U509-B"]){sku}}`)
	lenient, strict := fmt.Sprintf(query, ""), fmt.Sprintf(query, "@freshness(onError:FAIL)")
	systems.Faults(t,
		sandbox.Fault{System: "pimcore", Operation: "reviews", ErrorRate: 1, Mode: sandbox.ModeHang},
		sandbox.Fault{System: "odoo", Operation: "*", ErrorRate: 1, Mode: sandbox.ModeStatus, Status: http.StatusServiceUnavailable})

	a := s.query(t, lenient, nil)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	for i := range 3 {
		product := at(t, a.Data, "products", i)
		assert.NotEmpty(t, at(t, product, "sku"), a.Raw)
		assert.Equal(t, map[string]any{"count": 0.0, "items": []any{}}, at(t, product, "reviews"))
		for _, missing := range []string{"honest", "price", "availability"} {
			assert.Nil(t, at(t, product, missing), missing)
		}
	}
	states := map[string]int{}
	for _, line := range a.Extensions.Freshness {
		require.Len(t, line.Path, 3, a.Raw)
		states[line.Source+" "+line.State]++
		assert.NotEmpty(t, line.Reason)
	}
	assert.Equal(t, map[string]int{"pimcore filler": 3, "pimcore missing": 3, "odoo missing": 6}, states, a.Raw)
	assert.Len(t, a.Errors, 9, "a filler is no error: %s", a.Raw)
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))

	a = s.query(t, strict, nil)
	assert.Equal(t, []any{nil, nil, nil}, a.Data["products"], a.Raw)

	systems.ClearFaults(t)
	a = s.query(t, `{products(skus:["HL-U509-R"]){sku reviews{count}}}`, nil)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	assert.NotEmpty(t, at(t, a.Data, "products", 0, "sku"))
}
