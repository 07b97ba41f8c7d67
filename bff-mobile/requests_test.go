package bffmobile

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

// keptRequest is a request of /requests, as far as tests look at it.
type keptRequest struct {
	Why, Errors              []string
	RequestID, Route, Answer string
	Status                   int
	MS                       float64
	Market                   map[string]string
	Parts                    []struct{ Part, System, State, Reason string }
	Waterfall                *struct {
		Calls []struct {
			System, Operation, Outcome string
			Tries                      int
		}
	}
}

func (r keptRequest) systems() map[string]string {
	list := map[string]string{}
	for _, c := range r.Waterfall.Calls {
		list[c.System] = c.Outcome
	}
	return list
}

// requests are those that the admin address tells of, the last first, and its text.
func (s *shop) requests(t *testing.T) ([]keptRequest, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.app.Backend().Admin().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/requests", nil))
	require.Equal(t, http.StatusOK, w.Code)
	var shown struct {
		Channel  string
		Requests []keptRequest
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &shown), w.Body.String())
	assert.Equal(t, "mobile", shown.Channel)
	return shown.Requests, w.Body.String()
}

func TestWhoeverIsOnCallSeesTheLastRequestsThatWentBadly(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	s := against(t, box, "REQUESTS_SLOW=150ms", "REQUEST_TIMEOUT=20s")
	fixture := box.Fixture()
	token := box.Token(t, fixture.Customer.Subject)
	down := func(system string) sandbox.Fault {
		return sandbox.Fault{System: system, Operation: "*", ErrorRate: 1, Status: http.StatusServiceUnavailable, Mode: sandbox.ModeStatus}
	}

	box.Faults(t, down("openloyalty"))
	require.Equal(t, http.StatusOK, s.checked(t, get("/v1/screens/account", "Authorization", "Bearer "+token)).Status)
	box.Faults(t, down("odoo"))
	require.Equal(t, http.StatusOK, s.checked(t, get("/v1/screens/products/"+string(fixture.Reviewed), "X-Channel", "eu")).Status)
	box.Faults(t, down("pimcore"))
	require.Equal(t, http.StatusServiceUnavailable, s.checked(t, get("/v1/screens/products/"+string(fixture.SoldOut))).Status)
	box.Faults(t, down("magento"))
	require.Equal(t, http.StatusServiceUnavailable, s.checked(t, call{"POST", "/v1/carts", `{}`, nil}).Status)
	box.Faults(t, sandbox.Fault{System: "elasticsearch", Operation: "*", LatencyMs: 200})
	require.Equal(t, http.StatusOK, s.checked(t, get("/v1/screens/search?q=canary-of-a-query")).Status)
	require.Equal(t, http.StatusBadRequest, s.checked(t, get("/v1/screens/search?first=0")).Status)

	all, text := s.requests(t)
	require.Len(t, all, 5, text)
	slow, cart, failed, degraded, account := all[0], all[1], all[2], all[3], all[4]
	assert.Equal(t, []string{"slow"}, slow.Why)
	assert.Equal(t, "/v1/screens/search", slow.Route)
	assert.Contains(t, slow.systems(), "elasticsearch")
	assert.Equal(t, "failed", cart.Why[0])
	assert.Equal(t, []string{"unavailable"}, cart.Errors)
	assert.Contains(t, cart.systems(), "magento", "a write's calls are seen when it fails")
	assert.Equal(t, "degraded", account.Why[0], "one's own screens have their parts")
	assert.NotEmpty(t, account.Parts)
	assert.Equal(t, "failed", failed.Why[0])
	assert.Equal(t, http.StatusServiceUnavailable, failed.Status)
	assert.Equal(t, "unavailable", failed.systems()["pimcore"], "a screen that could not be made has its calls")
	assert.Equal(t, "degraded", degraded.Why[0])
	assert.Equal(t, "/v1/screens/products/:sku", degraded.Route)
	assert.Equal(t, map[string]string{"channel": "eu", "locale": "fr", "currency": "EUR", "country": "FR"}, degraded.Market)
	assert.Equal(t, "price", degraded.Parts[len(degraded.Parts)-1].Part)
	assert.Equal(t, "missing", degraded.Parts[0].State)
	for _, canary := range []string{token, "canary-of-a-query", fixture.Customer.Subject, string(fixture.Reviewed), "@", "127.0.0.1"} {
		assert.NotContains(t, text, canary)
	}
}
