package bffmobile

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

// against is the channel over the imitated systems, wired as in production.
func against(t *testing.T, box *sandboxtest.Sandbox, environ ...string) *shop {
	t.Helper()
	cfg, err := Load(append(append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development"), environ...))
	require.NoError(t, err)
	cfg.Telemetry.Out = io.Discard
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, app.Backend().Close(t.Context())) })
	return &shop{app: app}
}

func TestScreensOverTheImitatedSystems(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	s := against(t, box)
	fixture := box.Fixture()
	bearer := []string{"Authorization", "Bearer " + box.Token(t, fixture.Customer.Subject)}
	var first struct {
		Products struct{ EndCursor string }
	}
	search := s.checked(t, get("/v1/screens/search?q=helmet&first=1"))
	require.NoError(t, json.Unmarshal([]byte(search.Raw), &first))
	for _, c := range []call{
		get("/v1/screens/home"),
		get("/v1/screens/home", "X-Channel", "eu", "Accept-Language", "he"),
		get("/v1/screens/categories/" + string(fixture.Category)),
		get("/v1/screens/search?first=100&sort=PRICE_DESC"),
		get("/v1/screens/search?q=helmet&first=1&after=" + first.Products.EndCursor),
		get("/v1/screens/products/" + string(fixture.Reviewed)),
		get("/v1/screens/products/" + string(fixture.SoldOut)),
		get("/v1/screens/account", bearer...),
		get("/v1/orders", bearer...),
		get("/v1/screens/products/"+string(fixture.Reviewed), bearer...),
	} {
		a := s.checked(t, c)
		require.Equal(t, http.StatusOK, a.Status, "%s: %s", c.path, a.Raw)
		require.Empty(t, degradedOf(t, a), "%s: %s", c.path, a.Raw)
	}
	unknown := s.checked(t, get("/v1/screens/products/"+string(fixture.Unknown)))
	require.Equal(t, http.StatusNotFound, unknown.Status, unknown.Raw)
}

// A cold screen asks each operation once per round, however many products it shows.
func TestAScreenAsksEachOperationOnceARound(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	s := against(t, box)
	s.ok(t, get("/v1/screens/search?first=50"))
	calls := box.Calls(t)
	require.LessOrEqual(t, calls["odoo"]["product.product.search_read"], 2, "which ids the SKUs have: for prices, and for stock")
	delete(calls["odoo"], "product.product.search_read")
	for system, operations := range calls {
		for operation, n := range operations {
			require.Equal(t, 1, n, "%s %s", system, operation)
		}
	}
	require.Len(t, calls, 3, "the search engine, the PIM and the ERP")
}
