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

	// hedgeLeast is the time before which no hedge begins. Where answers take single
	// milliseconds, a late one is most often our own machine's doing, and a second
	// attempt would cost more than it could save.
	hedgeLeast = 10 * time.Millisecond

	// hedgeBeyond is how much of the median an attempt has at least. Where all take
	// alike long, one in 20 is later than the others by next to nothing, and about to
	// answer: company would save nothing, and whoever loses costs a connection. A hedge
	// that begins now still ends the call within 3 × p95.
	hedgeBeyond = 1.5
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
// operation did lately (Dean and Barroso, The Tail at Scale, 2013), and half as long
// again as they usually do. The first answer that can be used wins and the other
// attempt is cancelled.
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
// What it may have to wait for ourselves is on top: a process that is short of CPU
// would be so the more for hedges, and each that loses costs a connection.
func (c *Client) hedgeAfter(a *attempt) (time.Duration, bool) {
	if a.isWrite() || c.cfg.NoHedge {
		return 0, false
	}
	usual, late, samples := a.call.operation.recent.tail(hedgeQuantile)
	if samples < hedgeSamples {
		return 0, false
	}
	after := max(late, time.Duration(hedgeBeyond*float64(usual)))
	after = max(hedgeLeast, after+c.bulkhead.late())
	return after, after < c.cfg.AttemptTimeout
}

// late is about how much of what an attempt takes is waiting for ourselves, of late.
func (b *bulkhead) late() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit.own.ofAttempt()
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
// the hedge on one of its own that the race waits for. Nearly every attempt ends
// before its hedge would begin: until then there is no more than a timer.
type race struct {
	client *Client
	ctx    context.Context //nolint:containedctx // of the call that the race is a part of
	next   attemptHandler
	first  *attempt

	hedging sync.WaitGroup // until the hedge has ended
	res     *http.Response
	err     error
	panic   *panicError // goes on in the caller

	mu     sync.Mutex
	over   bool     // the first attempt has won
	second *attempt // nil until it begins
}

func (c *Client) raced(ctx context.Context, a *attempt, after time.Duration, next attemptHandler) (*http.Response, error) {
	r := &race{client: c, ctx: ctx, next: next, first: a}
	r.hedging.Add(1)
	timer := time.AfterFunc(after, r.hedge)
	returned := false
	defer func() {
		if !returned && !timer.Stop() {
			r.abandon()
		}
	}()
	res, err := next(ctx, a)
	returned = true
	if timer.Stop() { // it never began
		return res, err
	}
	if won(res, err) {
		r.end()
	}
	r.hedging.Wait() // not for long when it lost; else it may still bring what the first did not
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

// end says that no hedge is wanted any more.
func (r *race) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	if r.second != nil {
		r.second.lose()
	}
}

// abandon ends the hedge of an attempt that panicked: nobody will read what it brings.
func (r *race) abandon() {
	r.end()
	r.hedging.Wait()
	discard(r.res)
}

// begin makes the second attempt, unless the race is over.
func (r *race) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || !r.client.mayHedge(r.ctx, r.first) {
		return false
	}
	r.second = &attempt{call: r.first.call, kind: hedgeAttempt}
	return true
}

func (r *race) hedge() {
	defer r.hedging.Done()
	// On a goroutine of its own a panic would end the process, past every recovery of the caller's.
	defer func() {
		if value := recover(); value != nil {
			r.panic = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	if !r.begin() {
		return
	}
	r.res, r.err = r.next(r.ctx, r.second) //nolint:bodyclose // read whole, nothing to close
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
		whole.giveBack()
	}
}
