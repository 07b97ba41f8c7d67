package bffmobile

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/edge/telemetry/telemetrytest"
	"github.com/portico-bff/portico/schema/commercetest"
)

// rig is the channel as it ships, over the imitated systems, with its spans
// exported to a collector.
type rig struct {
	*shop
	box   *sandboxtest.Sandbox
	tap   *sandboxtest.Tap
	spans *telemetrytest.Collector
	flush func() // ends the app; spans are there afterwards
}

func tracedShop(t *testing.T, environ ...string) *rig {
	t.Helper()
	r := &rig{box: sandboxtest.Start(t), spans: telemetrytest.Start(t)}
	r.tap = &sandboxtest.Tap{Next: r.box.Server.Handler()}
	server := httptest.NewServer(r.tap)
	t.Cleanup(server.Close)
	environ = append([]string{"PORTICO_MODE=development", "LOG_LEVEL=debug", "OTEL_EXPORTER_OTLP_ENDPOINT=" + r.spans.URL}, environ...)
	cfg, err := Load(append(sandboxtest.Environ(server.URL), environ...))
	require.NoError(t, err)
	log := &commercetest.Log{}
	cfg.Telemetry.Out = log
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	r.flush = sync.OnceFunc(func() { assert.NoError(t, app.Backend().Close(context.WithoutCancel(t.Context()))) })
	t.Cleanup(r.flush)
	r.shop = &shop{app: app, log: log}
	return r
}

const (
	clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientSpan  = "00f067aa0ba902b7"
)

func TestARequestsTraceReachesTheSystems(t *testing.T) {
	t.Parallel()
	r := tracedShop(t)
	// One step of one operation, so that what else fails does not spend what it may try again with.
	r.box.Faults(t, sandbox.Fault{System: "odoo", Operation: "stock.quant.search_read", ErrorRate: 1, Mode: sandbox.ModeReset})
	a := r.ok(t, get("/v1/screens/products/HL-U509-R", "Traceparent", "00-"+clientTrace+"-"+clientSpan+"-01", "Tracestate", "app=1"))
	require.Contains(t, a.Raw, `"degraded":[{`)
	r.flush()

	requests := r.spans.Named(t, "GET /v1/screens/products/:sku")
	require.Len(t, requests, 1, r.spans.Text())
	request := requests[0]
	assert.Equal(t, []string{clientTrace, clientSpan, "app=1", "SERVER", "portico-mobile"},
		[]string{request.Trace, request.Parent, request.State, request.Kind, request.Service})
	assert.Equal(t, map[string]any{
		"http.request.method": "GET", "http.route": "/v1/screens/products/:sku", "http.response.status_code": int64(200),
		"portico.channel": "mobile", "portico.request_id": "test",
	}, request.Attributes)

	var good, failed telemetrytest.Span
	for _, operation := range r.spans.Below(t, request) {
		switch {
		case operation.Attributes["portico.operation"] == "catalog.products":
			good = operation
		case operation.Failed:
			failed = operation
		}
	}
	assert.Equal(t, []any{"pimcore", "pim", "ok", int64(1)}, told(good, "system", "role", "outcome", "attempts"))
	tries := r.spans.Below(t, failed)
	require.Contains(t, []int{2, 3}, len(tries), "how many depends on the time that is left")
	assert.Equal(t, []any{"odoo", "erp", "inventory.availability", int64(len(tries))}, told(failed, "system", "role", "operation", "attempts"))
	assert.True(t, failed.Failed)
	assert.Contains(t, failed.Attributes["portico.outcomes"], "retried")
	var sent []string
	for i, attempt := range tries {
		assert.Equal(t, []any{int64(i + 1), "unavailable"}, told(attempt, "attempt", "outcome"))
		assert.Equal(t, []string{"first", "retry", "retry"}[i], attempt.Attributes["portico.attempt.kind"])
		assert.NotContains(t, attempt.Attributes, "http.response.status_code", "the connection was reset")
		sent = append(sent, "00-"+clientTrace+"-"+attempt.ID+"-01")
	}
	assert.Subset(t, r.tap.Told("Traceparent"), sent, "each attempt told the system its own span")
	assert.Contains(t, r.tap.Told("Tracestate"), "app=1")
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, `"msg":"request"`) || strings.Contains(line, "upstream call failed") {
			assert.Contains(t, line, `"traceId":"`+clientTrace+`"`)
		}
	}
}

// told lists a span's own attributes.
func told(span telemetrytest.Span, names ...string) []any {
	var list []any
	for _, name := range names {
		list = append(list, span.Attributes["portico."+name])
	}
	return list
}

// A client that makes up paths and methods makes up no names of spans.
func TestSpansAreNamedByTemplates(t *testing.T) {
	t.Parallel()
	r := tracedShop(t)
	for _, c := range []call{get("/v1/CanaryPath"), get("/v1/screens/cart/CanaryCart"), {method: "PUT", path: "/v1/CanaryPath", body: `{}`}} {
		r.send(t, c)
	}
	r.flush()
	var names []string
	for _, span := range r.spans.Spans(t) {
		if span.Kind == "SERVER" {
			names = append(names, span.Name)
		}
	}
	assert.Equal(t, []string{"GET unmatched", "GET /v1/screens/cart/:cartId", "PUT unmatched"}, names)
	assert.NotContains(t, r.spans.Text(), "Canary")
}

// What fiber lends to a handler is used again for the next request: what a span
// keeps of it has to be its own. Headers of one length make the memory fit.
func TestSpansKeepNothingOfFibersMemory(t *testing.T) {
	t.Parallel()
	r := tracedShop(t)
	const requests = 200
	for i := range requests {
		r.send(t, get("/v1/none", "X-Request-Id", fmt.Sprintf("id-%04d", i), "Tracestate", fmt.Sprintf("app=%04d", i),
			"Traceparent", fmt.Sprintf("00-%032x-%016x-01", i+1, i+1)))
	}
	r.flush()
	spans := r.spans.Spans(t)
	require.Len(t, spans, requests)
	for i, span := range spans {
		assert.Equal(t, fmt.Sprintf("id-%04d app=%04d %032x", i, i, i+1),
			fmt.Sprintf("%s %s %s", span.Attributes["portico.request_id"], span.State, span.Trace))
	}
}

// Canaries wherever a client or a system can put something: none of them is in a
// span, in the metrics or in the log.
func TestN20_CanariesStayOutOfTracesMetricsAndLogs(t *testing.T) {
	t.Parallel()
	r := tracedShop(t)
	customer := r.box.Fixture().Customer
	token := r.box.Token(t, customer.Subject)
	garbage := sandbox.Fault{System: "odoo", Operation: "*", ErrorRate: 1, Mode: sandbox.ModeGarbage}
	page := sandbox.Fault{System: "openloyalty", Operation: "*", ErrorRate: 1, Status: http.StatusInternalServerError}
	hostile := []string{
		"Authorization", "Bearer " + token, "Baggage", "user=CanaryBaggage", "User-Agent", "CanaryAgent",
		"X-Forwarded-For", "203.0.113.77", "Cookie", "session=CanaryCookie", "Traceparent", "CanaryParent",
	}
	for _, faults := range [][]sandbox.Fault{nil, {garbage, page}} {
		r.box.Faults(t, faults...)
		r.send(t, get("/v1/screens/account", hostile...))
		r.send(t, get("/v1/screens/account?access_token=CanaryQuery", hostile...))
		r.send(t, get("/v1/screens/search?q=CanaryText", hostile...))
		r.send(t, get("/v1/orders/CanaryOrder", append([]string{"X-Order-Token", "CanaryOrderToken"}, hostile...)...))
	}
	r.send(t, get("/v1/screens/account", "Authorization", "Bearer CanaryToken"))
	r.send(t, call{"POST", "/v1/carts/g_CanaryCart/lines", `{"sku":"CanarySKU","quantity":1}`, []string{"Idempotency-Key", "CanaryKey-0123456789"}})
	metrics := httptest.NewRecorder()
	r.app.Backend().Admin().ServeHTTP(metrics, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	r.flush()

	require.Contains(t, r.spans.Text(), "openloyalty", "the customer's own calls were made")
	secrets := []string{
		"Canary", "203.0.113.77", token, customer.Email, customer.Subject, "garbage", "<html>",
		"sandbox-pimcore-key", "c2FuZGJveDpzZWNyZXQ=", "sandbox-odoo-key", "sandbox-loyalty-key", "sandbox-consumer", "sandbox-token",
	}
	for where, text := range map[string]string{"spans": r.spans.Text(), "metrics": metrics.Body.String(), "log": r.log.String()} {
		require.NotEmpty(t, text, where)
		for _, secret := range secrets {
			assert.NotContains(t, text, secret, "%s hold %s", where, secret)
		}
	}
}

func BenchmarkRequestWithAndWithoutTraces(b *testing.B) {
	for name, environ := range map[string][]string{
		"off": nil, "on": {"OTEL_EXPORTER_OTLP_ENDPOINT=" + telemetrytest.Start(b).URL},
	} {
		b.Run(name, func(b *testing.B) {
			box := sandboxtest.Start(b)
			cfg, err := Load(append(append([]string{"PORTICO_MODE=development", "LOG_LEVEL=error"}, sandboxtest.Environ(box.URL)...), environ...))
			require.NoError(b, err)
			cfg.Telemetry.Out = &commercetest.Log{}
			app, err := New(b.Context(), cfg)
			require.NoError(b, err)
			b.Cleanup(func() { assert.NoError(b, app.Backend().Close(context.WithoutCancel(b.Context()))) })
			b.ReportAllocs()
			for b.Loop() {
				res, err := app.Test(httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v1/screens/products/HL-U509-R", nil))
				require.NoError(b, err)
				_ = res.Body.Close()
			}
		})
	}
}
