//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In a browser without a network a developer becomes a customer of the sandbox and tries out
// a screen of theirs, then a write.
func TestDocsTryItOutAsADemoCustomer(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := browse(t, s.Mobile+"/docs")
	b.until(`document.querySelectorAll("#customer option").length > 1 && document.getElementById("operations-screens-accountScreen")`)
	b.choose("customer", someCustomer)
	b.until(`document.getElementById("customer").dataset.signedIn === "` + someCustomer + `"`)

	account := b.try("screens", "accountScreen")
	assert.Contains(t, account, `"profile"`)
	assert.Contains(t, account, `"loyalty"`)
	b.until(`document.querySelector("#operations-screens-accountScreen .live-responses-table tbody .response-col_status").textContent.trim() === "200"`)

	first, second := b.try("carts", "createCart"), b.again("carts", "createCart")
	assert.Contains(t, first, `"id": "c_`)
	assert.Contains(t, second, `"id": "c_`, "the example's key is made anew for each try")

	b.choose("customer", "")
	b.until(`document.getElementById("customer").dataset.signedIn === ""`)
	assert.Contains(t, b.again("screens", "accountScreen"), "/problems/unauthenticated")
	for _, url := range b.requests {
		assert.True(t, strings.HasPrefix(url, s.Mobile) || strings.HasPrefix(url, "data:") || strings.HasPrefix(url, "blob:"), url)
	}
	for _, problem := range b.errors {
		assert.Contains(t, problem, "401", "the page is quiet but for the answer to a guest")
	}
	require.Equal(t, http.StatusOK, send(t, http.MethodGet, s.Mobile+"/docs/customers", nil).Status)
}

// try opens an operation of Swagger UI, executes it with what it has for examples, and answers
// the body that came back.
func (b *browser) try(tag, operation string) string {
	b.t.Helper()
	at := `document.getElementById("operations-` + tag + `-` + operation + `")`
	b.until(`(` + at + `.scrollIntoView(), ` + at + `.querySelector(".opblock-summary-control").click(), true)`)
	b.until(at + `.querySelector(".try-out__btn") && (` + at + `.querySelector(".try-out__btn").click(), true)`)
	return b.again(tag, operation)
}

// again executes an operation that is open.
func (b *browser) again(tag, operation string) string {
	b.t.Helper()
	at := `document.getElementById("operations-` + tag + `-` + operation + `")`
	b.until(`(` + at + `.querySelector(".btn-clear")?.click(), ` + at + `.querySelector(".execute"))`)
	b.until(`!` + at + `.querySelector(".live-responses-table")`)
	b.until(`(` + at + `.querySelector(".execute").click(), true)`)
	return b.until(at + `.querySelector(".live-responses-table .highlight-code")?.textContent`)
}
