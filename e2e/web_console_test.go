//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// size is how large the window is from now on; narrow ones are a telephone's.
func (b *browser) size(width, height int) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
}

// prefers chooses between light and dark.
func (b *browser) prefers(scheme string) {
	b.t.Helper()
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

const (
	words  = `document.body.innerText`
	badRow = `[...document.querySelectorAll(".request")].find((r) => r.innerText.includes("degraded"))`
	fits   = `document.documentElement.scrollWidth <= innerWidth`
)

// Who carries the pager opens the page while all is well, sees a system break, opens the
// request that went badly, with a keyboard and on a telephone, and sees when the process is gone.
func TestTheConsoleShowsASystemBreak(t *testing.T) {
	t.Parallel()
	s := start(t, patient()...)
	b := browse(t, s.WebAdmin+"/console")
	b.size(1280, 900)
	b.until(words + `.includes("Nothing was recorded yet.")`)
	b.until(`document.getElementById("state").textContent === "Live"`)
	page := `query Page($sku: String!) { product(sku: $sku) { name price { unit { amount } } availability { quantity } reviews { count } related { sku } } }`
	graphQL(t, s, page, map[string]any{"sku": "HL-U509-R"})
	b.until(words + `.includes("slowest")`)
	b.until(`document.querySelector('[data-system=pimcore] .badge.good')`)
	b.screenshot("well-1280")
	b.accessible()

	fault(t, s, map[string]any{"system": "odoo", "operation": "*", "errorRate": 1, "status": 503, "mode": "status"})
	for i := range 40 { // a breaker needs twenty bad attempts
		graphQL(t, s, page, map[string]any{"sku": []string{"BK-R93R-62", "FR-R92B-58", "BK-M82S-38", "CA-1098"}[i%4]})
	}
	b.until(`document.querySelector('[data-system=odoo] .badge.bad')`)
	b.until(badRow)
	b.until(`(` + badRow + `.focus(), document.activeElement === ` + badRow + `)`)
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}, nil)
	b.until(badRow + `.ariaExpanded === "true" && document.querySelector(".more svg rect.bad, .more svg rect.call")`)
	b.until(`document.querySelector(".more").innerText.includes("product.price")`)
	b.until(`document.activeElement === ` + badRow) // what is drawn anew keeps the focus
	for _, look := range []struct {
		name, scheme  string
		width, height int
	}{{"broken-1280", "light", 1280, 1700}, {"broken-1280-dark", "dark", 1280, 1700}, {"broken-390", "light", 390, 2600}, {"broken-390-dark", "dark", 390, 2600}} {
		b.size(look.width, look.height)
		b.prefers(look.scheme)
		b.until(fits)
		b.until(`(window.scrollTo(0, 0), true)`)
		b.screenshot(look.name)
	}
	b.accessible()
	b.pick("slow")
	b.until(`![...document.querySelectorAll(".request")].some((r) => r.innerText.includes("degraded") && !r.innerText.includes("slow"))`)
	assert.Equal(t, http.StatusOK, send(t, http.MethodGet, s.MobileAdmin+"/console", nil).Status)
	for _, url := range b.requests {
		assert.True(t, strings.HasPrefix(url, s.WebAdmin+"/"), url)
	}
	assert.Empty(t, b.errors, "the page's own policy forbids nothing that it needs")

	b.call("Network.emulateNetworkConditions", map[string]any{"offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}, nil)
	b.until(`document.getElementById("state").textContent.includes("does not answer") && document.getElementById("age").textContent.includes("ago")`)
	b.size(390, 800)
	b.screenshot("away-390")
}

// pick picks a radio button of the filter.
func (b *browser) pick(value string) {
	b.t.Helper()
	b.click(`document.querySelector("input[name=filter][value=` + value + `]")`)
}

// accessible fails on whatever axe calls serious or critical.
func (b *browser) accessible() {
	b.t.Helper()
	axe, err := os.ReadFile("storefront/node_modules/axe-core/axe.min.js")
	require.NoError(b.t, err, "node packages are needed: make e2e installs them")
	b.call("Runtime.evaluate", map[string]any{"expression": string(axe)}, nil)
	b.until(`(axe.run().then((found) => { window.axed = found; }), true)`)
	assert.Equal(b.t, "[]", b.until(`window.axed && JSON.stringify(axed.violations.filter((v) => ["serious", "critical"].includes(v.impact))
		.map((v) => v.id + ": " + v.nodes.map((n) => n.target + " " + n.failureSummary).join("; ")))`))
}
