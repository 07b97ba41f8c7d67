package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

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

// The outcomes of a call that got an answer, or that its caller ended. All other
// outcomes are reasons of [commerce.Reason].
const (
	outcomeOK       = commerce.OutcomeOK
	outcomeRefused  = commerce.OutcomeRefused
	outcomeCanceled = commerce.OutcomeCanceled
)

// observe gives a call its span, measures it, and writes one warning when it failed.
func (c *Client) observe(next handler) handler {
	return func(ctx context.Context, k *call) (*Response, error) {
		begun := time.Now()
		ctx, span := c.tracer.operation(ctx, c.system, c.deps.Role, k.traits)
		k.record = commerce.TrailOf(ctx).Record(c.system, k.traits.Operation, k.operation.step)
		res, err := next(ctx, k)
		took := time.Since(begun)

		outcome, attempts := outcomeOf(res, err), int(k.attempts.Load())
		k.endRecord(res, err, outcome)
		span.end(outcome, attempts, k.outcomes())
		c.calls.add()
		with := c.labels(k.operation, outcome)
		c.metrics.calls.Add(ctx, 1, with.add...)
		c.metrics.attempts.Add(ctx, int64(attempts), with.add...)
		c.metrics.duration.Record(ctx, took.Seconds(), with.record...)
		if cause := failureOf(outcome, res, err); cause != nil && c.worthALine(outcome) {
			c.warn(ctx, k, outcome, took, cause)
		}
		return res, err
	}
}

// warn is apart so that calls that end well need no room for it on their stacks.
func (c *Client) warn(ctx context.Context, k *call, outcome string, took time.Duration, cause error) {
	c.deps.Log.LogAttrs(ctx, slog.LevelWarn, "upstream call failed",
		slog.String("system", c.system),
		slog.String("role", c.deps.Role),
		slog.String("operation", string(k.traits.Operation)),
		slog.String("reason", outcome),
		slog.Int("status", k.status),
		slog.Int("attempts", int(k.attempts.Load())),
		slog.Float64("durationMs", float64(took.Microseconds())/1000),
		slog.Any("error", cause),
	)
}

// failureOf is what to warn of: that the upstream failed, or refused who we are,
// whatever was asked. Other refusals are answers.
func failureOf(outcome string, res *Response, err error) error {
	switch {
	case outcome == outcomeCanceled || outcome == outcomeOK:
		return nil
	case outcome == outcomeRefused && (res == nil || !turnedAway(res.Status)):
		return nil
	case err != nil:
		return err
	default:
		return statusError(res.Status)
	}
}

// refusalsLogged is how often a system's own refusals are worth a line.
const refusalsLogged = time.Second

// worthALine holds back lines that would come by the hundred while they say
// nothing new: an open breaker was logged when it opened, and a full bulkhead is
// full for everybody.
func (c *Client) worthALine(outcome string) bool {
	switch commerce.Reason(outcome) {
	case commerce.ReasonBreakerOpen:
		return false
	case commerce.ReasonBulkheadFull:
		last, now := c.fullLogged.Load(), time.Now().UnixNano()
		return now-last >= int64(refusalsLogged) && c.fullLogged.CompareAndSwap(last, now)
	default:
		return true
	}
}

// turnedAway tells whether an upstream refused who we are.
func turnedAway(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

func outcomeOf(res *Response, err error) string {
	switch {
	case err == nil && res.Status >= http.StatusBadRequest:
		return outcomeRefused
	case err == nil:
		return outcomeOK
	case errors.Is(err, context.Canceled) && !errors.Is(err, commerce.ErrOutcomeUnknown):
		return outcomeCanceled
	case !againstUpstream(err):
		return outcomeRefused
	default:
		return string(commerce.ReasonOf(err))
	}
}

// againstUpstream tells whether an error is the upstream's failure, and not its
// answer to what was asked.
func againstUpstream(err error) bool {
	switch commerce.KindOf(err) {
	case commerce.ErrUpstream, commerce.ErrUnavailable, commerce.ErrTimeout, commerce.ErrRateLimited:
		return true
	case nil:
		return true
	default:
		return errors.Is(err, commerce.ErrOutcomeUnknown)
	}
}
