package transport

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

const (
	hedgeQuantile = 0.95
	hedgeSamples  = 20   // of the last seconds; fewer say little about a tail
	hedgeShare    = 0.05 // hedges for each call of the system, at most
	hedgeBurst    = 10.0
)

// allowance is how many hedges a system's calls have earned: each call a
// twentieth of one. It starts empty, so hedges never exceed their share.
type allowance struct {
	mu     sync.Mutex
	tokens float64
}

func newAllowance() *allowance { return &allowance{} }

func (a *allowance) earn() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens = min(hedgeBurst, a.tokens+hedgeShare)
}

func (a *allowance) spend() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tokens < 1 {
		return false
	}
	a.tokens--
	return true
}

func (a *allowance) left() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens
}

// hedge begins a second attempt of a read that takes longer than 19 in 20 of its
// operation did lately (Dean and Barroso, The Tail at Scale, 2013). The first
// answer that can be used wins and the other attempt is cancelled.
func (c *Client) hedge(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		if a.kind == firstAttempt {
			c.hedges.earn()
		}
		after, ok := c.hedgeAfter(a)
		if !ok {
			return next(ctx, a)
		}
		return c.raced(ctx, a, after, next)
	}
}

// hedgeAfter is how long an attempt has until it gets company; false: it gets none.
func (c *Client) hedgeAfter(a *attempt) (time.Duration, bool) {
	if a.isWrite() || c.cfg.NoHedge {
		return 0, false
	}
	after, samples := a.call.operation.recent.quantile(hedgeQuantile)
	return after, samples >= hedgeSamples && after < c.cfg.AttemptTimeout
}

// mayHedge is asked when the time has come. A breaker that is not closed gets no
// more than it lets through by itself.
func (c *Client) mayHedge(ctx context.Context, a *attempt) bool {
	return ctx.Err() == nil &&
		a.call.operation.breaker.state() == breakerClosed &&
		c.budget.allows() &&
		c.hedges.spend()
}

// race is an attempt and its hedge. The attempt runs on the caller's goroutine,
// the hedge on one of its own that the race waits for.
type race struct {
	client *Client
	next   attemptHandler
	first  *attempt
	second attempt

	done chan struct{} // closed when the hedge has ended
	res  *http.Response
	err  error

	panic *panicError // goes on in the caller
}

func (c *Client) raced(ctx context.Context, a *attempt, after time.Duration, next attemptHandler) (*http.Response, error) {
	r := &race{client: c, next: next, first: a, second: attempt{call: a.call, kind: hedgeAttempt}, done: make(chan struct{})}
	timer := time.AfterFunc(after, func() { r.hedge(ctx) })
	res, err := next(ctx, a)
	if timer.Stop() { // it never began
		return res, err
	}
	if won(res, err) {
		r.second.lose()
	}
	<-r.done // at once when it lost; else it may still bring what the first did not
	if r.panic != nil {
		panic(r.panic)
	}
	if won(res, err) || !won(r.res, r.err) {
		discard(r.res)
		return res, err
	}
	discard(res)
	return r.res, nil
}

func (r *race) hedge(ctx context.Context) {
	defer close(r.done)
	// On a goroutine of its own a panic would end the process, past every recovery of the caller's.
	defer func() {
		if value := recover(); value != nil {
			r.panic = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	if !r.client.mayHedge(ctx, r.first) {
		return
	}
	r.res, r.err = r.next(ctx, &r.second) //nolint:bodyclose // read whole, nothing to close
	if won(r.res, r.err) {
		r.first.lose()
	}
}

// won tells whether an attempt brought an answer that ends the race.
func won(res *http.Response, err error) bool {
	return err == nil && res != nil && judged(res.StatusCode) == nil
}

// discard gives up an answer that nobody will read: it was a good one.
func discard(res *http.Response) {
	if res == nil {
		return
	}
	if whole, ok := res.Body.(*wholeBody); ok {
		whole.settle(verdictGood)
	}
}
