//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	runButton = `document.querySelector(".graphiql-execute-button")`
	answered  = `document.querySelector(".result-window .CodeMirror").CodeMirror.getValue()`
	unasked   = runButton + `.ariaLabel.startsWith("Execute") && ` + runButton
	headers   = `document.getElementById("headers").textContent`
)

// tab is the tab of an operation.
func tab(operation string) string {
	return `[...document.querySelectorAll(".graphiql-tab-button")].find((b) => b.textContent.trim() === "` + operation + `")`
}

// shown is what the result window says once it contains text.
func shown(text string) string { return answered + `.includes('` + text + `') && ` + answered }

// run presses the button that runs a tab. While an answer is under way the same button gives it up.
func (b *browser) run() {
	b.t.Helper()
	b.click(unasked)
}

// A developer opens the page, runs the examples, and shops as somebody else elsewhere,
// with nothing from any network.
func TestGraphiQLIsForTrying(t *testing.T) {
	t.Parallel()
	s := start(t, patient()...) // an upstream that a busy machine makes late is no part of this
	b := browse(t, s.Web+"/graphql")

	b.until(`performance.getEntriesByType("resource").some((r) => r.name.endsWith("/graphql"))`) // it has read the schema
	b.run()                                                                                      // the first tab is a product page
	assert.Contains(t, b.until(shown(`"product"`)), "$")
	b.choose("channel", "eu")
	assert.Contains(t, b.until(headers), "X-Channel: eu")
	b.run()
	b.until(shown(`€`))
	b.choose("currency", "GBP")
	b.run()
	b.until(shown(`£`))
	b.screenshot("product")

	b.choose("customer", someCustomer)
	b.until(headers + `.includes("Authorization: Bearer ey")`)
	b.click(tab("Me"))
	b.until(answered + ` === ""`)
	b.run()
	assert.Contains(t, b.until(shown(`"profile"`)), `"loyalty"`)
	b.screenshot("me")

	b.click(tab("OpenCart"))
	b.until(runButton + `.ariaHasPopup === "menu"`) // it has several operations
	b.choose("channel", "")
	b.choose("currency", "")
	for _, o := range []struct{ operation, says string }{
		{"OpenCart", `"c_`}, {"AddLine", `"cartLineAdd"`}, {"ShippingOptions", `"shippingOptions"`}, {"SetShipping", `"payments"`}, {"PlaceOrder", `"number"`},
	} {
		b.run()
		b.click(`[...document.querySelectorAll("[role=menuitem]")].find((i) => i.textContent.trim() === "` + o.operation + `")`)
		answer := b.until(shown(o.says))
		assert.NotContains(t, answer, `"errors"`)
		assert.NotRegexp(t, `"userErrors": \[\s*\{`, answer)
	}
	b.screenshot("order")

	for _, url := range b.requests {
		assert.True(t, strings.HasPrefix(url, s.Web+"/") || strings.HasPrefix(url, "data:"), url)
	}
	assert.NotEmpty(t, b.requests)
	assert.Empty(t, b.errors, "the page's own policy forbids nothing that it needs")
}
