package bffweb

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"

	"github.com/portico-bff/portico/bff-web/internal/graphiql"
	"github.com/portico-bff/portico/edge"
)

// The examples that GraphiQL opens with fit the schema, keep the limits, and name every
// variable that they need.
func TestGraphiQLExamplesRun(t *testing.T) {
	t.Parallel()
	schema := sdl(t)
	examples, err := graphiql.Examples()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(examples), 6)
	for name, example := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document, errs := gqlparser.LoadQueryWithRules(schema, example[0], nil)
			require.Empty(t, errs)
			variables := map[string]any{}
			if example[1] != "" {
				require.NoError(t, json.Unmarshal([]byte(example[1]), &variables))
			}
			for _, operation := range document.Operations {
				for _, v := range operation.VariableDefinitions {
					assert.True(t, variables[v.Variable] != nil || !v.Type.NonNull, "%s has no %s", operation.Name, v.Variable)
				}
			}
			if len(document.Operations) > 1 {
				return // they are for one another; the browser test runs them in turn
			}
			a := open(t).query(t, example[0], variables)
			require.Equal(t, http.StatusOK, a.Status, a.Raw)
			require.Empty(t, a.Errors, a.Raw)
		})
	}
}

// Nobody but the page itself is handed a customer's token, and nobody in production.
func TestGraphiQLHandsTokensToItselfOnly(t *testing.T) {
	t.Parallel()
	token := func(s *shop, headers ...header) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test"+graphiql.PresetsPath, strings.NewReader(`{"customer":"AW00011000"}`))
		for _, h := range headers {
			r.Header.Set(h[0], h[1])
		}
		return s.send(t, r).Status
	}
	own, csrf := header{"Origin", "http://portico.test"}, header{"X-CSRF", "1"}
	development := open(t, func(b *edge.Backend) { b.Config.Mode = edge.Development })
	assert.Equal(t, http.StatusBadGateway, token(development, own, csrf), "there is no sandbox here, but it would be asked")
	for _, headers := range [][]header{{own}, {{"Origin", "https://evil.example"}, csrf}, {{"Origin", "null"}, csrf}, {{"Sec-Fetch-Site", "cross-site"}, csrf}} {
		assert.Equal(t, http.StatusForbidden, token(development, headers...), headers)
	}
	assert.Equal(t, http.StatusNotFound, token(open(t), own, csrf))
}
