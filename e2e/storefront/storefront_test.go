//go:build e2e

// Package storefront is a shopper with a real browser. It is a process of its own: the
// tests of package e2e that count what their process holds run at the same time.
package storefront

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/demo/stack"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp has one clock a process, and its workers' sweeper sleeps for up to 30 s after the server has stopped.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}

// settings let nothing but a fault make a call fail or be made twice, however busy the machine is.
func settings() []string {
	environ := []string{
		"SANDBOX_ADDR=127.0.0.1:0", "WEB_ADDR=127.0.0.1:0", "WEB_ADMIN_ADDR=127.0.0.1:0", "MOBILE_ADDR=127.0.0.1:0", "MOBILE_ADMIN_ADDR=127.0.0.1:0",
		"LOG_LEVEL=error", "REQUEST_TIMEOUT=20s", "CACHE_HARD_TIMEOUT=20s",
	}
	for _, role := range []string{"PIM", "SEARCH", "ERP", "CRM", "CHECKOUT"} {
		environ = append(environ, role+"_ATTEMPT_TIMEOUT=20s", role+"_TIMEOUT=20s", role+"_NO_HEDGE=true")
	}
	return environ
}

// Each story has a script beside this file. PORTICO_SCREENSHOTS names a folder for what the pages looked like.
func TestStorefront(t *testing.T) {
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
			s, err := stack.Start(context.Background(), settings())
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Stop()) })
			s.Server().World.SetSyncDelay(0) // the ERP takes orders over at once
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "nice", "-n", "5", "node", script, s.Web, s.Sandbox) // of low priority: tests that compare times run beside it
			cmd.WaitDelay = 10 * time.Second
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			require.NoError(t, err)
		})
	}
}
