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
	headers   = `document.getElementById("headers").textContent`
)

// tab is the tab of an operation.
func tab(operation string) string {
	return `[...document.querySelectorAll(".graphiql-tab-button")].find((b) => b.textContent.trim() === "` + operation + `")`
}

// shown is what the result window says once it contains text.
func shown(text string) string { return answered + `.includes('` + text + `') && ` + answered }

// A developer opens the page, runs the examples, and shops as somebody else elsewhere,
// with nothing from any network.
func TestGraphiQLIsForTrying(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := browse(t, s.Web+"/graphql")

	b.until(`performance.getEntriesByType("resource").some((r) => r.name.endsWith("/graphql"))`) // it has read the schema
	b.click(runButton)                                                                           // the first tab is a product page
	assert.Contains(t, b.until(shown(`"product"`)), "$")
	b.choose("channel", "eu")
	assert.Contains(t, b.until(headers), "X-Channel: eu")
	b.click(runButton)
	b.until(shown(`€`))
	b.choose("currency", "GBP")
	b.click(runButton)
	b.until(shown(`£`))
	b.screenshot("product")

	b.choose("customer", someCustomer)
	b.until(headers + `.includes("Authorization: Bearer ey")`)
	b.click(tab("Me"))
	b.until(answered + ` === ""`)
	b.click(runButton)
	assert.Contains(t, b.until(shown(`"profile"`)), `"loyalty"`)
	b.screenshot("me")

	b.click(tab("OpenCart"))
	b.until(runButton + `.ariaHasPopup === "menu"`) // it has several operations
	b.choose("channel", "")
	b.choose("currency", "")
	for _, o := range []struct{ operation, says string }{
		{"OpenCart", `"c_`}, {"AddLine", `"cartLineAdd"`}, {"ShippingOptions", `"shippingOptions"`}, {"SetShipping", `"payments"`}, {"PlaceOrder", `"number"`},
	} {
		b.click(runButton)
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
