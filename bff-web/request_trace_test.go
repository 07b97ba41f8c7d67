package bffweb

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/graphhttp"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

var showTrace = header{"X-Trace", "1"}

// shownTrace is extensions.trace, as far as tests look at it.
type shownTrace struct {
	TotalMS float64 `json:"totalMs"`
	OwnMS   float64 `json:"ownMs"`
	Systems []struct {
		System string  `json:"system"`
		Calls  int     `json:"calls"`
		MS     float64 `json:"ms"`
	} `json:"systems"`
	Reads []struct {
		System, Operation, Cache, State, Reason string
		Keys                                    int
		Paths                                   []string
	} `json:"reads"`
	Calls []struct {
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
	} `json:"calls"`
}

// trace is the answer's, which has to have one.
func (a answer) trace(t *testing.T) (shown shownTrace) {
	t.Helper()
	var raw struct {
		Extensions struct {
			Trace json.RawMessage `json:"trace"`
		} `json:"extensions"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &raw))
	require.NotEmpty(t, raw.Extensions.Trace, a.Raw)
	require.NoError(t, json.Unmarshal(raw.Extensions.Trace, &shown))
	return shown
}

// inProduction is s with what it shows in production to who signs with secret.
func inProduction(t *testing.T, secret commerce.Secret, change ...func(*edge.Backend)) *shop {
	t.Helper()
	var backend *edge.Backend
	s := open(t, append(change, func(b *edge.Backend) { backend = b })...)
	s.handler = routes(stack{Backend: backend, verifier: tokens{s.Fixture()}, published: s.documents}, Config{Config: backend.Config, Trace: Trace{Secret: secret}})
	return s
}

func TestTracesInProductionAreForWhoSigns(t *testing.T) {
	t.Parallel()
	secret := commerce.Secret(strings.Repeat("s", 32))
	query := `{product(sku:"MUG-RED"){name}}`
	s, off := inProduction(t, secret), inProduction(t, "")
	signed := header{"X-Trace", graphhttp.SignTrace(secret, query, time.Now())}
	a := s.ok(t, query, nil, signed)
	a.trace(t)
	assert.Equal(t, "private, no-store", a.Header.Get("Cache-Control"))
	for name, got := range map[string]answer{
		"for another document":  s.ok(t, query+" ", nil, signed),
		"by somebody else":      s.ok(t, query, nil, header{"X-Trace", graphhttp.SignTrace(secret+"x", query, time.Now())}),
		"long ago":              s.ok(t, query, nil, header{"X-Trace", graphhttp.SignTrace(secret, query, time.Now().Add(-2*time.Minute))}),
		"not at all":            s.ok(t, query, nil, showTrace),
		"where nobody is shown": off.ok(t, query, nil, signed),
		"unasked":               s.ok(t, query, nil),
	} {
		assert.NotContains(t, got.Raw, "trace", name)
		assert.NotContains(t, got.Header.Get("Cache-Control"), "private", name)
		assert.NotEmpty(t, got.Header.Get("Server-Timing"), name)
	}
	assert.Contains(t, s.log.String(), "a trace was refused")
	assert.NotContains(t, s.log.String(), signed[1])
}

func TestASecretThatIsTooShortIsReported(t *testing.T) {
	t.Parallel()
	_, err := Load([]string{"WEB_TRACE_SECRET=" + strings.Repeat("s", 31)})
	require.ErrorContains(t, err, "WEB_TRACE_SECRET must have at least 32 bytes")
	assert.NotContains(t, err.Error(), "sss")
	cfg, err := Load([]string{"PORTICO_MODE=development", "WEB_TRACE_SECRET=" + strings.Repeat("s", 32)})
	require.NoError(t, err)
	assert.NotContains(t, cfg.Trace.Secret.String(), "s"+"ss")
}

// What is kept for everyone has no trace in it, and who asks for a trace is given
// nothing that is kept.
func TestKeptAnswersAndTracesNeverMeet(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t, func(b *edge.Backend) { b.Config.Mode = edge.Development })
	for hit, send := range map[string]func(testing.TB, string, map[string]any, ...header) answer{"cache;desc=hit": s.by, "": s.ok} {
		send(t, pageQuery, red(), showTrace).trace(t)
		assert.NotContains(t, send(t, pageQuery, red()).Raw, "trace")
		a := send(t, pageQuery, red())
		assert.NotContains(t, a.Raw, "trace")
		assert.Equal(t, hit, a.Header.Get("Server-Timing"), "by POST nothing was waited for, and nothing says so")
		a = send(t, pageQuery, red(), showTrace)
		a.trace(t)
		assert.Equal(t, "private, no-store", a.Header.Get("Cache-Control"))
		assert.Empty(t, a.Header.Get("Age"))
		assert.Empty(t, a.Header.Get("Surrogate-Key"))
		assert.Contains(t, a.Header.Get("Server-Timing"), "cache;desc=bypass")
		assert.Equal(t, hit, send(t, pageQuery, red()).Header.Get("Server-Timing"))
	}
}

func TestPagesOfAllowedOriginsMayReadTheTiming(t *testing.T) {
	t.Parallel()
	s := open(t)
	csrf := header{"X-CSRF", "1"}
	a := s.ok(t, `{product(sku:"MUG-RED"){name}}`, nil, header{"Origin", "https://shop.example"}, csrf)
	assert.Equal(t, "https://shop.example", a.Header.Get("Timing-Allow-Origin"))
	assert.Contains(t, a.Header.Get("Access-Control-Expose-Headers"), "Server-Timing")
	assert.Regexp(t, `^own;dur=[0-9.]+, total;dur=[0-9.]+, cache;desc=bypass$`, a.Header.Get("Server-Timing"))
	a = s.query(t, `{product(sku:"MUG-RED"){name}}`, nil, header{"Origin", "https://evil.example"}, csrf)
	assert.Empty(t, a.Header.Get("Timing-Allow-Origin"))
	assert.Empty(t, s.ok(t, `{__typename}`, nil).Header.Get("Timing-Allow-Origin"), "who sends no Origin needs none")
	assert.Empty(t, s.query(t, `{nonsense}`, nil).Header.Get("Server-Timing"), "nothing was executed")

	r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "http://portico.test/graphql", nil)
	r.Header.Set("Origin", "https://shop.example")
	r.Header.Set("Access-Control-Request-Method", http.MethodPost)
	assert.Contains(t, s.send(t, r).Header.Get("Access-Control-Allow-Headers"), "X-Trace")
}

// One system dead, one slow: the page stands, and the trace tells why it took as long.
func TestATraceTellsWhoIsDeadAndWhoIsSlow(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t)
	systems.Faults(t, sandbox.Fault{System: "odoo", Operation: "*", ErrorRate: 1, Status: http.StatusServiceUnavailable, Mode: sandbox.ModeStatus},
		sandbox.Fault{System: "pimcore", Operation: "*", LatencyMs: 80})
	a := s.query(t, `{product(sku:"HL-U509-R"){name price{unit{amount}} availability{quantity} reviews{count}}}`, nil, showTrace)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	shown := a.trace(t)
	byPath := map[string]string{}
	for _, r := range shown.Reads {
		for _, path := range r.Paths {
			byPath[path] = strings.Join([]string{r.System, r.Cache, r.State}, " ")
		}
	}
	assert.Equal(t, map[string]string{
		"product": "pimcore loaded fresh", "product.reviews": "pimcore loaded fresh",
		"product.price": "odoo loaded missing", "product.availability": "odoo loaded missing",
	}, byPath)
	tries := 0
	for _, c := range shown.Calls {
		switch c.System {
		case "pimcore":
			assert.Equal(t, "ok", c.Outcome)
			assert.GreaterOrEqual(t, c.MS, 80.0)
			assert.Positive(t, c.Bytes)
		case "odoo":
			assert.Contains(t, []string{"unavailable", "budget-spent"}, c.Outcome)
			assert.Len(t, c.Attempts, c.Tries)
			for _, attempt := range c.Attempts {
				assert.Equal(t, http.StatusServiceUnavailable, attempt.Status)
			}
			tries = max(tries, c.Tries)
		}
		assert.NotEmpty(t, c.Paths)
		assert.Equal(t, 1, c.Keys)
	}
	assert.Greater(t, tries, 1, "what was repeated is seen")
	require.Len(t, shown.Systems, 2)
	timing := a.Header.Get("Server-Timing")
	assert.Contains(t, timing, "odoo;dur=")
	assert.Contains(t, timing, "pimcore;dur=")
	assert.LessOrEqual(t, shown.OwnMS, shown.TotalMS-80)
}

// A trace and the timing hold names and figures: nothing of who asked, of what they
// asked for, of where the systems are, or of what these said.
func TestTracesHoldNothingOfAnybody(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t)
	token := systems.Token(t, "AW00011000")
	customer := header{"Authorization", "Bearer " + token}
	id := s.newCart(t, customer)
	s.change(t, "cartLineAdd", map[string]any{"cartId": id, "sku": "HL-U509-R", "quantity": 2}, customer)
	for _, fault := range []sandbox.Fault{
		{System: "*", Operation: "*", LatencyMs: 1},
		{System: "openloyalty", Operation: "*", ErrorRate: 1, Status: http.StatusInternalServerError, Mode: sandbox.ModeStatus},
		{System: "openloyalty", Operation: "*", ErrorRate: 1, Mode: sandbox.ModeGarbage},
	} {
		systems.Faults(t, fault)
		a := s.query(t, `query Canary($id: ID!, $sku: String!) {
		  me { profile { email firstName lastName } addresses { city street } loyalty { points } orders(first: 3) { nodes { number } } }
		  cart(id: $id) { lines { product { sku name } } }
		  product(sku: $sku) { name price { unit { amount } } }
		}`, map[string]any{"id": id, "sku": "HL-U509-R"}, customer, showTrace)
		shown := a.trace(t)
		assert.NotEmpty(t, shown.Calls)
		assert.Contains(t, a.Header.Get("Server-Timing"), "magento;dur=", "what passes the cache by is seen, too")
		var raw struct {
			Extensions map[string]json.RawMessage `json:"extensions"`
		}
		require.NoError(t, json.Unmarshal([]byte(a.Raw), &raw))
		told := string(raw.Extensions["trace"]) + a.Header.Get("Server-Timing")
		canaries := []string{
			token, id, "HL-U509-R", "AW00011000", "11000", "@", "http:", "127.0.0.1", "html", "?", "Canary", "Bearer",
			strings.TrimPrefix(systems.URL, "http://"),
		}
		if profile, ok := at(t, a.Data, "me").(map[string]any)["profile"].(map[string]any); ok {
			canaries = append(canaries, profile["email"].(string), profile["firstName"].(string), profile["lastName"].(string))
		}
		for _, canary := range canaries {
			assert.NotContains(t, told, canary)
		}
	}
}
