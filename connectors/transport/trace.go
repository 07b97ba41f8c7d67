package transport

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/portico-bff/portico/schema/commerce"
)

// Attributes of spans. Their values are names from the configuration, words of
// our own and numbers: nothing of a request or an answer is among them.
const (
	spanSystem    = attribute.Key("portico.system")
	spanRole      = attribute.Key("portico.role")
	spanOperation = attribute.Key("portico.operation")
	spanAccess    = attribute.Key("portico.access")
	spanAttempts  = attribute.Key("portico.attempts")
	spanAttempt   = attribute.Key("portico.attempt")
	spanKind      = attribute.Key("portico.attempt.kind")
	spanOutcome   = attribute.Key("portico.outcome")
	spanOutcomes  = attribute.Key("portico.outcomes")
	spanStatus    = attribute.Key("http.response.status_code")
	spanResends   = attribute.Key("http.request.resend_count")
)

// tracer makes a call's spans. They are our own rather than otelhttp's, which
// tell an attempt's URL: here it may hold an e-mail address. The zero value makes none.
type tracer struct{ of trace.Tracer }

// newTracer makes spans at p; nil, or a provider that records nothing, makes none.
func newTracer(p trace.TracerProvider) tracer {
	if _, off := p.(noop.TracerProvider); off || p == nil {
		return tracer{}
	}
	return tracer{of: p.Tracer("github.com/portico-bff/portico/connectors/transport")}
}

// wanted tells whether a span below ctx could be recorded. Where the request's
// own span was not sampled, no sampler would decide otherwise for its children:
// it goes by the parent, or by the trace's id.
func (t tracer) wanted(ctx context.Context) bool {
	if t.of == nil {
		return false
	}
	above := trace.SpanContextFromContext(ctx)
	return !above.IsValid() || above.IsSampled() || above.IsRemote()
}

// operationSpan is the span of a whole call; the zero value is none.
type operationSpan struct{ span trace.Span }

// operation begins the span of a call, within the span of ctx.
func (t tracer) operation(ctx context.Context, system, role string, traits commerce.Traits) (context.Context, operationSpan) {
	if !t.wanted(ctx) {
		return ctx, operationSpan{}
	}
	ctx, span := t.of.Start(ctx, system+" "+string(traits.Operation), trace.WithAttributes(
		spanSystem.String(system),
		spanRole.String(role),
		spanOperation.String(string(traits.Operation)),
		spanAccess.String(accessName(traits.Access)),
	))
	return ctx, operationSpan{span}
}

// end ends the span. outcome is the metrics' word for how the call ended;
// attempts counts those that were started; outcomes are the marks on its way.
func (s operationSpan) end(outcome string, attempts int, outcomes []commerce.Reason) {
	if s.span == nil {
		return
	}
	if s.span.IsRecording() {
		s.span.SetAttributes(spanOutcome.String(outcome), spanAttempts.Int(attempts))
		if len(outcomes) > 0 {
			s.span.SetAttributes(spanOutcomes.StringSlice(texts(outcomes)))
		}
		markFailed(s.span, outcome)
	}
	s.span.End()
}

// attemptSpan is the span of one attempt; the zero value is none.
type attemptSpan struct {
	span trace.Span
	own  bool // false: it is the span above, only passed on
}

// attempt begins the span of an attempt, within its operation's. number counts
// from 1; kind is "first", "retry" or "hedge".
func (t tracer) attempt(ctx context.Context, system, role string, op commerce.Operation, number int, kind string) (context.Context, attemptSpan) {
	if t.of == nil {
		return ctx, attemptSpan{}
	}
	if !t.wanted(ctx) {
		return ctx, attemptSpan{span: trace.SpanFromContext(ctx)}
	}
	ctx, span := t.of.Start(ctx, system+" "+string(op)+" attempt", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		spanSystem.String(system),
		spanRole.String(role),
		spanOperation.String(string(op)),
		spanAttempt.Int(number),
		spanKind.String(kind),
	))
	if number > 1 && span.IsRecording() {
		span.SetAttributes(spanResends.Int(number - 1))
	}
	return ctx, attemptSpan{span: span, own: true}
}

// inject tells the upstream which trace the attempt belongs to, as W3C
// traceparent and tracestate. Baggage is never sent.
func (s attemptSpan) inject(header http.Header) {
	if s.span == nil {
		return
	}
	ctx := trace.ContextWithSpan(context.Background(), s.span)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
}

// end ends the span. status is the answer's, 0 when there was none; outcome is
// the word for how the attempt ended.
func (s attemptSpan) end(status int, outcome string) {
	if !s.own {
		return
	}
	if s.span.IsRecording() {
		if status > 0 {
			s.span.SetAttributes(spanStatus.Int(status))
		}
		s.span.SetAttributes(spanOutcome.String(outcome))
		markFailed(s.span, outcome)
	}
	s.span.End()
}

// markFailed gives a span the status of its outcome. That an upstream refused
// what was asked, or that the caller left, is no failure of the call.
func markFailed(span trace.Span, outcome string) {
	switch outcome {
	case "ok", "refused", "canceled":
	default:
		span.SetStatus(codes.Error, outcome)
	}
}

func accessName(a commerce.Access) string {
	if a == commerce.Read {
		return "read"
	}
	return "write"
}

func texts(reasons []commerce.Reason) []string {
	list := make([]string, len(reasons))
	for i, r := range reasons {
		list[i] = string(r)
	}
	return list
}
