package graphiql_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/graphiql"
	"github.com/portico-bff/portico/bff-web/internal/presets"
)

func ask(t *testing.T, p graphiql.Presets, method, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "http://portico.test"+graphiql.PresetsPath, strings.NewReader(body)))
	return w
}

func TestPresetsNameMarketsCustomersAndExamples(t *testing.T) {
	t.Parallel()
	sandbox := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + r.URL.Path {
		case "GET/_sandbox/customers":
			_, _ = w.Write([]byte(`[{"customer":"AW1","name":"Ann","email":"ann@example.test","priceGroup":"retail","orders":2}]`))
		case "POST/_sandbox/token":
			var sent struct{ Customer string }
			if json.NewDecoder(r.Body).Decode(&sent) != nil || sent.Customer != "AW1" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = w.Write([]byte(`{"token":"s1gned"}`))
		}
	}))
	t.Cleanup(sandbox.Close)
	p := graphiql.Presets{Presets: presets.Presets{Markets: presets.Markets{Channels: []string{"us=en/USD/US"}, Currencies: []string{"USD"}}, DemoURL: sandbox.URL + "/"}}

	w := ask(t, p, http.MethodGet, "")
	require.Equal(t, http.StatusOK, w.Code)
	assert.Contains(t, w.Body.String(), `"channels":["us=en/USD/US"]`)
	assert.Contains(t, w.Body.String(), `"customers":[{"customer":"AW1","name":"Ann","priceGroup":"retail","orders":2}]`)
	assert.Contains(t, w.Body.String(), "query ProductPage")
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.NotContains(t, w.Body.String(), "s1gned", "a token is signed for who asks for it")

	w = ask(t, p, http.MethodPost, `{"customer":"AW1"}`)
	assert.JSONEq(t, `{"token":"s1gned"}`, w.Body.String())
	assert.Equal(t, http.StatusBadGateway, ask(t, p, http.MethodPost, `{"customer":"AW2"}`).Code)
	assert.Equal(t, http.StatusBadRequest, ask(t, p, http.MethodPost, `AW1`).Code)
	assert.Equal(t, http.StatusBadRequest, ask(t, p, http.MethodPost, `{"customer":"`+strings.Repeat("A", 2<<10)+`"}`).Code)
}

// Without a sandbox there are no customers to be, and the page works all the same.
func TestPresetsWithoutASandbox(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "http://127.0.0.1:1"} {
		p := graphiql.Presets{Presets: presets.Presets{DemoURL: url}}
		w := ask(t, p, http.MethodGet, "")
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Contains(t, w.Body.String(), `"customers":[]`)
		assert.Equal(t, http.StatusBadGateway, ask(t, p, http.MethodPost, `{"customer":"AW1"}`).Code)
	}
}
