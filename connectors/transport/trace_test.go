package transport

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/portico-bff/portico/schema/commerce"
)

// recording is a tracer whose ended spans can be looked at.
func recording(t testing.TB, options ...sdk.TracerProviderOption) (tracer, *tracetest.SpanRecorder) {
	t.Helper()
	ended := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(append(options, sdk.WithSpanProcessor(ended))...)
	t.Cleanup(func() { assert.NoError(t, provider.Shutdown(context.WithoutCancel(t.Context()))) })
	return newTracer(provider), ended
}

func attributesOf(span sdk.ReadOnlySpan) map[string]any {
	all := map[string]any{}
	for _, a := range span.Attributes() {
		all[string(a.Key)] = a.Value.AsInterface()
	}
	return all
}

func TestSpansOfARetriedCall(t *testing.T) {
	t.Parallel()
	traced, ended := recording(t)
	ctx, call := traced.operation(t.Context(), "odoo", "erp", readTraits)
	sent := []http.Header{{}, {}}
	_, first := traced.attempt(ctx, "odoo", "erp", readTraits.Operation, 1, "first")
	first.inject(sent[0])
	first.end(503, "unavailable")
	_, second := traced.attempt(ctx, "odoo", "erp", readTraits.Operation, 2, "retry")
	second.inject(sent[1])
	second.end(200, "ok")
	call.end("ok", 2, []commerce.Reason{commerce.ReasonRetried})

	spans := ended.Ended()
	require.Len(t, spans, 3)
	failed, good, whole := spans[0], spans[1], spans[2]
	assert.Equal(t, "odoo inventory.availability", whole.Name())
	assert.Equal(t, trace.SpanKindInternal, whole.SpanKind())
	assert.Equal(t, map[string]any{
		"portico.system": "odoo", "portico.role": "erp", "portico.operation": "inventory.availability", "portico.access": "read",
		"portico.outcome": "ok", "portico.attempts": int64(2), "portico.outcomes": []string{"retried"},
	}, attributesOf(whole))
	assert.Equal(t, codes.Unset, whole.Status().Code)

	assert.Equal(t, "odoo inventory.availability attempt", failed.Name())
	assert.Equal(t, map[string]any{
		"portico.system": "odoo", "portico.role": "erp", "portico.operation": "inventory.availability", "portico.attempt": int64(1),
		"portico.attempt.kind": "first", "portico.outcome": "unavailable", "http.response.status_code": int64(503),
	}, attributesOf(failed))
	assert.Equal(t, sdk.Status{Code: codes.Error, Description: "unavailable"}, failed.Status())
	assert.Equal(t, map[string]any{
		"portico.system": "odoo", "portico.role": "erp", "portico.operation": "inventory.availability", "portico.attempt": int64(2),
		"portico.attempt.kind": "retry", "portico.outcome": "ok", "http.response.status_code": int64(200), "http.request.resend_count": int64(1),
	}, attributesOf(good))
	assert.Equal(t, codes.Unset, good.Status().Code)

	for i, attempt := range []sdk.ReadOnlySpan{failed, good} {
		assert.Equal(t, trace.SpanKindClient, attempt.SpanKind())
		assert.Equal(t, whole.SpanContext().SpanID(), attempt.Parent().SpanID())
		told := "00-" + whole.SpanContext().TraceID().String() + "-" + attempt.SpanContext().SpanID().String() + "-01"
		assert.Equal(t, told, sent[i].Get("Traceparent"))
	}
}

func TestSpansOfOtherEnds(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[string]codes.Code{
		"ok": codes.Unset, "refused": codes.Unset, "canceled": codes.Unset,
		"timeout": codes.Error, "bad-answer": codes.Error, "breaker-open": codes.Error, "bulkhead-full": codes.Error,
	} {
		traced, ended := recording(t)
		ctx, call := traced.operation(t.Context(), "magento", "checkout", writeTraits)
		_, only := traced.attempt(ctx, "magento", "checkout", writeTraits.Operation, 1, "first")
		only.end(0, outcome)
		call.end(outcome, 1, nil)
		spans := ended.Ended()
		require.Len(t, spans, 2)
		for _, span := range spans {
			assert.Equal(t, want, span.Status().Code, outcome)
		}
		assert.NotContains(t, attributesOf(spans[0]), "http.response.status_code", "there was no answer")
		assert.Equal(t, "write", attributesOf(spans[1])["portico.access"])
		assert.NotContains(t, attributesOf(spans[1]), "portico.outcomes")
	}
}

// A trace that began elsewhere goes on, with its state and without baggage, which
// may be anything.
func TestN20_BaggageIsNotPassedOn(t *testing.T) {
	t.Parallel()
	traced, ended := recording(t)
	state, err := trace.ParseTraceState("vendor=1")
	require.NoError(t, err)
	ctx := trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, TraceState: state,
	}))
	member, err := baggage.NewMember("user", canary)
	require.NoError(t, err)
	bag, err := baggage.New(member)
	require.NoError(t, err)
	ctx = baggage.ContextWithBaggage(ctx, bag)

	ctx, call := traced.operation(ctx, "odoo", "erp", readTraits)
	_, only := traced.attempt(ctx, "odoo", "erp", readTraits.Operation, 1, "first")
	header := http.Header{}
	only.inject(header)
	only.end(200, "ok")
	call.end("ok", 1, nil)
	assert.Len(t, header, 2)
	assert.Equal(t, "vendor=1", header.Get("Tracestate"))
	for _, span := range ended.Ended() {
		assert.Equal(t, trace.TraceID{1}, span.SpanContext().TraceID())
	}
}

// What is not sampled costs no span, and still tells the upstream its trace.
func TestUnsampledTracesArePassedOn(t *testing.T) {
	t.Parallel()
	traced, ended := recording(t)
	above := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	ctx, call := traced.operation(trace.ContextWithSpanContext(t.Context(), above), "odoo", "erp", readTraits)
	ctx, only := traced.attempt(ctx, "odoo", "erp", readTraits.Operation, 1, "first")
	header := http.Header{}
	only.inject(header)
	only.end(200, "ok")
	call.end("ok", 1, nil)
	assert.Empty(t, ended.Started())
	assert.Equal(t, above, trace.SpanContextFromContext(ctx))
	assert.Equal(t, "00-01000000000000000000000000000000-0200000000000000-00", header.Get("Traceparent"))
}

// A sampler may look at the trace's id: what a client did not sample can still be.
func TestSamplerDecidesBelowARemoteParent(t *testing.T) {
	t.Parallel()
	traced, ended := recording(t, sdk.WithSampler(sdk.AlwaysSample()))
	above := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, Remote: true})
	_, call := traced.operation(trace.ContextWithSpanContext(t.Context(), above), "odoo", "erp", readTraits)
	call.end("ok", 1, nil)
	assert.Len(t, ended.Ended(), 1)
}

func TestTracingOffTellsNobodyAnything(t *testing.T) {
	t.Parallel()
	above := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	before := trace.ContextWithSpanContext(t.Context(), above)
	for _, provider := range []trace.TracerProvider{nil, noop.NewTracerProvider()} {
		traced := newTracer(provider)
		ctx, call := traced.operation(before, "odoo", "erp", readTraits)
		ctx, only := traced.attempt(ctx, "odoo", "erp", readTraits.Operation, 1, "first")
		header := http.Header{}
		only.inject(header)
		only.end(200, "ok")
		call.end("ok", 1, nil)
		assert.Equal(t, before, ctx)
		assert.Empty(t, header)
	}
}

func TestSpansThatAreNotRecordedCostNothing(t *testing.T) {
	unsampled, _ := recording(t, sdk.WithSampler(sdk.NeverSample()))
	above := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	ctx := trace.ContextWithSpanContext(t.Context(), above)
	for name, traced := range map[string]tracer{"off": newTracer(nil), "not sampled": unsampled} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { spansOfACall(ctx, traced) }), name)
	}
}

func spansOfACall(ctx context.Context, traced tracer) {
	ctx, call := traced.operation(ctx, "odoo", "erp", readTraits)
	_, only := traced.attempt(ctx, "odoo", "erp", readTraits.Operation, 1, "first")
	only.end(200, "ok")
	call.end("ok", 1, nil)
}

func BenchmarkSpans(b *testing.B) {
	exported, _ := recording(b)
	for name, traced := range map[string]tracer{"off": newTracer(nil), "on": exported} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				spansOfACall(b.Context(), traced)
			}
		})
	}
}
