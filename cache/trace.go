package cache

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// causedBy puts the cause of a load into its context, so that the calls it makes
// are seen below the request that they are made for. It is the one thing that a
// load knows of who began it; it may outlive that request.
func causedBy(ctx context.Context, cause trace.SpanContext) context.Context {
	if !cause.IsValid() {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, cause)
}

// linkJoined points the caller's span to the spans of those whose loads it waits
// for, by having joined or boarded them, since the calls made for it are seen there.
func linkJoined(caller context.Context, p *plan, flights []*flight) {
	span := trace.SpanFromContext(caller)
	if !span.IsRecording() {
		return
	}
	seen := map[trace.SpanID]bool{span.SpanContext().SpanID(): true}
	for _, f := range flights {
		if f == nil || f.of == nil || !f.of.cause.IsValid() || seen[f.of.cause.SpanID()] {
			continue
		}
		seen[f.of.cause.SpanID()] = true
		span.AddLink(trace.Link{SpanContext: f.of.cause, Attributes: []attribute.KeyValue{
			attribute.String("portico.link", "joined flight"),
			attribute.String("portico.system", p.system),
			attribute.String("portico.operation", string(p.name)),
		}})
	}
}
