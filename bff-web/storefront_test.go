package bffweb

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/storefront"
)

// built wires the channel from settings, for tests that look at its routes.
func built(t *testing.T, environ ...string) *App {
	t.Helper()
	cfg, err := Load(environ)
	require.NoError(t, err)
	cfg.Telemetry.Out = io.Discard
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Close(t.Context())) })
	return app
}

func browsed(t *testing.T, app *App, path string) int {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://portico.test"+path, nil)
	r.Header.Set("Accept", "text/html")
	app.Handler().ServeHTTP(w, r)
	return w.Code
}

// In development the shop is there beside GraphiQL; in production it is when a setting says so, on its own documents alone, and nobody's token is handed out.
func TestTheShopIsServed(t *testing.T) {
	t.Parallel()
	production := []string{"ORDER_TOKEN_KEY=0123456789abcdef0123456789abcdef"}
	for name, c := range map[string]struct {
		environ        []string
		shop, graphiQL int
	}{
		"development":               {[]string{"PORTICO_MODE=development"}, http.StatusOK, http.StatusOK},
		"production":                {append(production, "WEB_DOCUMENTS_DIR=../demo/stack/documents"), http.StatusNotFound, http.StatusNotAcceptable},
		"production, when it is on": {append(production, "WEB_STOREFRONT=true", "WEB_DEMO_URL=http://127.0.0.1:1"), http.StatusOK, http.StatusNotAcceptable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := built(t, c.environ...)
			for _, path := range []string{"/", "/product/BK-M82S-38", "/storefront/settings"} {
				assert.Equal(t, c.shop, browsed(t, app, path), path)
			}
			assert.Equal(t, c.graphiQL, browsed(t, app, Route))
			assert.Equal(t, http.StatusNotFound, browsed(t, app, "/nothing"))
			var documents map[string]string
			require.NoError(t, json.Unmarshal(storefront.Documents(), &documents))
			for id := range documents {
				assert.Equal(t, c.shop == http.StatusOK, app.published.Find(id) != nil, id)
			}
		})
	}
}
