package telemetry

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// TraceHeaders is what a request says of the trace it belongs to: the values of
// its header lines, in their order. They are not kept.
type TraceHeaders struct {
	Traceparent []string
	Tracestate  []string
}

// Bounds of what a client may say of its trace. W3C asks that 512 bytes of state
// be passed on.
const (
	maxTraceparent = 128
	maxTracestate  = 512
)

// within puts the trace that a request belongs to into ctx. Headers that are
// malformed, repeated or too long count as absent.
func (h TraceHeaders) within(ctx context.Context) context.Context {
	if len(h.Traceparent) != 1 || len(h.Traceparent[0]) > maxTraceparent {
		return ctx
	}
	carrier := propagation.MapCarrier{"traceparent": h.Traceparent[0]}
	if state := strings.Join(h.Tracestate, ","); len(state) <= maxTracestate {
		carrier["tracestate"] = strings.Clone(state) // its pieces are kept for as long as the trace is
	}
	return propagation.TraceContext{}.Extract(ctx, carrier)
}

// RequestSpan is the span of a request; the zero value is none.
type RequestSpan struct {
	span   trace.Span
	method string
}

// Tracing tells whether there are spans at all.
func (t *Telemetry) Tracing() bool { return t.tracing != nil }

// StartRequest begins the span of a request and puts it into ctx. Nothing of the
// request is in it but its method; the trace is the client's, when its headers name one.
func (t *Telemetry) StartRequest(ctx context.Context, method string, headers TraceHeaders) (context.Context, RequestSpan) {
	if t.tracing == nil {
		return ctx, RequestSpan{}
	}
	method = knownMethod(method)
	ctx, span := t.tracing.tracer.Start(headers.within(ctx), method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", method),
		attribute.String("portico.channel", t.channel),
	))
	return ctx, RequestSpan{span: span, method: method}
}

// End ends the span. route is the template, never the path; requestID may be empty.
func (s RequestSpan) End(route string, status int, requestID string) {
	if s.span == nil {
		return
	}
	if s.span.IsRecording() {
		name := s.method
		if name == otherMethod {
			name = "HTTP"
		}
		s.span.SetName(name + " " + route)
		s.span.SetAttributes(
			attribute.String("http.route", route),
			attribute.Int("http.response.status_code", status),
			attribute.String("portico.request_id", requestID),
		)
		if status >= http.StatusInternalServerError {
			s.span.SetAttributes(attribute.String("error.type", strconv.Itoa(status)))
			s.span.SetStatus(codes.Error, "")
		}
	}
	s.span.End()
}

// otherMethod stands for every method that a client could make up.
const otherMethod = "_OTHER"

func knownMethod(method string) string {
	if i := slices.Index(methods, method); i >= 0 {
		return methods[i] // shares no memory with the request
	}
	return otherMethod
}
