package bffweb

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
)

// keptRequest is a request of /requests, as far as tests look at it.
type keptRequest struct {
	Why, Errors                                   []string
	RequestID, Method, Route, Operation, Document string
	Answer                                        string
	Status                                        int
	MS                                            float64
	Market                                        map[string]string
	Parts                                         []struct{ Part, System, State, Reason string }
	Waterfall                                     *shownTrace
}

// requests are those that the admin address tells of, the last first, and its text.
func (s *shop) requests(t *testing.T) ([]keptRequest, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.admin.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/requests", nil))
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
	var shown struct {
		Channel  string
		SlowMS   float64
		Requests []keptRequest
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &shown), w.Body.String())
	assert.Equal(t, "web", shown.Channel)
	assert.Positive(t, shown.SlowMS)
	return shown.Requests, w.Body.String()
}

// systemsOf are the systems that a request called, each with how its last call ended.
func (r keptRequest) systemsOf() map[string]string {
	list := map[string]string{}
	for _, c := range r.Waterfall.Calls {
		list[c.System] = c.Outcome
	}
	return list
}

func TestWhoeverIsOnCallSeesTheLastRequestsThatWentBadly(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t, "REQUESTS_SLOW=150ms", "REQUEST_TIMEOUT=20s")
	page := `query Page($sku: String!) { product(sku: $sku) { name price { unit { amount } } } }`
	first, _ := s.requests(t)
	assert.Empty(t, first)

	s.ok(t, page, map[string]any{"sku": "HL-U509-R"})
	one, _ := s.requests(t)
	require.Len(t, one, 1)
	assert.Contains(t, [][]string{{"slowest"}, {"slow"}}, one[0].Why, "what went well is among the slowest as long as few were asked")
	assert.Equal(t, map[string]string{"pimcore": "ok", "odoo": "ok"}, one[0].systemsOf())

	systems.Faults(t, sandbox.Fault{System: "odoo", Operation: "*", ErrorRate: 1, Status: http.StatusServiceUnavailable, Mode: sandbox.ModeStatus})
	s.query(t, page, map[string]any{"sku": "BK-R93R-62"}, header{"X-Request-Id", "the-degraded-one"}, header{"X-Channel", "eu"})
	systems.Faults(t, sandbox.Fault{System: "pimcore", Operation: "*", ErrorRate: 1, Status: http.StatusServiceUnavailable, Mode: sandbox.ModeStatus})
	s.query(t, page, map[string]any{"sku": "FR-R92B-58"})
	systems.Faults(t, sandbox.Fault{System: "elasticsearch", Operation: "*", LatencyMs: 200})
	s.ok(t, `query Slow { search(text: "helmet", first: 2) { totalCount } }`, nil)
	s.query(t, `{ nonsense }`, nil)

	all, text := s.requests(t)
	require.Len(t, all, 4, text)
	slow, failed, degraded := all[0], all[1], all[2]
	assert.Equal(t, []string{"slow"}, slow.Why)
	assert.Equal(t, "Slow", slow.Operation)
	assert.GreaterOrEqual(t, slow.MS, 200.0)
	assert.Equal(t, map[string]string{"elasticsearch": "ok"}, slow.systemsOf())

	assert.Equal(t, "failed", failed.Why[0])
	assert.Equal(t, http.StatusOK, failed.Status, "as GraphQL has it")
	assert.Equal(t, []string{"UNAVAILABLE"}, failed.Errors)
	assert.Contains(t, failed.systemsOf()["pimcore"], "unavailable")

	assert.Equal(t, "degraded", degraded.Why[0])
	assert.Equal(t, "the-degraded-one", degraded.RequestID)
	assert.Equal(t, "/graphql", degraded.Route)
	assert.Equal(t, map[string]string{"channel": "eu", "locale": "fr", "currency": "EUR", "country": "FR"}, degraded.Market)
	require.Len(t, degraded.Parts, 1)
	assert.Equal(t, "product.price", degraded.Parts[0].Part)
	assert.Equal(t, "missing", degraded.Parts[0].State)
	assert.Equal(t, "odoo", degraded.Parts[0].System)
	i := slices.IndexFunc(degraded.Waterfall.Calls, func(c struct {
		System, Operation, Step, Outcome string
		StartMS                          float64 `json:"startMs"`
		MS                               float64 `json:"ms"`
		Keys, Tries, Bytes               int
		Paths                            []string
		Attempts                         []struct {
			Status  int
			Outcome string
			MS      float64 `json:"ms"`
		}
	},
	) bool {
		return c.System == "odoo" && c.Tries > 1
	})
	require.GreaterOrEqual(t, i, 0, "what was repeated is seen")
	assert.Equal(t, http.StatusServiceUnavailable, degraded.Waterfall.Calls[i].Attempts[0].Status)
}

// An answer in parts is kept for what is not well in any of them, with all that they took.
func TestKeptRequestsAreOfAllParts(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t, "REQUESTS_SLOW=20s", "REQUEST_TIMEOUT=30s")
	asked := header{"Accept", partsType}
	page := `query Page($sku: String!) { product(sku: $sku) { name ...@defer(label: "price") { price { unit { amount } } } ...@defer(label: "stock") { availability { quantity } } } }`
	warm := s.query(t, page, map[string]any{"sku": "HL-U509-R"}, asked)
	require.NotContains(t, warm.Raw, "freshness")
	one, text := s.requests(t)
	require.Len(t, one, 1, text)
	assert.Equal(t, []string{"slowest"}, one[0].Why, "nothing is wrong with it")

	systems.Faults(t, sandbox.Fault{System: "odoo", Operation: "*", ErrorRate: 1, Status: http.StatusServiceUnavailable, Mode: sandbox.ModeStatus})
	s.query(t, page, map[string]any{"sku": "BK-R93R-62"}, asked)
	systems.Faults(t, sandbox.Fault{System: "pimcore", Operation: "*", ErrorRate: 1, Status: http.StatusServiceUnavailable, Mode: sandbox.ModeStatus})
	s.query(t, `query Whole { search(text: "helmet", first: 2) { totalCount } ...@defer { product(sku: "FR-R92B-58") { name } } }`, nil, asked)
	all, text := s.requests(t)
	require.Len(t, all, 3, text)
	failed, degraded := all[0], all[1]

	assert.Equal(t, []string{"degraded"}, degraded.Why)
	assert.Equal(t, "Page", degraded.Operation)
	assert.Equal(t, map[string]string{"pimcore": "ok", "odoo": "unavailable"}, degraded.systemsOf())
	var parts []string
	for _, p := range degraded.Parts {
		assert.Equal(t, "odoo", p.System)
		assert.Equal(t, "missing", p.State)
		parts = append(parts, p.Part)
	}
	assert.ElementsMatch(t, []string{"product.price", "product.availability"}, parts)
	assert.Equal(t, []string{"UNAVAILABLE"}, degraded.Errors)

	assert.Equal(t, []string{"failed", "degraded"}, failed.Why, "a whole thing that was asked for could not be had")
	assert.Equal(t, "Whole", failed.Operation)
	assert.Equal(t, []string{"UNAVAILABLE"}, failed.Errors)
}

// Who asked, what they asked for and what was answered is in none of what is kept.
func TestKeptRequestsHoldNothingOfAnybody(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t, "REQUESTS_SLOW=1ms")
	token := systems.Token(t, "AW00011000")
	customer := header{"Authorization", "Bearer " + token}
	id := s.newCart(t, customer)
	canaries := []string{
		token, id, "HL-U509-R", "AW00011000", "11000", "@", "http:", "127.0.0.1", "html", "Bearer", "canary-of-a-header", "canary-of-a-query", "203.0.113.9",
		strings.TrimPrefix(systems.URL, "http://"),
	}
	for _, fault := range []sandbox.Fault{
		{System: "*", Operation: "*", LatencyMs: 2},
		{System: "openloyalty", Operation: "*", ErrorRate: 1, Status: http.StatusInternalServerError, Mode: sandbox.ModeStatus},
		{System: "*", Operation: "*", ErrorRate: 1, Mode: sandbox.ModeGarbage},
	} {
		systems.Faults(t, fault)
		a := s.query(t, `query Mine($id: ID!, $sku: String!) { # canary-of-a-query
		  me { profile { email firstName lastName } addresses { city street } loyalty { points } orders(first: 3) { nodes { number } } }
		  cart(id: $id) { lines { product { sku name } } }
		  product(sku: $sku) { name price { unit { amount } } }
		}`, map[string]any{"id": id, "sku": "HL-U509-R"}, customer, header{"X-Client-Name", "canary-of-a-header"}, header{"X-Forwarded-For", "203.0.113.9"}, header{"Referer", "https://shop.example/canary-of-a-header"})
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		if me, ok := a.Data["me"].(map[string]any); ok {
			if profile, ok := me["profile"].(map[string]any); ok {
				canaries = append(canaries, profile["email"].(string), profile["firstName"].(string), profile["lastName"].(string))
			}
		}
	}
	all, text := s.requests(t)
	require.GreaterOrEqual(t, len(all), 3, text)
	assert.Contains(t, text, `"operation":"Mine"`)
	assert.Contains(t, text, `"system":"magento"`, "what passes the cache by is seen, too")
	for _, canary := range canaries {
		assert.NotContains(t, text, canary)
	}
}

// What was asked for by its id is known by it; who made an answer and who waited for it
// both have the calls.
func TestKeptRequestsNameTheirDocuments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := `query Search($text: String!) { search(text: $text, first: 2) { totalCount } }`
	build(t, dir, "shop", "1", text)
	s, systems := sandboxed(t, "REQUESTS_SLOW=100ms", "WEB_DOCUMENTS_DIR="+dir)
	systems.Faults(t, sandbox.Fault{System: "elasticsearch", Operation: "*", LatencyMs: 300})
	body := `{"documentId":"` + idOf(text) + `","variables":{"text":"helmet"}}`
	other := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test/graphql", strings.NewReader(body))
	other.Header.Set("Content-Type", "application/json")
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.handler.ServeHTTP(httptest.NewRecorder(), other)
	}()
	s.post(t, body)
	<-done
	all, shown := s.requests(t)
	require.Len(t, all, 2, shown)
	for _, one := range all {
		assert.Equal(t, idOf(text), one.Document)
		assert.Equal(t, "Search", one.Operation)
		assert.Equal(t, map[string]string{"elasticsearch": "ok"}, one.systemsOf())
	}
}
