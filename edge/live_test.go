package edge

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// live asks /systems.
func live(t *testing.T, b *Backend) ([]transport.SystemState, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	b.Admin().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/systems", nil))
	require.Equal(t, http.StatusOK, rec.Code)
	assert.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	assert.Equal(t, "application/json; charset=utf-8", rec.Header().Get("Content-Type"))
	var shown struct{ Systems []transport.SystemState }
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &shown), rec.Body.String())
	return shown.Systems, rec.Body.String()
}

// role is a role's system and its operation that was called.
func role(t *testing.T, list []transport.SystemState, name string, op commerce.Operation) (transport.SystemState, transport.OperationState) {
	t.Helper()
	for _, s := range list {
		for _, o := range s.Operations {
			if s.Role == name && o.Operation == op {
				return s, o
			}
		}
	}
	require.Fail(t, "not there", "%s %s in %+v", name, op, list)
	return transport.SystemState{}, transport.OperationState{}
}

func TestSystemsShowsABreakerOpenAndClose(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	b, log := open(t, append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development", "PIM_MAX_CONCURRENT=12")...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tree := func() error {
		b.ClientRequest()
		_, err := b.Ports.Categories.Tree(ctx, box.Fixture().Market)
		return err
	}

	systems, _ := live(t, b)
	var roles []string
	for _, s := range systems {
		roles = append(roles, s.Role+" "+s.System)
		assert.Equal(t, []transport.OperationState{}, s.Operations, "nothing was called yet, and trial openings are none")
	}
	assert.Equal(t, []string{"checkout magento", "crm openloyalty", "erp odoo", "pim pimcore", "search elasticsearch"}, roles)

	box.Faults(t, sandbox.Fault{System: "pimcore", Operation: "*", ErrorRate: 1, Status: http.StatusServiceUnavailable})
	var refused *commerce.CallError
	for range 40 {
		require.ErrorAs(t, tree(), &refused)
		if refused.Reason == commerce.ReasonBreakerOpen {
			break
		}
	}
	require.Equal(t, commerce.ReasonBreakerOpen, refused.Reason)
	assert.Positive(t, refused.RetryAfter)
	systems, text := live(t, b)
	pim, op := role(t, systems, "pim", commerce.OpCategoryTree)
	assert.Contains(t, []string{"open", "half-open"}, op.Breaker)
	assert.LessOrEqual(t, op.NextProbeMs, int64(1000))
	assert.NotContains(t, text, `"p50Ms":0,`, "what nobody measured is not there")
	assert.InDelta(t, 1, op.ErrorRate, 0)
	assert.Equal(t, op.Calls, op.Failed)
	assert.LessOrEqual(t, pim.BudgetTokens, 10.0)
	assert.LessOrEqual(t, pim.Limit, 12)
	assert.InDelta(t, 1, pim.CallsPerRequest, 0, "refused ones count: the client asked for them")
	assert.NotRegexp(t, `\d\.\d{4}`, text, "no digits that mean nothing")
	assert.Regexp(t, `\n +\{"operation":"[a-z.-]+","breaker":"[a-z-]+",.*\}`, text)
	assert.Contains(t, log.String(), `"msg":"circuit breaker changed"`)
	assert.Equal(t, http.StatusOK, status(t, b, "/readyz"), "a system that is down is no reason to be taken out")

	box.ClearFaults(t)
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.NoError(c, tree()) }, 30*time.Second, 50*time.Millisecond)
	systems, _ = live(t, b)
	_, op = role(t, systems, "pim", commerce.OpCategoryTree)
	assert.Equal(t, "closed", op.Breaker)
	assert.Zero(t, op.NextProbeMs)
	assert.Positive(t, op.P50Ms)
	assert.LessOrEqual(t, op.P50Ms, op.P99Ms)
}

func status(t *testing.T, b *Backend, path string) int {
	t.Helper()
	code, _ := probe(t, b, http.MethodGet, path)
	return code
}

func TestSystemsIsReadOnlyAndOrdered(t *testing.T) {
	t.Parallel()
	b, _ := open(t, shopping("REVIEWS_KIND=pimcore", "REVIEWS_BASE_URL=http://reviews.test", "REVIEWS_API_KEY=k")...)
	systems, first := live(t, b)
	var roles []string
	for _, s := range systems {
		roles = append(roles, s.Role)
	}
	assert.Equal(t, []string{"checkout", "erp", "pim", "reviews"}, roles)
	_, again := live(t, b)
	assert.Equal(t, first, again)
	for method, want := range map[string]int{http.MethodHead: 200, http.MethodPost: 405, http.MethodDelete: 405} {
		code, _ := probe(t, b, method, "/systems")
		assert.Equal(t, want, code, method)
	}
	assert.Equal(t, http.StatusNotFound, status(t, b, "/systems/pim"))

	none, _ := open(t, "PORTICO_MODE=development")
	_, text := live(t, none)
	assert.JSONEq(t, `{"systems":[]}`, text)
}

// The scrape of a running process shows every figure of /systems.
func TestMetricsShowTheLiveState(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	b, _ := open(t, append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development")...)
	b.ClientRequest()
	_, err := b.Ports.Categories.Tree(t.Context(), box.Fixture().Market)
	require.NoError(t, err)
	_, text := probe(t, b, http.MethodGet, "/metrics")
	const of = `{operation="categories.tree",otel_scope_name="github.com/portico-bff/portico/connectors/transport",otel_scope_schema_url="",otel_scope_version="",`
	const system = `{otel_scope_name="github.com/portico-bff/portico/connectors/transport",otel_scope_schema_url="",otel_scope_version="",role="pim",system="pimcore"} `
	for _, line := range []string{
		"portico_upstream_breaker_state" + of + `role="pim",state="closed",system="pimcore"} 1`,
		"portico_upstream_breaker_state" + of + `role="pim",state="open",system="pimcore"} 0`,
		"portico_upstream_breaker_state" + of + `role="pim",state="half-open",system="pimcore"} 0`,
		"portico_upstream_latency_seconds" + of + `quantile="0.5",role="pim",system="pimcore"} 0.`,
		"portico_upstream_latency_seconds" + of + `quantile="0.95",role="pim",system="pimcore"} 0.`,
		"portico_upstream_latency_seconds" + of + `quantile="0.99",role="pim",system="pimcore"} 0.`,
		"portico_upstream_error_ratio" + of + `role="pim",system="pimcore"} 0`,
		"portico_upstream_calls_total" + of[:len(of)-1] + `,outcome="ok",role="pim",system="pimcore"} 1`,
		"portico_upstream_concurrency_limit" + system + "32",
		"portico_upstream_concurrency_in_flight" + system + "0",
		"portico_upstream_concurrency_queued" + system + "0",
		"portico_upstream_retry_budget" + system + "20",
		"portico_upstream_hedge_allowance" + system + "0.05",
		"portico_upstream_calls_per_request" + system + "1",
	} {
		assert.Contains(t, text, "\n"+line)
	}
	assert.NotContains(t, text, strings.TrimPrefix(box.URL, "http://"))
}
