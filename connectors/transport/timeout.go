package transport

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// timeoutHeader tells an upstream how many milliseconds its answer is waited for,
// so that it can give up early too. The name is Envoy's, the one with a
// published meaning.
const timeoutHeader = "X-Envoy-Expected-Rq-Timeout-Ms"

// timeout bounds one attempt. readWhole is inside, so that the body counts too.
// A Write has no other attempt: cut short, it would only leave its outcome
// unknown, so the operation's own limit is its attempt's. So it is where somebody
// patient waits for a Read, be it since it began. No attempt begins with less time
// than the upstream usually takes.
func (c *Client) timeout(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		now := time.Now()
		by := now.Add(c.cfg.AttemptTimeout)
		if end, ok := ctx.Deadline(); ok {
			if end.Sub(now) < c.leastTime(a.call.operation) {
				return nil, &attemptError{kind: commerce.ErrTimeout, reason: commerce.ReasonTimeout, cause: errTooLate, own: true}
			}
			if a.isWrite() || end.Before(by) || commerce.Patient(ctx) {
				by = end
			}
			a.longest = end.Sub(now)
		}
		a.by = by
		ctx, cancel := c.ending(ctx, by, now.Add(a.longest))
		defer cancel()
		a.cancelledBy(cancel)
		return next(ctx, a)
	}
}

// ending is ctx until by, or until last when somebody who is patient waits by then.
func (c *Client) ending(ctx context.Context, by, last time.Time) (context.Context, context.CancelFunc) {
	if !by.Before(last) || !commerce.MayTurnPatient(ctx) {
		return context.WithDeadline(ctx, by)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	late := func() { cancel(context.DeadlineExceeded) }
	first := time.AfterFunc(time.Until(by), func() {
		if !commerce.Patient(ctx) {
			late()
		}
	})
	second := time.AfterFunc(time.Until(last), late)
	return ctx, func() {
		first.Stop()
		second.Stop()
		cancel(nil)
	}
}

// limit is how long the attempt may take, as far as is known now.
func (c *Client) limit(ctx context.Context, a *attempt) time.Duration {
	if commerce.Patient(ctx) {
		return max(a.longest, c.cfg.AttemptTimeout)
	}
	return c.cfg.AttemptTimeout
}

// leastTime is what an attempt needs to be worth its while: the operation's
// median of late, but no more than half of an attempt's limit, so that a slow
// spell cannot lock callers out who have a whole attempt's time.
func (c *Client) leastTime(op *operation) time.Duration {
	usual, _ := op.recent.quantile(0.5)
	return max(leastAttempt, min(usual, c.cfg.AttemptTimeout/2))
}

// announceTimeout writes the header that tells how long the attempt may take.
func (a *attempt) announceTimeout(header http.Header) {
	if !a.by.IsZero() {
		a.told[0] = strconv.FormatInt(max(1, time.Until(a.by).Milliseconds()), 10)
		header[timeoutHeader] = a.told[:]
	}
}
