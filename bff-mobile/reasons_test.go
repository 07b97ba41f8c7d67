package bffmobile

import (
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestTheContractListsEveryReason(t *testing.T) {
	t.Parallel()
	words := commercetest.Reasons(t)
	require.GreaterOrEqual(t, len(words), 9)
	doc, err := contract()
	require.NoError(t, err)
	schema := doc.Components.Schemas["Reason"].Value
	var listed, explained []string
	for _, value := range schema.Enum {
		word, ok := value.(string)
		require.True(t, ok)
		listed = append(listed, word)
	}
	for _, match := range regexp.MustCompile("(?m)^- (`[a-z-]+`(?:, `[a-z-]+`)*):").FindAllStringSubmatch(schema.Description, -1) {
		explained = append(explained, regexp.MustCompile("[a-z-]+").FindAllString(match[1], -1)...)
	}
	slices.Sort(listed)
	slices.Sort(explained)
	require.Equal(t, words, listed)
	require.Equal(t, words, explained)
	require.Equal(t, "#/components/schemas/Reason", doc.Components.Schemas["Degraded"].Value.Properties["reason"].Ref)
}

// The PIM broken in each way that has a reason of its own: the home screen lists
// it, and stands.
func TestReasonsOfTheTransportReachTheScreen(t *testing.T) {
	t.Parallel()
	failing := func(mode string, status int) sandbox.Fault {
		return sandbox.Fault{System: "pimcore", Operation: "*", ErrorRate: 1, Mode: mode, Status: status}
	}
	hanging := failing(sandbox.ModeHang, 0)
	for reason, c := range map[api.Reason]struct {
		fault   sandbox.Fault
		environ []string
	}{
		api.ReasonUnavailable:  {failing(sandbox.ModeReset, 0), nil},
		api.ReasonRateLimited:  {failing(sandbox.ModeStatus, http.StatusTooManyRequests), nil},
		api.ReasonBadAnswer:    {failing(sandbox.ModeGarbage, 0), nil},
		api.ReasonTimeout:      {hanging, []string{"PIM_ATTEMPT_TIMEOUT=100ms", "PIM_MAX_ATTEMPTS=1"}},
		api.ReasonBulkheadFull: {hanging, []string{"PIM_MAX_CONCURRENT=1", "PIM_ATTEMPT_TIMEOUT=600ms", "PIM_MAX_ATTEMPTS=1"}},
		api.ReasonBudgetSpent:  {failing(sandbox.ModeStatus, http.StatusBadGateway), nil},
		api.ReasonBreakerOpen:  {failing(sandbox.ModeStatus, http.StatusInternalServerError), nil},
	} {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			box := sandboxtest.Start(t)
			s := against(t, box, c.environ...)
			box.Faults(t, c.fault)
			for range 40 {
				a := s.checked(t, get("/v1/screens/home"))
				require.Equal(t, http.StatusOK, a.Status, a.Raw)
				if hasReason(t, a, reason) {
					return
				}
			}
			require.Fail(t, "never given", reason)
		})
	}
}

// hasReason looks for a reason among the degraded parts, which are the PIM's.
func hasReason(t *testing.T, a answer, reason api.Reason) bool {
	t.Helper()
	found := false
	for _, d := range degradedOf(t, a) {
		require.Equal(t, "pimcore", d.Source)
		require.Equal(t, api.DegradedMissing, d.State)
		if d.Reason == api.ReasonBreakerOpen {
			require.Positive(t, d.RetryAfterMs, a.Raw)
			require.LessOrEqual(t, d.RetryAfterMs, int64(1000))
		}
		found = found || d.Reason == reason
	}
	return found
}

// A screen whose required part is refused says when to come back.
func TestAnOpenBreakerIsAProblemThatSaysWhen(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	s := against(t, box)
	box.Faults(t, sandbox.Fault{System: "pimcore", Operation: "*", ErrorRate: 1, Status: http.StatusInternalServerError})
	var a answer
	for range 40 {
		a = s.checked(t, get("/v1/screens/products/HL-U509-R"))
		require.Equal(t, http.StatusServiceUnavailable, a.Status, a.Raw)
		require.Equal(t, "1", a.Header.Get("Retry-After"))
	}
	require.Regexp(t, `"retryAfterMs":\d{1,4},`, a.Raw)
}

// What calls per request are measured by: not pages, files, or what is refused
// before the ports are asked.
func TestOnlyTheContractsRoutesAreClientRequests(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	s := against(t, box)
	perRequest := func() float64 {
		for _, state := range s.app.Backend().Registry.Systems() {
			if state.Role == "search" {
				return state.CallsPerRequest
			}
		}
		return -1
	}
	s.ok(t, get("/v1/screens/search?q=helmet"))
	require.InDelta(t, 1, perRequest(), 0)
	for _, path := range []string{"/docs", "/openapi.yaml", "/problems/timeout", "/no-such-page", "/v1/no-such-screen"} {
		s.send(t, get(path))
	}
	s.send(t, get("/v1/screens/search?q=helmet", "Authorization", "Bearer no-such-token"))
	require.InDelta(t, 1, perRequest(), 0)
	s.ok(t, get("/v1/screens/search?q=helmet"))
	require.InDelta(t, 0.5, perRequest(), 0, "answered from the cache")
}
