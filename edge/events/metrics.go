package events

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// result is what became of an event.
type result string

const (
	resultAccepted  result = "accepted"
	resultDuplicate result = "duplicate"
	resultApplied   result = "applied"
	resultDropped   result = "dropped"
	resultFailed    result = "failed"
)

// instruments count events by source, which is a role, and refused requests by reason.
type instruments struct {
	events  metric.Int64Counter
	refused metric.Int64Counter
	lag     metric.Float64Histogram
}

func newInstruments(provider metric.MeterProvider) (*instruments, error) {
	meter := provider.Meter("github.com/portico-bff/portico/edge/events")
	events, err1 := meter.Int64Counter("portico.events",
		metric.WithUnit("{event}"), metric.WithDescription("Change events by source and what became of them: accepted or duplicate when received, applied or dropped afterwards, failed when they could not be queued."))
	refused, err2 := meter.Int64Counter("portico.events.refused",
		metric.WithUnit("{request}"), metric.WithDescription("Requests with change events that were refused, by reason."))
	lag, err3 := meter.Float64Histogram("portico.events.lag",
		metric.WithUnit("s"), metric.WithDescription("Time from taking a change event to having it applied, by Redis's clock."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 30, 60, 300))
	return &instruments{events: events, refused: refused, lag: lag}, errors.Join(err1, err2, err3)
}

func (i *instruments) count(ctx context.Context, source string, what result) {
	i.events.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(
		attribute.String("source", source), attribute.String("result", string(what)))))
}

func (i *instruments) refuse(ctx context.Context, reason refusal) {
	i.refused.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", string(reason)))))
}

func (i *instruments) late(ctx context.Context, d time.Duration) {
	i.lag.Record(ctx, max(d, 0).Seconds())
}
