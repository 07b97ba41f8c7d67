//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A shopper with a real browser: e2e/storefront has a script for each story. PORTICO_SCREENSHOTS names a folder for what the pages looked like.
func TestStorefront(t *testing.T) {
	t.Parallel()
	for script, story := range map[string]string{
		"mouse.mjs":    "the whole purchase with a mouse",
		"keyboard.mjs": "the whole purchase by keyboard alone",
		"pages.mjs":    "every page on a phone and a desk, healthy and degraded: nothing serious for axe, a quiet console",
		"latency.mjs":  "with the ERP at 2 s a product is painted within 300 ms and its price comes by itself",
		"outage.mjs":   "with the ERP dead the page says so and the rest works",
		"market.mjs":   "market, language and currency: what the page shows follows, mirrored where it is written from right to left",
		"live.mjs":     "stock changes on the page by itself",
		"customer.mjs": "a guest signs in, keeps the cart, buys, and sees the order on its way by itself",
	} {
		t.Run(script, func(t *testing.T) {
			t.Log(story)
			s := start(t, patient()...)
			s.Server().World.SetSyncDelay(0) // the ERP takes orders over at once
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", script, s.Web, s.Sandbox)
			cmd.Dir = "storefront"
			cmd.WaitDelay = 10 * time.Second
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			require.NoError(t, err)
		})
	}
}
