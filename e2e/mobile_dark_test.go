//go:build e2e

package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The product screen of a shop that never answered before, with each system dead in turn.
func TestTheProductScreenWithEachSystemDead(t *testing.T) {
	t.Parallel()
	for system, want := range map[string][]string{
		"pimcore": nil, "elasticsearch": {}, "odoo": {"availability", "price"}, "openloyalty": {}, "magento": {},
	} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			fault(t, s, map[string]any{"system": system, "operation": "*", "errorRate": 1, "mode": "status", "status": http.StatusServiceUnavailable})
			r := send(t, http.MethodGet, s.Mobile+"/v1/screens/products/HL-U509-R", nil)
			var headers []string
			for name := range r.Header {
				headers = append(headers, name+": "+strings.Join(r.Header[name], ", "))
			}
			slices.Sort(headers)
			t.Logf("%s dead: %d\n%s\n\n%s", system, r.Status, strings.Join(headers, "\n"), r.Raw)
			if want == nil {
				require.Equal(t, http.StatusServiceUnavailable, r.Status)
				return
			}
			require.Equal(t, http.StatusOK, r.Status)
			parts := []string{}
			if r.at("degraded") != nil {
				for i := range r.list("degraded") {
					parts = append(parts, r.text("degraded", i, "part"))
				}
			}
			assert.Equal(t, want, parts)
			assert.Equal(t, len(want) > 0, r.Header.Get("Cache-Control") == "no-store", r.Header.Get("Cache-Control"))
		})
	}
}
