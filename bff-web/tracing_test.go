package bffweb

import (
	"context"
	"encoding/json"
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
	app   *App
	flush func() // ends the app; spans are there afterwards
}

func tracedShop(t *testing.T, environ ...string) *rig {
	t.Helper()
	r := &rig{box: sandboxtest.Start(t), spans: telemetrytest.Start(t)}
	r.tap = &sandboxtest.Tap{Next: r.box.Server.Handler()}
	server := httptest.NewServer(r.tap)
	t.Cleanup(server.Close)
	environ = append([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "LOG_LEVEL=debug", "OTEL_EXPORTER_OTLP_ENDPOINT=" + r.spans.URL}, environ...)
	cfg, err := Load(append(sandboxtest.Environ(server.URL), environ...))
	require.NoError(t, err)
	log := &commercetest.Log{}
	cfg.Telemetry.Out = log
	r.app, err = New(t.Context(), cfg)
	require.NoError(t, err)
	r.flush = sync.OnceFunc(func() { assert.NoError(t, r.app.Backend().Close(context.WithoutCancel(t.Context()))) })
	t.Cleanup(r.flush)
	r.shop = &shop{handler: r.app.Handler(), log: log}
	return r
}

const (
	clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientSpan  = "00f067aa0ba902b7"
)

var clients = header{"Traceparent", "00-" + clientTrace + "-" + clientSpan + "-01"}

func TestARequestsTraceReachesTheSystems(t *testing.T) {
	t.Parallel()
	r := tracedShop(t)
	r.box.Faults(t, sandbox.Fault{System: "odoo", Operation: "*", ErrorRate: 1, Status: http.StatusServiceUnavailable})
	a := r.query(t, `{product(sku:"HL-U509-R"){name availability{quantity}}}`, nil, clients, header{"Tracestate", "shop=1"}, header{"X-Request-Id", "req-1"})
	require.Equal(t, []string{"UNAVAILABLE"}, a.codes(), a.Raw)
	r.flush()

	requests := r.spans.Named(t, "POST /graphql")
	require.Len(t, requests, 1)
	request := requests[0]
	assert.Equal(t, []string{clientTrace, clientSpan, "shop=1", "SERVER", "portico-web"},
		[]string{request.Trace, request.Parent, request.State, request.Kind, request.Service})
	assert.Equal(t, map[string]any{
		"http.request.method": "POST", "http.route": "/graphql", "http.response.status_code": int64(200),
		"portico.channel": "web", "portico.request_id": "req-1",
	}, request.Attributes)

	var good, failed telemetrytest.Span
	for _, operation := range r.spans.Below(t, request) {
		switch operation.Attributes["portico.system"] {
		case "pimcore":
			good = operation
		case "odoo":
			failed = operation
		}
	}
	assert.Equal(t, map[string]any{
		"portico.system": "pimcore", "portico.role": "pim", "portico.operation": "catalog.products", "portico.access": "read",
		"portico.outcome": "ok", "portico.attempts": int64(1),
	}, good.Attributes)
	attempts := r.spans.Below(t, good)
	require.Len(t, attempts, 1)
	assert.Equal(t, map[string]any{
		"portico.system": "pimcore", "portico.role": "pim", "portico.operation": "catalog.products",
		"portico.attempt": int64(1), "portico.attempt.kind": "first", "portico.outcome": "ok", "http.response.status_code": int64(200),
	}, attempts[0].Attributes)

	assert.True(t, failed.Failed)
	tries := r.spans.Below(t, failed)
	require.Contains(t, []int{2, 3}, len(tries), "how many depends on the time that is left")
	assert.Equal(t, int64(len(tries)), failed.Attributes["portico.attempts"])
	assert.Contains(t, failed.Attributes["portico.outcomes"], "retried")
	for i, attempt := range tries {
		assert.Equal(t, int64(i+1), attempt.Attributes["portico.attempt"])
		assert.Equal(t, []string{"first", "retry", "retry"}[i], attempt.Attributes["portico.attempt.kind"])
		assert.Equal(t, int64(503), attempt.Attributes["http.response.status_code"])
		assert.Equal(t, "unavailable", attempt.Attributes["portico.outcome"])
		assert.True(t, attempt.Failed)
	}

	var sent []string
	for _, attempt := range append(attempts, tries...) {
		sent = append(sent, "00-"+clientTrace+"-"+attempt.ID+"-01")
	}
	assert.Subset(t, r.tap.Told("Traceparent"), sent, "each attempt told the system its own span")
	for _, span := range r.spans.Spans(t) {
		assert.Equal(t, clientTrace, span.Trace, span.Name)
	}
	assert.Contains(t, r.log.String(), `"msg":"request","channel":"web","requestId":"req-1"`)
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, `"msg":"request"`) || strings.Contains(line, "upstream call failed") {
			assert.Contains(t, line, `"traceId":"`+clientTrace+`"`)
		}
	}
}

// Two requests want what is being loaded, or made: one call, seen below the first;
// the other says whom it waited for.
func TestARequestThatWaitsForAnothersLoadLinksToIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		other string
		link  map[string]any
	}{
		"the same query": {`{product(sku:"HL-U509-R"){name}}`, map[string]any{"portico.link": "joined answer", "portico.channel": "web"}},
		"another query": {`{product(sku:"HL-U509-R"){sku name}}`, map[string]any{
			"portico.link": "joined flight", "portico.system": "pimcore", "portico.operation": "catalog.products",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := tracedShop(t)
			r.box.Faults(t, sandbox.Fault{System: "pimcore", Operation: "*", LatencyMs: 2500})
			var both sync.WaitGroup
			for _, query := range []string{`{product(sku:"HL-U509-R"){name}}`, c.other} {
				both.Go(func() {
					body, _ := json.Marshal(map[string]string{"query": query})
					req := httptest.NewRequest(http.MethodPost, "http://portico.test/graphql", strings.NewReader(string(body)))
					req.Header.Set("Content-Type", "application/json")
					r.handler.ServeHTTP(httptest.NewRecorder(), req)
				})
			}
			both.Wait()
			require.Equal(t, 1, r.box.Calls(t)["pimcore"]["products"])
			r.flush()

			requests := r.spans.Named(t, "POST /graphql")
			require.Len(t, requests, 2)
			leader, joiner := requests[0], requests[1]
			if len(r.spans.Below(t, leader)) == 0 {
				leader, joiner = joiner, leader
			}
			require.Len(t, r.spans.Below(t, leader), 1)
			assert.Empty(t, r.spans.Below(t, joiner))
			assert.Empty(t, leader.Links)
			assert.NotEqual(t, leader.Trace, joiner.Trace)
			assert.Equal(t, []telemetrytest.Link{{Trace: leader.Trace, ID: leader.ID, Attributes: c.link}}, joiner.Links)
		})
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
	for _, faults := range [][]sandbox.Fault{nil, {garbage, page}} {
		r.box.Faults(t, faults...)
		r.query(t, `query CanaryOperation($q:String){me{profile{email firstName} loyalty{points}} search(text:$q,first:2){nodes{sku price{unit{amount}}}}}`,
			map[string]any{"q": "CanaryText"}, clients,
			header{"Authorization", "Bearer " + token}, header{"Baggage", "user=CanaryBaggage"}, header{"User-Agent", "CanaryAgent"},
			header{"X-Forwarded-For", "203.0.113.77"}, header{"X-CSRF", "1"}, header{"Cookie", "session=CanaryCookie"}, header{"Sec-Fetch-Site", "same-origin"})
	}
	r.query(t, `{me{profile{email}}}`, nil, header{"Authorization", "Bearer CanaryToken"}, header{"Traceparent", "CanaryParent"})
	get := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://CanaryUser:CanaryPass@portico.test/graphql?query=%7BCanaryField%7D&access_token=CanaryQuery", nil)
	r.send(t, get)
	metrics := httptest.NewRecorder()
	r.app.Backend().Admin().ServeHTTP(metrics, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	r.flush()

	require.Contains(t, r.spans.Text(), "openloyalty", "the customer's own calls were made")
	secrets := []string{
		"CanaryText", "CanaryBaggage", "CanaryAgent", "CanaryCookie", "CanaryToken", "CanaryParent", "CanaryUser", "CanaryPass", "CanaryField",
		"CanaryQuery", "203.0.113.77", token, customer.Email, customer.Subject, "garbage", "<html>",
		"sandbox-pimcore-key", "c2FuZGJveDpzZWNyZXQ=", "sandbox-odoo-key", "sandbox-loyalty-key", "sandbox-consumer", "sandbox-token",
	}
	for where, text := range map[string]string{"spans": r.spans.Text(), "metrics": metrics.Body.String(), "log": r.log.String()} {
		require.NotEmpty(t, text, where)
		for _, secret := range secrets {
			assert.NotContains(t, text, secret, "%s hold %s", where, secret)
		}
	}
	for _, text := range []string{r.spans.Text(), metrics.Body.String()} {
		assert.NotContains(t, text, "CanaryOperation", "an operation's name is the client's choice")
	}
}

func BenchmarkRequestWithAndWithoutTraces(b *testing.B) {
	for name, environ := range map[string][]string{
		"off": nil, "on": {"OTEL_EXPORTER_OTLP_ENDPOINT=" + telemetrytest.Start(b).URL},
	} {
		b.Run(name, func(b *testing.B) {
			systems := sandboxtest.Start(b)
			cfg, err := Load(append(append([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "LOG_LEVEL=error"}, sandboxtest.Environ(systems.URL)...), environ...))
			require.NoError(b, err)
			cfg.Telemetry.Out = &commercetest.Log{}
			app, err := New(b.Context(), cfg)
			require.NoError(b, err)
			b.Cleanup(func() { assert.NoError(b, app.Backend().Close(context.WithoutCancel(b.Context()))) })
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest(http.MethodPost, "http://portico.test/graphql", strings.NewReader(`{"query":"{product(sku:\"HL-U509-R\"){name}}"}`))
				req.Header.Set("Content-Type", "application/json")
				app.Handler().ServeHTTP(httptest.NewRecorder(), req)
			}
		})
	}
}
