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
// unknown, so the operation's own limit is its attempt's. No attempt begins
// with less time than the upstream usually takes.
func (c *Client) timeout(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		now := time.Now()
		by := now.Add(c.cfg.AttemptTimeout)
		if end, ok := ctx.Deadline(); ok {
			if end.Sub(now) < c.leastTime(a.call.operation) {
				return nil, &attemptError{kind: commerce.ErrTimeout, reason: commerce.ReasonTimeout, cause: errTooLate, own: true}
			}
			if a.isWrite() || end.Before(by) {
				by = end
			}
		}
		ctx, cancel := context.WithDeadline(ctx, by)
		defer cancel()
		a.cancelledBy(cancel)
		return next(ctx, a)
	}
}

// leastTime is what an attempt needs to be worth its while: the operation's
// median of late, but no more than half of an attempt's limit, so that a slow
// spell cannot lock callers out who have a whole attempt's time.
func (c *Client) leastTime(op *operation) time.Duration {
	usual, _ := op.recent.quantile(0.5)
	return max(leastAttempt, min(usual, c.cfg.AttemptTimeout/2))
}

// announceTimeout writes the header that tells what ctx leaves.
func (a *attempt) announceTimeout(ctx context.Context, header http.Header) {
	if end, ok := ctx.Deadline(); ok {
		a.told[0] = strconv.FormatInt(max(1, time.Until(end).Milliseconds()), 10)
		header[timeoutHeader] = a.told[:]
	}
}
