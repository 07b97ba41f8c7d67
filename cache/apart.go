package cache

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// apartFor is how long an operation's requests are loaded each by itself after a load of
// several of them met an error. A key that fails whatever it is asked for with costs one
// call more in that time, and nobody's page; a system that failed for a moment soon has
// fewer calls again.
const apartFor = 10 * time.Second

// said is what a system was asked for at once, and how it answered.
type said struct {
	which   []int
	answers []answer
	trail   *commerce.Trail
}

// inquire asks the system for the places which. Whoever waits for them sees the calls that
// it takes, and those that before tells of, which may be nil.
func (l *load) inquire(ctx context.Context, which []int, before *commerce.Trail) said {
	ctx, trail := commerce.WithTrail(ctx)
	trail.For(len(which)).Follow(before)
	for _, i := range which {
		l.flights[i].trail.Store(trail)
	}
	return said{which, l.ask(ctx, which), trail}
}

// bring keeps and lands what was said, and gives Redis what others may have, together
// with the leases held for it, which may be nil.
func (l *load) bring(ctx context.Context, h said, leases *leaseSet) {
	writes := l.settleAlone(h, leases)
	if l.plan.remote {
		l.cache.remote.put(ctx, writes, leases)
	}
}

// settleAlone settles one part at a time. A part that panics keeps no other from it.
func (l *load) settleAlone(h said, leases *leaseSet) []write {
	l.settling.Lock()
	defer l.settling.Unlock()
	return l.settle(h.which, h.answers, h.trail.Outcomes(), leases)
}

// failedTogether are the places, by whose they are, that met an error when several
// requests were asked for at once: one of them alone may be the reason. What refuses all
// alike would refuse each of them, too.
func (l *load) failedTogether(ctx context.Context, h said) map[int][]int {
	if l.whose == nil || ctx.Err() != nil || !slices.ContainsFunc(h.which, func(i int) bool { return l.whose[i] != l.whose[h.which[0]] }) {
		return nil
	}
	var failed map[int][]int
	for n, i := range h.which {
		if err := h.answers[n].err; err == nil || refused(err) {
			continue
		}
		if failed == nil {
			failed = map[int][]int{}
		}
		failed[l.whose[i]] = append(failed[l.whose[i]], i)
	}
	return failed
}

// refused tells whether a call was not made, or not heard, whatever it was to ask for.
func refused(err error) bool {
	switch commerce.ReasonOf(err) {
	case commerce.ReasonBreakerOpen, commerce.ReasonBulkheadFull, commerce.ReasonRateLimited:
		return true
	default:
		return false
	}
}

// askApart brings what h has, and asks for what failed in it once more, for each request
// by itself and at once: what one asks for fails, or delays, nobody else.
func (l *load) askApart(ctx context.Context, h said, failed map[int][]int, leases *leaseSet) {
	l.keepApart(ctx, h)
	good := said{trail: h.trail}
	for n, i := range h.which {
		if !slices.Contains(failed[l.whose[i]], i) {
			good.which, good.answers = append(good.which, i), append(good.answers, h.answers[n])
		}
	}
	var parts sync.WaitGroup
	defer parts.Wait()
	for _, which := range failed {
		held := l.part(leases, which)
		parts.Go(func() {
			defer l.survive(ctx)
			l.bring(ctx, l.inquire(ctx, which, h.trail), held)
		})
	}
	l.bring(ctx, good, l.part(leases, good.which))
	leases.once() // in parts
}

// keepApart has nobody board the operation for a while.
func (l *load) keepApart(ctx context.Context, h said) {
	l.cache.flights.mu.Lock()
	l.plan.boards.apart = time.Now().Add(apartFor)
	l.cache.flights.mu.Unlock()
	i := slices.IndexFunc(h.answers, func(a answer) bool { return a.err != nil && !refused(a.err) })
	l.cache.log.LogAttrs(ctx, slog.LevelWarn, "load of several requests failed, each is loaded by itself for a while",
		slog.String("operation", string(l.plan.name)), slog.String("reason", string(commerce.ReasonOf(h.answers[i].err))))
}

// part are the leases of the places which, to be given back by themselves.
func (l *load) part(leases *leaseSet, which []int) *leaseSet {
	if leases == nil {
		return nil
	}
	part := &leaseSet{remote: leases.remote, token: leases.token}
	for _, held := range leases.held {
		if slices.ContainsFunc(which, func(i int) bool { return l.address(i) == held.entry }) {
			part.held = append(part.held, held)
		}
	}
	return part
}
