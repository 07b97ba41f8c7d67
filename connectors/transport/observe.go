package transport

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/portico-bff/portico/schema/commerce"
)

// instruments count calls by system, operation and outcome: "ok", "refused" (a
// 4xx answer), "canceled", or the reason of the failure.
type instruments struct {
	calls    metric.Int64Counter
	attempts metric.Int64Counter
	duration metric.Float64Histogram
}

var durationBounds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}

func newInstruments(provider metric.MeterProvider) (*instruments, error) {
	meter := provider.Meter("github.com/portico-bff/portico/connectors/transport")
	calls, err1 := meter.Int64Counter("portico.upstream.calls",
		metric.WithUnit("{call}"), metric.WithDescription("Calls to upstreams, retries counted once."))
	attempts, err2 := meter.Int64Counter("portico.upstream.attempts",
		metric.WithUnit("{attempt}"), metric.WithDescription("Attempts of calls to upstreams."))
	duration, err3 := meter.Float64Histogram("portico.upstream.duration",
		metric.WithUnit("s"), metric.WithDescription("How long calls to upstreams took, retries included."),
		metric.WithExplicitBucketBoundaries(durationBounds...))
	return &instruments{calls: calls, attempts: attempts, duration: duration}, errors.Join(err1, err2, err3)
}

// observe measures a call and writes one warning when it failed.
func (c *Client) observe(next handler) handler {
	return func(ctx context.Context, k *call) (*Response, error) {
		begun := time.Now()
		res, err := next(ctx, k)
		took := time.Since(begun)

		outcome := outcomeOf(res, err)
		labels := metric.WithAttributeSet(attribute.NewSet(
			attribute.String("system", c.system),
			attribute.String("operation", string(k.traits.Operation)),
			attribute.String("outcome", outcome),
		))
		c.metrics.calls.Add(ctx, 1, labels)
		c.metrics.attempts.Add(ctx, int64(k.attempts), labels)
		c.metrics.duration.Record(ctx, took.Seconds(), labels)

		if err != nil && outcome != "canceled" {
			c.deps.Log.LogAttrs(ctx, slog.LevelWarn, "upstream call failed",
				slog.String("system", c.system),
				slog.String("operation", string(k.traits.Operation)),
				slog.String("reason", outcome),
				slog.Int("status", k.status),
				slog.Int("attempts", k.attempts),
				slog.Duration("took", took),
				slog.Any("error", err),
			)
		}
		return res, err
	}
}

func outcomeOf(res *Response, err error) string {
	switch {
	case err == nil && res.Status >= 400:
		return "refused"
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled) && !errors.Is(err, commerce.ErrOutcomeUnknown):
		return "canceled"
	default:
		return string(commerce.ReasonOf(err))
	}
}
