package bffmobile

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// What a system behind refuses is named as this channel's clients know it.
func TestRefusalsNameTheParameterThatWasSent(t *testing.T) {
	t.Parallel()
	s := against(t, sandboxtest.Start(t))
	for path, field := range map[string]string{
		"/v1/screens/search?facet=nope:1":                  "facet",
		"/v1/screens/categories/101?facet=price:1":         "facet",
		"/v1/screens/search?priceMin=5&priceMax=1":         "priceMax",
		"/v1/screens/categories/101?priceMin=2&priceMax=1": "priceMax",
		"/v1/screens/search?after=x":                       "after",
	} {
		a := s.checked(t, get(path))
		require.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
		require.Equal(t, field, fieldOf(t, a), path)
	}
	var cart struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(s.ok(t, call{"POST", "/v1/carts", `{}`, nil}).Raw), &cart))
	a := s.checked(t, call{"POST", "/v1/carts/" + cart.ID + "/order", `{"paymentMethod":"checkmo"}`, keyed("k")})
	require.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
	require.Equal(t, "id", fieldOf(t, a), a.Raw)
}

func fieldOf(t *testing.T, a answer) string {
	t.Helper()
	var p struct{ Field string }
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &p), a.Raw)
	return p.Field
}

// An order that the back office has not taken over yet is whole: that it is
// pending says all there is to say.
func TestAnOrderJustPlacedIsNotDegraded(t *testing.T) {
	t.Parallel()
	s := against(t, sandboxtest.Start(t))
	var cart struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(s.ok(t, call{"POST", "/v1/carts", `{}`, nil}).Raw), &cart))
	path := "/v1/carts/" + cart.ID
	s.ok(t, call{"POST", path + "/lines", `{"sku":"HL-U509","quantity":1}`, nil})
	var ways struct{ Options []struct{ Code string } }
	offered := s.ok(t, call{"POST", path + "/shipping-options", `{"address":` + seattle + `}`, nil})
	require.NoError(t, json.Unmarshal([]byte(offered.Raw), &ways))
	s.ok(t, call{"PUT", path + "/shipping", `{"email":"a@example.test","shippingAddress":` + seattle + `,"methodCode":"` + ways.Options[0].Code + `"}`, nil})
	var placed struct{ Number, OrderToken string }
	require.NoError(t, json.Unmarshal([]byte(s.ok(t, call{"POST", path + "/order", `{"paymentMethod":"checkmo"}`, keyed("k")}).Raw), &placed))
	a := s.checked(t, get("/v1/orders/"+placed.Number, "X-Order-Token", placed.OrderToken))
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Contains(t, a.Raw, `"pendingSync":true`)
	require.Empty(t, degradedOf(t, a), a.Raw)
}

// A facet without choices is nothing to show.
func TestFacetsWithoutChoicesAreLeftOut(t *testing.T) {
	t.Parallel()
	s := against(t, sandboxtest.Start(t))
	a := s.checked(t, get("/v1/screens/search?q=helmet"))
	require.Contains(t, a.Raw, `"code":"color"`)
	require.NotContains(t, a.Raw, `"values":[]`)
}

// An app whose key got lost on the way is told so, rather than left unprotected.
func TestK1_AnEmptyKeyIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.checked(t, call{"POST", "/v1/carts", `{}`, keyed("")})
	require.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
	require.Equal(t, "Idempotency-Key", fieldOf(t, a))
	require.Zero(t, s.TotalCalls())
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, path := range []string{"/v1/screens/home", "/v1/screens/products/MUG-RED", "/v1/screens/products/NO-SUCH", "/docs"} {
		read := s.send(t, get(path))
		head := s.send(t, call{"HEAD", path, "", nil})
		require.Equal(t, read.Status, head.Status, path)
		require.Empty(t, head.Raw, path)
		for _, name := range []string{"Content-Type", "Cache-Control", "Vary", "Content-Language", "X-Request-Id"} {
			require.Equal(t, read.Header.Get(name), head.Header.Get(name), "%s %s", path, name)
		}
	}
	require.Zero(t, s.Calls(commerce.OpCartRead))
}
