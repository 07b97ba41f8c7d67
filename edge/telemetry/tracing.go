package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/portico-bff/portico/edge/config"
)

// flushTimeout bounds what spans that nobody takes can add to a stop.
const flushTimeout = 3 * time.Second

// noContext is for SDK calls that take a context and do not wait.
var noContext = context.Background()

// tracing is a process's spans on their way to the collector; nil when traces are off.
type tracing struct {
	tracer   trace.Tracer // of requests
	provider *sdk.TracerProvider
	queue    sdk.SpanProcessor // bounded: what does not fit is dropped, nobody waits
	exporter *spanExporter
}

// newTracing starts exporting spans of a channel, or answers nil when cfg turns traces off.
func newTracing(cfg Traces, channel string, log *slog.Logger) (*tracing, error) {
	plan, err := cfg.plan()
	if err != nil || plan.target == "" {
		return nil, err
	}
	about, err := cfg.resource(channel)
	if err != nil {
		return nil, err
	}
	// No connection is made yet: only what the SDK reads itself can be wrong here.
	next, err := otlptracehttp.New(noContext, otlptracehttp.WithEndpointURL(plan.target))
	if err != nil {
		return nil, config.Bad("OTEL_EXPORTER_OTLP_CERTIFICATE", "and its like need an endpoint with https")
	}
	t := &tracing{exporter: &spanExporter{SpanExporter: next, log: log}}
	t.queue = sdk.NewBatchSpanProcessor(t.exporter)
	t.provider = sdk.NewTracerProvider(
		sdk.WithResource(about),
		sdk.WithSampler(plan.sampler),
		sdk.WithSpanProcessor(t.queue),
	)
	t.tracer = t.provider.Tracer("github.com/portico-bff/portico/edge")
	return t, nil
}

// close exports what is left until ctx ends, and then gives up: that a collector
// does not answer is no failure of the process.
func (t *tracing) close(ctx context.Context) {
	flushing, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	err := t.queue.Shutdown(flushing)
	// What still tries to export is told to stop, which ends at once.
	ctx = context.WithoutCancel(ctx)
	err = errors.Join(err, t.exporter.Shutdown(ctx), t.provider.Shutdown(ctx))
	if err != nil {
		t.exporter.log.LogAttrs(ctx, slog.LevelWarn, "spans lost at the end")
	}
}

// Tracer is where spans come from; one that records nothing when traces are off.
func (t *Telemetry) Tracer() trace.TracerProvider {
	if t.tracing == nil {
		return noop.NewTracerProvider()
	}
	return t.tracing.provider
}
