package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
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

// observe measures a call and writes one warning when it failed. That an answer
// cannot be read is seen only later: [DecodeJSON] writes that warning.
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

		warn := func(reason string, err error) {
			c.deps.Log.LogAttrs(ctx, slog.LevelWarn, "upstream call failed",
				slog.String("system", c.system),
				slog.String("operation", string(k.traits.Operation)),
				slog.String("reason", reason),
				slog.Int("status", k.status),
				slog.Int("attempts", k.attempts),
				slog.Duration("took", took),
				slog.Any("error", err),
			)
		}
		switch {
		case outcome == "canceled":
		case err != nil:
			warn(outcome, err)
		case turnedAway(res.Status):
			warn(outcome, statusError(res.Status))
		default:
			res.warn = func(err error) { warn(string(commerce.ReasonBadAnswer), err) }
		}
		return res, err
	}
}

// turnedAway tells whether an upstream refused who we are: the credentials are
// wrong, whatever was asked.
func turnedAway(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
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
