package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// warnEvery is how often a failing export is in the log.
const warnEvery = time.Minute

// spanExporter keeps the errors of the one it wraps from the SDK, which would print
// each, with what the collector answered, past the process's log.
type spanExporter struct {
	sdk.SpanExporter
	log *slog.Logger

	mu     sync.Mutex
	warned time.Time
	lost   int // spans since then
}

// ExportSpans exports spans, or counts them as lost.
func (e *spanExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.failed(ctx, len(spans), err)
	}
	return nil
}

func (e *spanExporter) failed(ctx context.Context, spans int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost += spans
	now := time.Now()
	if now.Sub(e.warned) < warnEvery {
		return
	}
	e.log.LogAttrs(ctx, slog.LevelWarn, "spans not exported", slog.Int("spans", e.lost), slog.String("cause", exportCause(err)))
	e.warned, e.lost = now, 0
}

// exportCause is one word for why an export failed. The error's own text holds
// the collector's answer and address.
func exportCause(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	if errors.Is(err, context.Canceled) {
		return "stopped"
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return "unreachable"
	}
	return "refused"
}
