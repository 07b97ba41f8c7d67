package live

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/portico-bff/portico/edge/watch"
)

// Deps is what a desk works with.
type Deps struct {
	Hub   *watch.Hub           // may be nil
	Meter metric.MeterProvider // nil: nothing is measured
}

// Why subscriptions end.
const (
	Completed = "completed" // there is nothing left to watch, or the client has seen enough
	Gone      = "gone"      // the client left
	Slow      = "slow"      // the client did not take what was sent
	Silent    = "silent"    // the client of a connection did not answer a ping
	SignedOut = "signed-out"
	Stopped   = "stopped" // the process stops
	Failed    = "failed"
)

// metrics count subscriptions.
type metrics struct {
	answers metric.Int64Counter
	ended   metric.Int64Counter
}

func newMetrics(provider metric.MeterProvider, active func() int64) (*metrics, error) {
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	meter := provider.Meter("github.com/portico-bff/portico/bff-web")
	_, err1 := meter.Int64ObservableUpDownCounter("portico.web.subscriptions",
		metric.WithUnit("{subscription}"), metric.WithDescription("Subscriptions that are open now."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(active())
			return nil
		}))
	answers, err2 := meter.Int64Counter("portico.web.subscriptions.answers",
		metric.WithUnit("{answer}"), metric.WithDescription("Answers that subscriptions were sent."))
	ended, err3 := meter.Int64Counter("portico.web.subscriptions.ended",
		metric.WithUnit("{subscription}"), metric.WithDescription("Subscriptions that ended, by why: completed, gone (the client left), slow (it did not take what was sent), signed-out, stopped (the process) or failed."))
	return &metrics{answers: answers, ended: ended}, errors.Join(err1, err2, err3)
}

func (m *metrics) sent() { m.answers.Add(context.Background(), 1) }

func (m *metrics) over(why string) {
	m.ended.Add(context.Background(), 1, metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", why))))
}
