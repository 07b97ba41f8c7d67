package telemetry_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/edge/telemetry/telemetrytest"
	"github.com/portico-bff/portico/schema/commercetest"
)

// traced exports to a collector; flush ends it and waits for what was exported.
func traced(t *testing.T, cfg telemetry.Traces) (tel *telemetry.Telemetry, log *commercetest.Log, flush func()) {
	t.Helper()
	log = &commercetest.Log{}
	tel, err := telemetry.New(telemetry.Config{Out: log, Traces: cfg}, "mobile")
	require.NoError(t, err)
	flush = sync.OnceFunc(func() { assert.NoError(t, tel.Close(context.WithoutCancel(t.Context()))) })
	t.Cleanup(flush)
	return tel, log, flush
}

const (
	theirTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	theirSpan  = "00f067aa0ba902b7"
	theirs     = "00-" + theirTrace + "-" + theirSpan + "-01"
)

func TestRequestSpansReachTheCollector(t *testing.T) {
	t.Parallel()
	to := telemetrytest.Start(t)
	tel, log, flush := traced(t, telemetry.Traces{Endpoint: to.URL})
	require.True(t, tel.Tracing())

	headers := telemetry.TraceHeaders{Traceparent: []string{theirs}, Tracestate: []string{"a=1", "b=2"}}
	ctx, span := tel.StartRequest(t.Context(), http.MethodGet, headers)
	tel.ObserveRequest(ctx, telemetry.Request{Method: "GET", Route: "/v1/orders/:number", Status: 503, RequestID: "req-1"})
	tel.Log().WarnContext(ctx, "upstream call failed")
	span.End("/v1/orders/:number", http.StatusServiceUnavailable, "req-1")
	_, other := tel.StartRequest(t.Context(), "BREW", telemetry.TraceHeaders{})
	other.End("unmatched", http.StatusNotFound, "req-2")
	flush()

	require.Len(t, to.Spans(t), 2)
	failed := to.Named(t, "GET /v1/orders/:number")[0]
	assert.Equal(t, "SERVER", failed.Kind)
	assert.Equal(t, "portico-mobile", failed.Service)
	assert.Equal(t, []string{theirTrace, theirSpan, "a=1,b=2"}, []string{failed.Trace, failed.Parent, failed.State})
	assert.True(t, failed.Failed)
	assert.Equal(t, map[string]any{
		"http.request.method": "GET", "http.route": "/v1/orders/:number", "http.response.status_code": int64(503),
		"portico.channel": "mobile", "portico.request_id": "req-1", "error.type": "503",
	}, failed.Attributes)

	refused := to.Named(t, "HTTP unmatched")[0]
	assert.False(t, refused.Failed, "the client's mistake")
	assert.Empty(t, refused.Parent)
	assert.Equal(t, "_OTHER", refused.Attributes["http.request.method"])

	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2)
	for _, line := range lines {
		assert.Equal(t, 1, strings.Count(line, `"traceId":"`+theirTrace+`"`), line)
	}
}

func TestTraceHeadersThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	to := telemetrytest.Start(t)
	tel, _, _ := traced(t, telemetry.Traces{Endpoint: to.URL})
	for name, parents := range map[string][]string{
		"none":          nil,
		"empty":         {""},
		"twice":         {theirs, theirs},
		"no trace":      {"00-00000000000000000000000000000000-" + theirSpan + "-01"},
		"no span":       {"00-" + theirTrace + "-0000000000000000-01"},
		"upper case":    {strings.ToUpper(theirs)},
		"short":         {theirs[:54]},
		"more":          {theirs + "-00"},
		"last version":  {"ff" + theirs[2:]},
		"endless":       {"01" + theirs[2:] + "-" + strings.Repeat("0", 100)},
		"not separated": {strings.ReplaceAll(theirs, "-", "_")},
		"line break":    {theirs + "\r\nX-Injected: 1"},
	} {
		ctx, span := tel.StartRequest(t.Context(), "GET", telemetry.TraceHeaders{Traceparent: parents, Tracestate: []string{"a=1"}})
		got := trace.SpanContextFromContext(ctx)
		assert.True(t, got.IsValid(), name)
		assert.NotEqual(t, theirTrace, got.TraceID().String(), name)
		assert.Empty(t, got.TraceState().String(), name)
		span.End("/", 200, "")
	}
}

func TestTraceStateIsBounded(t *testing.T) {
	t.Parallel()
	to := telemetrytest.Start(t)
	tel, _, _ := traced(t, telemetry.Traces{Endpoint: to.URL})
	long := "a=" + strings.Repeat("x", 250)
	for name, tc := range map[string]struct {
		sent []string
		want string
	}{
		"fits":      {[]string{"a=1", "b=2"}, "a=1,b=2"},
		"too long":  {[]string{long, "b=" + strings.Repeat("y", 250), "c=3456789"}, ""},
		"malformed": {[]string{"a=1", "=,\x00"}, ""},
		"repeated":  {[]string{"a=1", "a=2"}, ""},
	} {
		ctx, span := tel.StartRequest(t.Context(), "GET", telemetry.TraceHeaders{Traceparent: []string{theirs}, Tracestate: tc.sent})
		got := trace.SpanContextFromContext(ctx)
		assert.Equal(t, theirTrace, got.TraceID().String(), name)
		assert.Equal(t, tc.want, got.TraceState().String(), name)
		span.End("/", 200, "")
	}
}

func TestTracesAreOffUnlessAskedFor(t *testing.T) {
	t.Parallel()
	tel, log, flush := traced(t, telemetry.Traces{})
	require.False(t, tel.Tracing())
	ctx, span := tel.StartRequest(t.Context(), "GET", telemetry.TraceHeaders{Traceparent: []string{theirs}})
	assert.Equal(t, t.Context(), ctx)
	span.End("/", 200, "")
	_, inner := tel.Tracer().Tracer("x").Start(ctx, "y")
	assert.False(t, inner.IsRecording())
	tel.ObserveRequest(ctx, telemetry.Request{Method: "GET", Route: "/"})
	assert.NotContains(t, log.String(), "traceId")
	flush()
}

// What is not sampled is not exported, and its lines can still be brought together.
func TestSamplersDecideWhatIsExported(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		sampler, ratio, parent string
		spans                  int
	}{
		{"", "", "", 1},
		{"", "", theirs[:53] + "00", 0},
		{"always_on", "", theirs[:53] + "00", 1},
		{"always_off", "", theirs, 0},
		{"traceidratio", "0", theirs, 0},
		{"traceidratio", "", theirs, 1},
		{"parentbased_traceidratio", "0", theirs, 1},
		{"parentbased_traceidratio", "0", "", 0},
	} {
		to := telemetrytest.Start(t)
		tel, log, flush := traced(t, telemetry.Traces{Endpoint: to.URL, Sampler: tc.sampler, SamplerRatio: tc.ratio})
		ctx, span := tel.StartRequest(t.Context(), "GET", telemetry.TraceHeaders{Traceparent: []string{tc.parent}})
		_, inner := tel.Tracer().Tracer("x").Start(ctx, "inner")
		inner.End()
		tel.ObserveRequest(ctx, telemetry.Request{Method: "GET", Route: "/"})
		span.End("/", 200, "")
		flush()
		assert.Len(t, to.Spans(t), 2*tc.spans, "%+v", tc)
		assert.Contains(t, log.String(), "traceId")
	}
}

// down is an address that nobody listens on.
func down(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return "http://" + l.Addr().String()
}

func TestACollectorThatIsDownIsOneWarning(t *testing.T) {
	t.Parallel()
	tel, log, flush := traced(t, telemetry.Traces{Endpoint: down(t)})
	for range 600 { // more than one export
		_, span := tel.StartRequest(t.Context(), "GET", telemetry.TraceHeaders{})
		span.End("/", 200, "")
	}
	flush()
	assert.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	assert.Contains(t, log.String(), `"level":"WARN","msg":"spans not exported"`)
	assert.Contains(t, log.String(), `"cause":"unreachable"`)
}

func TestN20_WhatTheCollectorAnswersIsNotLogged(t *testing.T) {
	t.Parallel()
	to := telemetrytest.Start(t)
	to.Answer(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "CANARY "+to.URL, http.StatusUnauthorized) })
	tel, log, flush := traced(t, telemetry.Traces{Endpoint: to.URL})
	_, span := tel.StartRequest(t.Context(), "GET", telemetry.TraceHeaders{})
	span.End("/", 200, "")
	flush()
	assert.Equal(t, 1, to.Posts())
	assert.Contains(t, log.String(), `"spans":1,"cause":"refused"`)
	assert.NotContains(t, log.String(), "CANARY")
	assert.NotContains(t, log.String(), strings.TrimPrefix(to.URL, "http://"))
}

// A collector that hangs holds no stop beyond its time; goleak sees that nothing of
// the export remains.
func TestCloseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"while it exports": false, "before": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := telemetrytest.Start(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			to.Answer(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // or the end of the connection is not seen
				cancel()
				<-r.Context().Done()
			})
			if early {
				cancel()
			}
			log := &commercetest.Log{}
			tel, err := telemetry.New(telemetry.Config{Out: log, Traces: telemetry.Traces{Endpoint: to.URL}}, "web")
			require.NoError(t, err)
			_, span := tel.StartRequest(t.Context(), "GET", telemetry.TraceHeaders{})
			span.End("/", 200, "")
			require.NoError(t, tel.Close(ctx))
			assert.Contains(t, log.String(), "spans lost at the end")
		})
	}
}

func TestBadTraceVariablesAreReported(t *testing.T) {
	t.Parallel()
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	for name, tc := range map[string]struct {
		cfg  telemetry.Traces
		want string
	}{
		"exporter":        {telemetry.Traces{Exporter: "zipkin"}, "OTEL_TRACES_EXPORTER must be otlp or none"},
		"several":         {telemetry.Traces{Exporter: "otlp,console"}, "OTEL_TRACES_EXPORTER must be otlp or none"},
		"grpc":            {telemetry.Traces{Exporter: "otlp", Protocol: "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf"},
		"traces grpc":     {telemetry.Traces{Exporter: "otlp", TracesProtocol: "grpc"}, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL must be http/protobuf"},
		"no scheme":       {telemetry.Traces{Endpoint: "collector:4318"}, endpoint + " must begin with http:// or https://"},
		"no host":         {telemetry.Traces{Endpoint: "http://"}, endpoint + " names no host"},
		"unreadable":      {telemetry.Traces{Endpoint: "http://a b:1"}, endpoint + " cannot be parsed"},
		"credentials":     {telemetry.Traces{Endpoint: "http://u:CANARY@c"}, endpoint + " must not hold credentials: OTEL_EXPORTER_OTLP_HEADERS carries them"},
		"query":           {telemetry.Traces{Endpoint: "http://c?key=CANARY"}, endpoint + " must have neither query nor fragment"},
		"traces endpoint": {telemetry.Traces{Endpoint: "http://c", TracesEndpoint: "c"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must begin with http:// or https://"},
		"sampler": {
			telemetry.Traces{Endpoint: "http://c", Sampler: "parentbased_"},
			"OTEL_TRACES_SAMPLER must be one of always_on, always_off, traceidratio, also after parentbased_",
		},
		"ratio":      {telemetry.Traces{Endpoint: "http://c", Sampler: "traceidratio", SamplerRatio: "1.5"}, "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1"},
		"no number":  {telemetry.Traces{Endpoint: "http://c", Sampler: "traceidratio", SamplerRatio: "NaN"}, "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1"},
		"everything": {telemetry.Traces{Endpoint: "c", Protocol: "grpc"}, endpoint + " must begin with http:// or https://\nOTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf"},
	} {
		cfg := telemetry.Config{Traces: tc.cfg}
		require.EqualError(t, cfg.Validate(), tc.want, name)
		_, err := telemetry.New(cfg, "web")
		require.EqualError(t, err, tc.want, name)
	}
}

func TestWhatTurnsTracesOnAndOff(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cfg telemetry.Traces
		on  bool
	}{
		"nothing":                    {telemetry.Traces{}, false},
		"endpoint":                   {telemetry.Traces{Endpoint: "http://c:4318"}, true},
		"traces endpoint":            {telemetry.Traces{TracesEndpoint: "https://c/v1/traces"}, true},
		"exporter, default endpoint": {telemetry.Traces{Exporter: "otlp"}, true},
		"none":                       {telemetry.Traces{Exporter: "none", Endpoint: "http://c:4318"}, false},
		"disabled":                   {telemetry.Traces{Disabled: true, Exporter: "otlp", Endpoint: "http://c:4318", Protocol: "grpc"}, false},
		"service alone":              {telemetry.Traces{ServiceName: "x", Protocol: "grpc"}, false},
		"traces protocol goes first": {telemetry.Traces{Exporter: "otlp", Protocol: "grpc", TracesProtocol: "http/protobuf"}, true},
	} {
		tel, err := telemetry.New(telemetry.Config{Traces: tc.cfg}, "web")
		require.NoError(t, err, name)
		assert.Equal(t, tc.on, tel.Tracing(), name)
		require.NoError(t, tel.Close(context.WithoutCancel(t.Context())))
	}
}

func TestWhereTracesArePosted(t *testing.T) {
	t.Parallel()
	for suffix, want := range map[string]string{"": "/v1/traces", "/": "/v1/traces", "/otlp": "/otlp/v1/traces"} {
		assert.Equal(t, want, postedTo(t, func(url string) telemetry.Traces { return telemetry.Traces{Endpoint: url + suffix} }))
	}
	assert.Equal(t, "/mine", postedTo(t, func(url string) telemetry.Traces {
		return telemetry.Traces{Endpoint: "http://127.0.0.1:1", TracesEndpoint: url + "/mine"}
	}))
}

// postedTo exports a span and answers the path that it went to.
func postedTo(t *testing.T, cfg func(url string) telemetry.Traces) string {
	t.Helper()
	to := telemetrytest.Start(t)
	path := make(chan string, 1)
	to.Answer(func(_ http.ResponseWriter, r *http.Request) { path <- r.URL.Path })
	tel, _, flush := traced(t, cfg(to.URL))
	_, span := tel.StartRequest(t.Context(), "GET", telemetry.TraceHeaders{})
	span.End("/", 200, "")
	flush()
	require.Len(t, path, 1)
	return <-path
}

func TestTheServicesNameCanBeSet(t *testing.T) {
	t.Parallel()
	to := telemetrytest.Start(t)
	tel, _, flush := traced(t, telemetry.Traces{Endpoint: to.URL, ServiceName: "shop-mobile"})
	_, span := tel.StartRequest(t.Context(), "GET", telemetry.TraceHeaders{})
	span.End("/", 200, "")
	flush()
	assert.Equal(t, "shop-mobile", to.Spans(t)[0].Service)
}

func TestALineNamesItsTraceOnce(t *testing.T) {
	t.Parallel()
	var out commercetest.Log
	tel, err := telemetry.New(telemetry.Config{Out: &out}, "web")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, tel.Close(t.Context())) })
	id := trace.TraceID{1}
	// As a shared load has it: somebody's span context and no request's id.
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{1}}))
	tel.Log().WarnContext(ctx, "upstream call failed")
	tel.Log().WarnContext(requestid.With(ctx, "req-1"), "both")
	tel.Log().WarnContext(ctx, "named already", slog.String("traceId", "x"))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 3)
	assert.Contains(t, lines[0], `"traceId":"`+id.String()+`"`)
	assert.NotContains(t, lines[0], "requestId")
	assert.Contains(t, lines[1], `"requestId":"req-1","traceId":"`+id.String()+`"`)
	assert.Equal(t, 1, strings.Count(lines[2], "traceId"))
}

func BenchmarkRequestSpan(b *testing.B) {
	for name, cfg := range map[string]telemetry.Traces{
		"off": {}, "unsampled": {Exporter: "otlp", Sampler: "always_off"}, "on": {Endpoint: telemetrytest.Start(b).URL},
	} {
		b.Run(name, func(b *testing.B) {
			tel, err := telemetry.New(telemetry.Config{Out: &commercetest.Log{}, Traces: cfg}, "web")
			require.NoError(b, err)
			b.Cleanup(func() { assert.NoError(b, tel.Close(context.WithoutCancel(b.Context()))) })
			headers := telemetry.TraceHeaders{Traceparent: []string{theirs}}
			b.ReportAllocs()
			for b.Loop() {
				_, span := tel.StartRequest(b.Context(), "GET", headers)
				span.End("/v1/orders/:number", 200, "req-1")
			}
		})
	}
}
