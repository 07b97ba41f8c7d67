package transport

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// broken asks the operation's circuit breaker. What an attempt that was answered
// says about the upstream is known only once the connector has read the answer,
// so its permit travels on with the body.
func (c *Client) broken(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		permit, wait, ok := a.call.operation.breaker.acquire()
		if !ok {
			return nil, &attemptError{
				kind: commerce.ErrUnavailable, reason: commerce.ReasonBreakerOpen, cause: errBreakerOpen,
				retryAfter: wait, own: true,
			}
		}
		res, err := next(ctx, a)
		if v := verdictOf(res, err); v != verdictGood {
			permit.settle(v)
			return res, err
		}
		if whole, ok := res.Body.(*wholeBody); ok {
			whole.permit, whole.slow = permit, c.slow(ctx, a)
		}
		return res, nil
	}
}

// slow tells whether a read took so long that more of its kind would be a failure
// of the upstream, though it answered. A write may take its time.
func (c *Client) slow(ctx context.Context, a *attempt) bool {
	return !a.isWrite() && a.took > c.limit(ctx, a)*3/4
}

// settle tells the breaker what became of an answer: v, unless it came too slowly.
func (b *wholeBody) settle(v verdict) {
	if b.slow && v == verdictGood {
		v = verdictBad
	}
	b.permit.settle(v)
}

// admitted takes a slot of the system's bulkhead for as long as the attempt takes.
// A hedge never waits for one.
func (c *Client) admitted(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		if err := c.admit(ctx, a); err != nil {
			return nil, err
		}
		var res *http.Response
		var err error
		defer func() { c.leave(a, res, err) }()
		if a.kind == hedgeAttempt {
			a.call.hedged.Store(true)
			commerce.Mark(ctx, commerce.ReasonHedged)
		}
		res, err = next(ctx, a)
		return res, err
	}
}

func (c *Client) admit(ctx context.Context, a *attempt) error {
	var err error
	switch {
	case a.kind == hedgeAttempt:
		if !c.bulkhead.tryAcquire() {
			err = errBulkheadFull
		}
	case ctx.Err() == nil && c.bulkhead.tryAcquire(): // nothing to wait for
	default:
		err = c.queue(ctx, a)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errBulkheadFull):
		return &attemptError{kind: commerce.ErrUnavailable, reason: commerce.ReasonBulkheadFull, cause: errBulkheadFull, own: true}
	default:
		late := lost(ctx, err, waiting())
		late.own = true // the upstream was not asked
		return late
	}
}

// queue waits for a slot.
func (c *Client) queue(ctx context.Context, a *attempt) error {
	ctx, cancel := timed(ctx)
	defer cancel()
	begun := time.Now()
	err := c.bulkhead.acquire(ctx, a.call.traits.Access)
	a.call.record.Queued(a.number, time.Since(begun))
	return err
}

// leave gives the attempt's slot back. Only an answer that can be used tells how
// long its operation takes: an error of 1 ms would make every other look slow.
func (c *Client) leave(a *attempt, res *http.Response, err error) {
	if res != nil && verdictOf(res, err) == verdictGood {
		c.bulkhead.answered(a.call.operation.pace, a.took)
		return
	}
	c.bulkhead.release(a.vote(res, err))
}

// vote is what an attempt without a usable answer says about the system's load.
func (a *attempt) vote(res *http.Response, err error) vote {
	switch {
	case res != nil && overloaded(res.StatusCode):
		return voteSlow
	case errors.Is(err, commerce.ErrTimeout) && verdictOf(res, err) == verdictBad: // not one that had no time to begin
		return voteSlow
	default:
		return voteNone
	}
}

// overloaded are the statuses by which a system says that it is too busy.
func overloaded(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}
