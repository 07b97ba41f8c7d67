package bffweb

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestTheSchemaExplainsEveryReason(t *testing.T) {
	t.Parallel()
	words := commercetest.Reasons(t)
	require.GreaterOrEqual(t, len(words), 9)
	report := regexp.MustCompile("(?s)- `reason`.*?\n- ").FindString(sdl(t).Description)
	var explained []string
	for _, match := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(report, -1) {
		explained = append(explained, match[1])
	}
	slices.Sort(explained)
	assert.Equal(t, words, slices.DeleteFunc(explained, func(s string) bool { return s == "reason" }))
}

// TestReasonsOfTheTransportReachTheReport breaks the PIM in each way that has a
// reason of its own, and asks for two of its parts until the reason is given.
func TestReasonsOfTheTransportReachTheReport(t *testing.T) {
	t.Parallel()
	failing := func(mode string, status int) sandbox.Fault {
		return sandbox.Fault{System: "pimcore", Operation: "*", ErrorRate: 1, Mode: mode, Status: status}
	}
	hanging := failing(sandbox.ModeHang, 0)
	for reason, c := range map[string]struct {
		fault   sandbox.Fault
		environ []string
	}{
		"unavailable":   {failing(sandbox.ModeReset, 0), nil},
		"rate-limited":  {failing(sandbox.ModeStatus, http.StatusTooManyRequests), nil},
		"bad-answer":    {failing(sandbox.ModeGarbage, 0), nil},
		"timeout":       {hanging, []string{"PIM_ATTEMPT_TIMEOUT=100ms", "PIM_MAX_ATTEMPTS=1"}},
		"bulkhead-full": {hanging, []string{"PIM_MAX_CONCURRENT=1", "PIM_ATTEMPT_TIMEOUT=600ms", "PIM_MAX_ATTEMPTS=1"}},
		"budget-spent":  {failing(sandbox.ModeStatus, http.StatusBadGateway), nil},
		"breaker-open":  {failing(sandbox.ModeStatus, http.StatusInternalServerError), nil},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			s, systems := sandboxed(t, c.environ...)
			systems.Faults(t, c.fault)
			for range 40 {
				a := s.query(t, `{ categories { id } product(sku: "HL-U509-R") { name } }`, nil)
				require.Equal(t, http.StatusOK, a.Status)
				require.Len(t, a.Extensions.Freshness, 2, a.Raw)
				if a.hasReason(t, reason) {
					return
				}
			}
			assert.Fail(t, "never given", reason)
		})
	}
}

// hasReason looks for a reason in the report, whose every line is about a missing
// part of the PIM.
func (a answer) hasReason(t *testing.T, reason string) bool {
	t.Helper()
	var paths [][]any // of the errors, which stand in the order in which parts failed
	for _, e := range a.Errors {
		paths = append(paths, e.Path)
	}
	found := false
	for _, line := range a.Extensions.Freshness {
		assert.Equal(t, "pimcore", line.Source)
		assert.Equal(t, "missing", line.State)
		if line.Reason == "breaker-open" {
			assert.Positive(t, line.RetryAfterMS, a.Raw)
			assert.LessOrEqual(t, line.RetryAfterMS, int64(1000))
		}
		assert.Contains(t, paths, line.Path, "an error at the same path")
		found = found || line.Reason == reason
	}
	return found
}

// TestOnlyAnsweredQueriesAreClientRequests holds what calls per request are
// measured by: not pages, preflights or what is refused before GraphQL.
func TestOnlyAnsweredQueriesAreClientRequests(t *testing.T) {
	t.Parallel()
	systems := sandboxtest.Start(t)
	cfg, err := Load(append([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "WEB_ORIGINS=https://shop.example"}, sandboxtest.Environ(systems.URL)...))
	require.NoError(t, err)
	cfg.Telemetry.Out = io.Discard
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Backend().Close(t.Context())) })
	s := &shop{handler: app.Handler()}
	perRequest := func() float64 {
		for _, state := range app.Backend().Registry.Systems() {
			if state.Role == "pim" {
				return state.CallsPerRequest
			}
		}
		return -1
	}

	s.ok(t, `{ categories { id } }`, nil)
	require.InDelta(t, 1, perRequest(), 0)
	for method, headers := range map[string][]header{
		http.MethodGet:     {{"Accept", "text/html"}},
		http.MethodOptions: {{"Origin", "https://shop.example"}, {"Access-Control-Request-Method", "POST"}},
		http.MethodPost:    {{"Authorization", "Bearer no-such-token"}},
	} {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://portico.test/graphql", http.NoBody)
		require.NoError(t, err)
		for _, h := range headers {
			r.Header.Set(h[0], h[1])
		}
		s.send(t, r)
	}
	require.InDelta(t, 1, perRequest(), 0)
	s.ok(t, `{ categories { id } }`, nil)
	require.InDelta(t, 0.5, perRequest(), 0, "answered from the cache")
}
