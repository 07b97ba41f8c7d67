package bffweb

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// TestW4_EveryKindOfError takes each kind of error, bare and as connectors wrap it,
// from each system in turn: a client reads code, path and request id, and no word of
// the cause.
func TestW4_EveryKindOfError(t *testing.T) {
	t.Parallel()
	cause := errors.New("c4n4ry at https://pim.internal:8443/c4n4ry?apikey=c4n4ry")
	kinds := map[error]string{
		commerce.ErrInvalid: "BAD_USER_INPUT", commerce.ErrUnauthenticated: "UNAUTHENTICATED", commerce.ErrForbidden: "FORBIDDEN",
		commerce.ErrConflict: "CONFLICT", commerce.ErrRateLimited: "RATE_LIMITED", commerce.ErrTimeout: "TIMEOUT",
		commerce.ErrUnavailable: "UNAVAILABLE", commerce.ErrUpstream: "UPSTREAM_ERROR", cause: "INTERNAL",
	}
	for kind, code := range kinds {
		for name, err := range map[string]error{
			"plain": fmt.Errorf("GET https://pim.internal/c4n4ry: %w", kind),
			"call":  &commerce.CallError{System: "c4n4ry", Operation: "c4n4ry.read", Kind: kind, Err: cause},
		} {
			if kind == cause && name == "call" {
				continue // a call's error has a kind
			}
			t.Run(code+" "+name, func(t *testing.T) {
				t.Parallel()
				for _, system := range fiveSystems {
					s, cart := loaded(t)
					for _, op := range system.ops {
						s.Fail(op, err)
					}
					a := s.query(t, wholeShop, everythingOf(t, cart), header{"Authorization", "Bearer C1"}, header{"X-Request-Id", "mine"})
					require.NotEmpty(t, a.Errors, a.Raw)
					for _, e := range a.Errors {
						assert.Equal(t, code, e.Extensions["code"], a.Raw)
						onlySaysWhereAndWhat(t, e.Extensions, e.Path, a.Raw)
					}
					for i := range a.Extensions.Freshness { // the report names the system, as it is configured
						a.Raw = strings.ReplaceAll(a.Raw, `"source":"`+a.Extensions.Freshness[i].Source+`"`, "")
					}
					assert.NotContains(t, a.Raw, "c4n4ry")
					assert.NotContains(t, a.Raw, "internal:")
				}
			})
		}
	}
}

func onlySaysWhereAndWhat(t *testing.T, extensions map[string]any, path []any, raw string) {
	t.Helper()
	assert.NotEmpty(t, path, raw)
	assert.Equal(t, "mine", extensions["requestId"], raw)
	for name := range extensions {
		assert.True(t, slices.Contains([]string{"code", "requestId"}, name), "%s: %s", name, raw)
	}
}

// TestW4_NothingOfAnUpstreamPassesThrough has every system answer each status with a
// body full of canaries, from an address that is one.
func TestW4_NothingOfAnUpstreamPassesThrough(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503} {
		for name, body := range map[string]string{
			"html":    `<html>c4n4ry <a href="https://c4n4ry.internal/c4n4ry">c4n4ry</a></html>`,
			"object":  `{"message":"c4n4ry","errors":[{"message":"c4n4ry"}],"error":{"message":"c4n4ry","data":{"debug":"c4n4ry"}},"trace":"c4n4ry"}`,
			"garbage": "c4n4ry\x00{",
		} {
			t.Run(fmt.Sprint(status, " ", name), func(t *testing.T) {
				t.Parallel()
				s, host := answering(t, status, body)
				for query, variables := range map[string]map[string]any{
					wholeShop: {"cart": "g_00000000000000000000000000001001", "to": object(t, addressJSON), "own": true},
					`mutation { cartCreate { cart { id } userErrors { code message } } }`:                                                             nil,
					`mutation { cartLineAdd(input: {cartId: "g_00000000000000000000000000001001", sku: "MUG-RED"}) { userErrors { code message } } }`: nil,
				} {
					a := s.query(t, query, variables)
					require.Equal(t, http.StatusOK, a.Status, a.Raw)
					assert.NotContains(t, a.Raw, "c4n4ry")
					assert.NotContains(t, a.Raw, host)
					for _, values := range a.Header {
						assert.NotContains(t, strings.Join(values, " "), "c4n4ry")
					}
				}
			})
		}
	}
}

// answering is the channel as it ships over systems that all answer the same.
func answering(t *testing.T, status int, body string) (s *shop, host string) {
	t.Helper()
	systems := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Debug", "c4n4ry")
		w.Header().Set("Location", "https://c4n4ry.internal/")
		w.Header().Set("Set-Cookie", "c4n4ry=c4n4ry")
		w.WriteHeader(status)
		if status != http.StatusNoContent {
			_, _ = io.WriteString(w, body)
		}
	}))
	t.Cleanup(systems.Close)
	cfg, err := Load(append(sandboxtest.Environ(systems.URL+"/c4n4ry"), "PORTICO_MODE=development", "WEB_OPEN_QUERIES=true"))
	require.NoError(t, err)
	cfg.Telemetry.Out = io.Discard
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Close(t.Context())) })
	return &shop{handler: app.Handler()}, strings.TrimPrefix(systems.URL, "http://")
}
