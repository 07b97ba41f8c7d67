package transport

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	backoffBase = 25 * time.Millisecond
	backoffCap  = time.Second
	// maxAskedWait is the longest an upstream's Retry-After can make us wait.
	maxAskedWait = 2 * time.Second
	// leastAttempt is the time without which an attempt is not begun.
	leastAttempt = 10 * time.Millisecond
	// deadlineMargin is what a call leaves its caller for answering.
	deadlineMargin = 10 * time.Millisecond
)

// deadline bounds the whole call: 10 ms before the caller's own, and never later
// than the operation's limit.
func (c *Client) deadline(next handler) handler {
	return func(ctx context.Context, k *call) (*Response, error) {
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, context.Canceled
		}
		now := time.Now()
		by := now.Add(orDefault(k.traits.Timeout, c.cfg.Timeout))
		if end, ok := ctx.Deadline(); ok && end.Add(-deadlineMargin).Before(by) {
			by = end.Add(-deadlineMargin)
		}
		if !now.Before(by) {
			return nil, c.failure(k, &attemptError{kind: commerce.ErrTimeout, reason: commerce.ReasonTimeout, cause: context.DeadlineExceeded})
		}
		return next(&bounded{Context: ctx, by: by}, k)
	}
}

// bounded is the context of a call. It tells by when the call must have ended, and
// leaves it to others to see to that: nearly every call ends with its first attempt,
// whose own limit is no later. Whatever else waits does so on [timed].
type bounded struct {
	context.Context
	by time.Time
}

// Deadline is when the call must have ended.
func (b *bounded) Deadline() (time.Time, bool) { return b.by, true }

// timed is a context that does end at the deadline of a call's context.
func timed(ctx context.Context) (context.Context, context.CancelFunc) {
	by, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, by)
}

// retry makes a call's first attempt. Where another may help, go-retryablehttp's
// loop goes on from there.
func (c *Client) retry(ctx context.Context, k *call) (*Response, error) {
	k.tries = 1
	res, err := c.attempt(ctx, k) //nolint:bodyclose // read whole, nothing to close
	if k.traits.Access == commerce.Read && repeatable(res, err) {
		res, err = c.repeat(ctx, k, res, err) //nolint:bodyclose // the same
	}
	return c.outcome(k, res, err)
}

// repeat runs go-retryablehttp's loop with policies that know the call, from where
// the first attempt ended: most calls need no loop, and are spared its cost.
func (c *Client) repeat(ctx context.Context, k *call, res *http.Response, err error) (*http.Response, error) {
	ctx, cancel := timed(ctx)
	defer cancel()
	k.tries = 0 // the loop counts the first attempt, too
	policy := &retryPolicy{client: c, call: k, res: res, err: err}
	loop := &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: roundTrip(policy.attempt),
			// A redirect is a bad answer: followed, it would take credentials to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		CheckRetry:     policy.check,
		Backoff:        policy.backoff,
		RetryMax:       c.cfg.MaxAttempts - 1,
		ErrorHandler:   retryablehttp.PassthroughErrorHandler,
		RequestLogHook: func(retryablehttp.Logger, *http.Request, int) { k.tries++ },
	}
	res, err = loop.Do(&retryablehttp.Request{Request: k.request(ctx)}) //nolint:bodyclose // read whole, nothing to close
	if err == nil {
		return res, nil
	}
	if _, ok := errors.AsType[*attemptError](err); !ok && ctx.Err() != nil {
		err = lost(ctx, ctx.Err(), waiting())
	}
	return nil, err
}

// outcome reads what the call ended with.
func (c *Client) outcome(k *call, res *http.Response, err error) (*Response, error) {
	if err != nil {
		return nil, c.failure(k, err)
	}
	k.status = res.StatusCode
	if bad := judged(res.StatusCode); bad != nil {
		bad.retryAfter = reportedWait(res.Header)
		return nil, c.failure(k, bad)
	}
	whole, ok := res.Body.(*wholeBody)
	if !ok {
		return nil, c.failure(k, badAnswer(errTruncated))
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: slices.Clip(whole.data), whole: whole}, nil
}

// retryPolicy decides whether and when one call is tried again. The loop calls
// attempt, then asks check, then backoff, on one goroutine.
type retryPolicy struct {
	client *Client
	call   *call
	res    *http.Response // what the first attempt ended with
	err    error
	wait   time.Duration
}

// attempt makes those that follow the first.
func (p *retryPolicy) attempt(r *http.Request) (*http.Response, error) {
	if p.call.tries == 1 {
		return p.res, p.err
	}
	return p.client.attempt(r.Context(), callOf(r.Context()))
}

// check lets a Read try again where that can help, time remains for it, and the
// system's budget allows.
func (p *retryPolicy) check(ctx context.Context, res *http.Response, err error) (bool, error) {
	k := p.call
	if k.traits.Access != commerce.Read || k.tries >= p.client.cfg.MaxAttempts || ctx.Err() != nil || !repeatable(res, err) {
		return false, nil //nolint:nilerr // the loop passes err on when it is told not to repeat
	}
	least := p.client.leastTime(k.operation)
	remaining := maxAskedWait + least
	if end, ok := ctx.Deadline(); ok {
		remaining = time.Until(end)
	}
	wait, ok := pause(k.tries-1, askedWait(res), remaining-least)
	if !ok {
		return false, nil
	}
	if !p.client.budget.allows() {
		k.budgetSpent = true
		return false, nil
	}
	p.wait = wait
	commerce.Mark(ctx, commerce.ReasonRetried)
	return true, nil
}

func (p *retryPolicy) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration {
	return p.wait
}

func repeatable(res *http.Response, err error) bool {
	if err != nil {
		failed, ok := errors.AsType[*attemptError](err)
		return ok && failed.again
	}
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// pause is how long to wait after attempt n (from 0): the jittered backoff, or
// as long as the upstream asked for within [backoff, 2 s]. It is false when the
// wait, or what the upstream asked for, does not fit into remaining.
func pause(n int, asked, remaining time.Duration) (time.Duration, bool) {
	wait := max(jitter(n), min(asked, maxAskedWait))
	return wait, asked <= remaining && wait <= remaining
}

// jitter is uniform on [0, min(cap, base × 2ⁿ)].
func jitter(n int) time.Duration {
	ceiling := backoffCap
	if n < 16 {
		ceiling = min(backoffCap, backoffBase<<max(n, 0))
	}
	return rand.N(ceiling + 1) // spreads load, guards nothing
}
