package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/edge/requestid"
)

const (
	// requestKey is the attribute that ties a request's lines together.
	requestKey = "requestId"
	// traceKey ties lines to a trace, and to one another where requests share a load.
	traceKey = "traceId"
)

// naming adds the request's id to every line that is logged on a request's
// context and does not have it, so that a failed upstream call can be found from
// the complaint of the client that it hit. A shared load belongs to no request,
// but to the trace of the one that caused it: lines carry the trace's id, too.
//
// A line that is WARN or worse does not wait to be written, nor does what came before it.
type naming struct {
	slog.Handler
	sink *sink
}

// Handle implements [slog.Handler].
func (h naming) Handle(ctx context.Context, r slog.Record) error {
	named, traced := false, false
	r.Attrs(func(a slog.Attr) bool {
		named = named || a.Key == requestKey
		traced = traced || a.Key == traceKey
		return true
	})
	var extra []slog.Attr
	if id := requestid.From(ctx); id != "" && !named {
		extra = append(extra, slog.String(requestKey, id))
	}
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() && !traced {
		extra = append(extra, slog.String(traceKey, id.String()))
	}
	if len(extra) > 0 {
		r = r.Clone()
		r.AddAttrs(extra...)
	}
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		h.sink.flush()
	}
	return err
}

// WithAttrs implements [slog.Handler].
func (h naming) WithAttrs(attrs []slog.Attr) slog.Handler {
	return naming{h.Handler.WithAttrs(attrs), h.sink}
}

// WithGroup implements [slog.Handler].
func (h naming) WithGroup(name string) slog.Handler { return naming{h.Handler.WithGroup(name), h.sink} }
