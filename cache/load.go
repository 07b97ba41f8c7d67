package cache

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// load flies the flights at the places open together: Redis once, the system once.
type load struct {
	cache *Cache
	*request
	flights []*flight      // by place; nil where there is none
	open    []int          // not landed yet
	whose   []int          // by place, which of the requests that boarded it is of; nil when there is one
	seen    map[int]string // the checksums of what Redis had for them
	berths  []berth        // where Redis has them
	phase   phase          // of what it brings; see nextPhase
	phased  int            // whose it is
	brought int

	settling sync.Mutex // what was said apart is settled one after the other
}

func (l *load) run(ctx context.Context) {
	defer l.abandon(ctx)
	if !l.plan.remote || !l.cache.news.current.Load() {
		l.fromSystem(ctx, slices.Clone(l.open), nil)
		return
	}
	// Whoever may have a lease is told of an entry by the same question.
	leasing := l.cache.remote.leasing()
	if leasing {
		l.share(ctx)
	}
	if len(l.open) > 0 && l.fromRedis(ctx) && !leasing {
		l.share(ctx)
	}
	if len(l.open) > 0 {
		l.fromSystem(ctx, slices.Clone(l.open), nil)
	}
}

// berth is where Redis has the key at place i, and its lease.
func (l *load) berth(i int) *berth {
	if l.berths == nil {
		l.berths = berthsOf(l.keys, l.open)
	}
	if l.berths[i].entry == "" {
		l.berths[i] = berthOf(l.keys[i])
	}
	return &l.berths[i]
}

func (l *load) address(i int) string { return l.berth(i).entry }

// fromSystem has the system answer the places which, and gives Redis what others may
// have, together with the leases held for it, which may be nil.
func (l *load) fromSystem(ctx context.Context, which []int, leases *leaseSet) {
	h := l.inquire(ctx, which, nil)
	if failed := l.failedTogether(ctx, h); failed != nil {
		l.askApart(ctx, h, failed, leases)
		return
	}
	l.bring(ctx, h, leases)
}

// survive is deferred where a panic is not to end the process.
func (l *load) survive(ctx context.Context) {
	if p := recover(); p != nil {
		l.panicked(ctx)
	}
}

func (l *load) panicked(ctx context.Context) {
	l.cache.log.LogAttrs(ctx, slog.LevelError, "load panicked",
		slog.String("operation", string(l.plan.name)), slog.String("stack", string(debug.Stack())))
}

// abandon lands what a panic or a Goexit left in the air, as failed.
func (l *load) abandon(ctx context.Context) {
	if p := recover(); p != nil {
		l.panicked(ctx)
	}
	for _, i := range l.open {
		f := l.flights[i]
		f.err, f.served = errPanic, upstreamFailed
		l.cache.land(l.keys[i], f)
	}
	l.open = nil
}

// fromRedis lands the flights that Redis has current answers for, and tells whether
// Redis answered.
func (l *load) fromRedis(ctx context.Context) bool {
	keys, addresses := make([]string, len(l.open)), make([]string, len(l.open))
	for n, i := range l.open {
		keys[n], addresses[n] = l.keys[i], l.address(i)
	}
	found, sums := l.cache.remote.get(ctx, keys, addresses)
	if sums == nil {
		return false
	}
	var rest []int
	l.seen = make(map[int]string, len(l.open))
	for n, i := range l.open {
		s, ok := found[n]
		if !ok || !l.adopt(i, s) {
			l.seen[i] = sums[n]
			rest = append(rest, i)
		}
	}
	l.open = rest
	return true
}

// adopt takes over an entry from Redis and tells whether it is current.
func (l *load) adopt(i int, s stored) bool {
	value, err := l.plan.codec.read(string(s.payload))
	if err != nil {
		l.cache.metrics.remoteError(l.cache.ctx, "corrupt")
		return false
	}
	f := l.flights[i]
	own := slices.Clip(s.tags)
	for _, tag := range l.plan.own(nil, nil, value) {
		if !slices.Contains(s.tags, tag) {
			own = append(own, tag) // another release did not know of it
		}
	}
	tags := append(slices.Clip(f.tags), own...)
	if !l.cache.tags.admits(tags, s.at, f.stamp.local) {
		return false
	}
	e := newEntry(value, s.began, l.plan.policy).of(l.plan, l.keys[i]).tagged(tags, stamp{local: f.stamp.local, global: s.at})
	if f.joint {
		e.joint = true
		e = e.alone()
	}
	e.written(s.payload)
	if !l.renews(i) {
		e.apart(l.nextPhase(i))
	}
	now := time.Now()
	switch l.cache.judge(l.plan, e, now) {
	case useless:
		return false
	case aging:
		if l.ages(i, e, now) {
			return false
		}
		fallthrough
	case current:
		l.cache.memory.put(e.key, e, l.plan.policy.life())
		f.entry, f.served = e, redisFresh
		l.cache.land(l.keys[i], f)
		return true
	default:
		f.stale.Store(e)
		return false
	}
}
