package bffweb

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Who says twice who they are, or says it with nothing, is nobody: not the first that is
// named, and not a stranger.
func TestW5_AuthorizationIsOneValueOrNone(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	ask := func(values ...string) answer {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test/graphql", strings.NewReader(`{"query":"{me{profile{email}} product(sku:\"MUG-RED\"){name}}"}`))
		r.Header.Set("Content-Type", "application/json")
		for _, v := range values {
			r.Header.Add("Authorization", v)
		}
		return s.send(t, r)
	}
	own := ask("Bearer C1")
	assert.Equal(t, http.StatusOK, own.Status)
	assert.Contains(t, own.Raw, s.Fixture().Customer.Email)
	assert.Equal(t, map[string]any{"me": nil, "product": map[string]any{"name": "Red mug"}}, ask().Data)
	calls := s.TotalCalls()
	for _, values := range [][]string{{""}, {"Bearer C1", "Bearer C2"}, {"Bearer C1", "Bearer C1"}, {"", "Bearer C1"}, {"Bearer C1", ""}} {
		a := ask(values...)
		assert.Equal(t, http.StatusUnauthorized, a.Status, "%q: %s", values, a.Raw)
		assert.Equal(t, []string{"UNAUTHENTICATED"}, a.codes(), "%q", values)
		assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	}
	assert.Equal(t, calls, s.TotalCalls())
}
