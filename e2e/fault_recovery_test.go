//go:build e2e

package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Operations that make several calls at once recover too: the one that is refused
// beside a breaker's probe must not end the probe.
func TestN10_EveryPartIsBackTwoSecondsAfterItsSystem(t *testing.T) {
	t.Parallel()
	s := start(t)
	customer := bearer(t, s, someCustomer)
	account := func() reply { return send(t, http.MethodGet, s.Mobile+"/v1/screens/account", nil, customer...) }
	require.Nil(t, account().at("degraded"))
	for _, system := range []string{"openloyalty", "odoo"} {
		fault(t, s, map[string]any{"system": system, "operation": "*", "errorRate": 1, "status": 503, "mode": "status"})
		for range 40 {
			account()
		}
		heal(t, s)
		healed := time.Now()
		var asked time.Duration // since then, by the first request that was answered in full
		require.Eventually(t, func() bool {
			asked = time.Since(healed)
			return account().at("degraded") == nil
		}, time.Minute, 20*time.Millisecond, system)
		assert.LessOrEqual(t, asked, 2*time.Second+200*time.Millisecond, system)
	}
}
