package cache

import (
	"context"
	"errors"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// waiter collects the results of flights for one caller.
type waiter struct {
	cache *Cache
	*request
	stale   map[int]*entry
	results []result

	last       *flight // that was waited for
	soft, hard time.Time
	timer      *time.Timer      // to the next of the two
	ticks      <-chan time.Time // its; nil when there are none
	slow       bool             // the soft timeout has passed: stale is good enough
	late       bool             // the hard one has: nothing is waited for any more
	timeout    error
	asked      uint64 // which invalidations there had been when the caller asked
	takes      tolerance
	began      time.Time // before any load that it began
	now        time.Time // when it was last waited
}

// wait fills in the results at the places which, as their flights land.
func (w *waiter) wait(ctx context.Context, which []int, flights []*flight) {
	w.now = time.Now()
	if w.plan.policy.Fresh > 0 {
		first := w.now
		for _, i := range which {
			if f := flights[i]; !f.landed.Load() && f.began.Before(first) {
				first = f.began
			}
		}
		w.soft, w.hard = first.Add(softTimeout), w.now.Add(w.cache.patience(ctx))
		w.timer = time.NewTimer(earlier(w.soft, w.hard).Sub(w.now))
		defer w.timer.Stop()
		w.ticks = w.timer.C
	}
	told := waits{began: w.began}
	for _, i := range which {
		w.results[i] = w.one(ctx, i, flights[i])
		w.tell(&told, i)
	}
}

// patience is how long a caller waits for what is not kept, if its context lets it.
func (c *Cache) patience(ctx context.Context) time.Duration {
	if commerce.Patient(ctx) {
		return max(c.hardTimeout, loadTimeout) // nothing is under way for longer
	}
	return c.hardTimeout
}

// one waits for a flight until it lands or something is better than waiting on.
func (w *waiter) one(ctx context.Context, i int, f *flight) result {
	for {
		w.last = f
		if f.landed.Load() {
			if f.outdated(w.cache.tags, w.asked) {
				f = w.cache.fly(ctx, w.request, []int{i})[i]
				continue
			}
			return w.landed(i, f)
		}
		if w.slow || w.late {
			if e := w.standIn(i, f, w.now); e != nil {
				return w.request.stale(i, e, commerce.ReasonTimeout, w.now)
			}
		}
		if w.late {
			return w.failed(i, w.timeout, upstreamLate)
		}
		left := false
		select {
		case <-w.cache.landing(f):
		case <-w.ticks:
			w.tick()
		case <-ctx.Done():
			left = true
		}
		w.now = time.Now()
		if left {
			w.cache.leave(w.plan, f)
			return w.gaveUp(ctx, i, f)
		}
	}
}

// tick notes which of the timeouts has passed.
func (w *waiter) tick() {
	if w.slow || !w.soft.Before(w.hard) {
		w.late = true
		return
	}
	w.slow = true
	w.timer.Reset(time.Until(w.hard))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// standIn is a stale answer that may still be given at now, or nil.
func (w *waiter) standIn(i int, f *flight, now time.Time) *entry {
	for _, e := range []*entry{f.stale.Load(), w.stale[i]} {
		if e == nil || !w.cache.tags.alive(e) {
			continue
		}
		switch w.takes.of(w.cache.judge(w.plan, e, now), e, now) {
		case fallback, held, revalidated:
			return e
		}
	}
	return nil
}

func (w *waiter) landed(i int, f *flight) result {
	switch now := w.now; {
	case f.err == nil:
		res := w.cache.fresh(w.request, i, f.entry, now)
		res.served, w.sources[i].Outcomes = f.served, f.outcomes
		return res
	case outage(f.err):
		if e := w.standIn(i, f, now); e != nil {
			res := w.request.stale(i, e, commerce.ReasonOf(f.err), now)
			w.sources[i].RetryAfter, w.sources[i].Outcomes = retryAfterOf(f.err), f.outcomes
			if f.stale.Load() == e {
				res.served = redisStale
			}
			return res
		}
	}
	return w.failed(i, f.err, f.served)
}

// gaveUp is for a caller whose time is up, or who left.
func (w *waiter) gaveUp(ctx context.Context, i int, f *flight) result {
	if errors.Is(ctx.Err(), context.Canceled) {
		return w.failed(i, context.Canceled, upstreamLate)
	}
	if e := w.standIn(i, f, w.now); e != nil {
		return w.request.stale(i, e, commerce.ReasonTimeout, w.now)
	}
	return w.failed(i, w.timeout, upstreamLate)
}
