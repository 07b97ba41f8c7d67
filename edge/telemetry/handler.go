package telemetry

import (
	"context"
	"log/slog"

	"github.com/portico-bff/portico/edge/requestid"
)

// requestKey is the attribute that ties a request's lines together.
const requestKey = "requestId"

// naming adds the request's id to every line that is logged on a request's
// context and does not have it, so that a failed upstream call can be found from
// the complaint of the client that it hit. Shared flights belong to no request.
type naming struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h naming) Handle(ctx context.Context, r slog.Record) error {
	named := false
	r.Attrs(func(a slog.Attr) bool {
		named = a.Key == requestKey
		return !named
	})
	if id := requestid.From(ctx); id != "" && !named {
		r = r.Clone()
		r.AddAttrs(slog.String(requestKey, id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h naming) WithAttrs(attrs []slog.Attr) slog.Handler { return naming{h.Handler.WithAttrs(attrs)} }

// WithGroup implements [slog.Handler].
func (h naming) WithGroup(name string) slog.Handler { return naming{h.Handler.WithGroup(name)} }
