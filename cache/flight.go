package cache

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// flight is a load of one key that everybody who wants it waits for.
type flight struct {
	*beginning
	stamp stamp
	bare  bool                           // memory held nothing of its key when it began
	tags  []commerce.Tag                 // those that its key tells
	stale atomic.Pointer[entry]          // what Redis had, too old to be current
	trail atomic.Pointer[commerce.Trail] // of its load, once its system is asked

	// Guarded by the flights' lock.
	waiting int
	of      *journey      // that brings it; nil when it was over before anybody waited
	done    chan struct{} // closed when it lands; nil until somebody waits for that

	landed   atomic.Bool // set under that lock; what follows is set before
	entry    *entry
	err      error
	served   served
	outcomes []commerce.Reason
}

// beginning is what flights have in common that one request began at once.
type beginning struct {
	began time.Time
	epoch uint64   // of its principal; see epochs
	by    *request // who wanted them first
}

// landing is closed when f lands. Most flights land together: who waits for one of them need
// not wait for the others.
func (c *Cache) landing(f *flight) <-chan struct{} {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if f.done == nil {
		f.done = make(chan struct{})
		if f.landed.Load() {
			close(f.done)
		}
	}
	return f.done
}

// ends is for when what f brought may be read. The flights' lock is held.
func (f *flight) ends() {
	f.landed.Store(true)
	if f.done != nil {
		close(f.done)
	}
}

// flights are the loads under way, by key.
type flights struct {
	mu     sync.Mutex
	byKey  map[string]*flight
	landed atomic.Uint64 // so far; written under mu
}

// join answers the flight of each key of r at the places which. Those that were not under
// way are boarded; begun is what the caller has to have depart for them, or nil. A
// flight that began before its key was invalidated, or before its principal wrote
// something, is not joined. cause is the caller's span.
func (c *Cache) join(cause trace.SpanContext, r *request, which []int) (all []*flight, begun *board) {
	all = make([]*flight, len(r.keys))
	var made []flight // at once: a request's flights mostly end together
	var begin *beginning
	p := passenger{request: r, flights: all}
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	for _, i := range which {
		f := c.flights.byKey[r.keys[i]]
		if f != nil && f.of != nil && f.of.over {
			f = nil
		}
		bare := r.bare != nil && r.bare[i]
		if f == nil && c.flights.landed.Load() != r.landed {
			f, bare = c.justLanded(r, i)
		}
		if f == nil || c.tags.struck(f.tags, f.stamp.local) || f.epoch != r.epochNow() {
			// What it knew of is noted first: what comes later is not missed.
			if made == nil {
				made, p.led = make([]flight, len(which)), make([]int, 0, len(which))
				begin = &beginning{began: time.Now(), epoch: r.epochNow(), by: r}
			}
			p.again = p.again || f != nil
			f = &made[len(p.led)]
			f.beginning, f.stamp, f.tags, f.bare = begin, c.tags.stamp(), r.tags(i), bare
			c.flights.byKey[r.keys[i]] = f
			p.led = append(p.led, i)
		} else if f.of != nil {
			f.of.waiting++
		}
		f.waiting++
		all[i] = f
	}
	if len(p.led) == 0 {
		return all, nil
	}
	return all, r.plan.boards.take(p, cause)
}

// justLanded stands for a flight that was kept since the caller looked at memory, or is
// nil: what lands is kept first, so that nothing current is loaded a second time. bare
// says that memory holds nothing of its key.
func (c *Cache) justLanded(r *request, i int) (f *flight, bare bool) {
	e, bare := c.remembered(r, i)
	if now := time.Now(); c.judge(r.plan, e, now) == current {
		f = &flight{beginning: &beginning{began: now, epoch: r.epochNow()}, stamp: e.stamp, entry: e, served: e.served()}
		f.ends()
		return f, false
	}
	return nil, bare
}

// outdated tells whether the flight, landed, brought what was invalidated before
// asked, by a tag that only its value told: who asked then must not be given it.
func (f *flight) outdated(table *tagTable, asked uint64) bool {
	return f.err == nil && f.stamp.local < asked && table.struck(f.entry.tags, f.stamp.local)
}

// leave is for a caller who waits no more. A load whose answers nobody wants and
// that may not be kept is ended.
func (c *Cache) leave(p *plan, f *flight) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	f.waiting--
	if f.of != nil && !f.landed.Load() {
		f.of.without(1, p)
	}
}

// land ends a flight: what it brought is already kept when nobody can join it any more.
func (c *Cache) land(key string, f *flight) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	c.landLocked(key, f)
}

func (c *Cache) landLocked(key string, f *flight) {
	c.flights.landed.Add(1)
	if c.flights.byKey[key] == f {
		delete(c.flights.byKey, key)
	}
	f.of.without(f.waiting, f.by.plan)
	f.ends()
}

// land ends the flights at the places which.
func (l *load) land(which []int) {
	l.cache.flights.mu.Lock()
	defer l.cache.flights.mu.Unlock()
	for _, i := range which {
		l.cache.landLocked(l.keys[i], l.flights[i])
	}
}

// fly joins or starts the flights of r at the places which, for caller.
func (c *Cache) fly(caller context.Context, r *request, which []int) []*flight {
	// No value of any caller's context but the ids of its span: the answer is for all who wait.
	all, begun := c.join(trace.SpanContextFromContext(caller), r, which)
	if begun != nil {
		c.work.Go(func() { c.depart(begun) })
	}
	return all
}

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
func (l *load) berth(i int) berth {
	if l.berths == nil {
		l.berths = make([]berth, len(l.keys))
	}
	if l.berths[i].entry == "" {
		l.berths[i] = berthOf(l.keys[i])
	}
	return l.berths[i]
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
	value, err := l.plan.codec.decode(s.payload)
	if err != nil {
		l.cache.metrics.remoteError(l.cache.ctx, "corrupt")
		return false
	}
	f := l.flights[i]
	own := slices.Clip(s.tags)
	for _, tag := range l.plan.own(value) {
		if !slices.Contains(s.tags, tag) {
			own = append(own, tag) // another release did not know of it
		}
	}
	tags := append(slices.Clip(f.tags), own...)
	if !l.cache.tags.admits(tags, s.at, f.stamp.local) {
		return false
	}
	e := newEntry(value, s.began, l.plan.policy).tagged(tags, stamp{local: f.stamp.local, global: s.at})
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
		l.cache.memory.put(l.keys[i], e, l.plan.policy.life())
		f.entry, f.served = e, redisFresh
		l.cache.land(l.keys[i], f)
		return true
	default:
		f.stale.Store(e)
		return false
	}
}

// ask calls the system for the places which. A panic in it becomes an error of each.
func (l *load) ask(ctx context.Context, which []int) (answers []answer) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if p := recover(); p != nil {
			l.panicked(ctx)
		}
		answers = make([]answer, len(which))
		for n := range answers {
			answers[n].err = errPanic
		}
	}()
	l.plan.counts.calls.Add(1)
	l.plan.counts.loads.Add(int64(len(which)))
	begun := time.Now()
	answers = l.load(ctx, which)
	returned = true
	if slices.ContainsFunc(answers, func(a answer) bool { return a.err == nil }) {
		l.plan.takes.took(time.Since(begun))
	}
	return answers
}

// settle keeps what the system answered, lands the flights, and says what Redis should hold.
// What they will not find there, its lease tells them.
func (l *load) settle(which []int, answers []answer, outcomes []commerce.Reason, leases *leaseSet) []write {
	writes, settled := make([]write, 0, len(which)), 0
	defer func() { // also when something below panics: nothing lands twice
		l.land(which[:settled])
		l.open = slices.DeleteFunc(l.open, func(i int) bool { return l.flights[i].landed.Load() })
	}()
	for n, i := range which {
		f, a := l.flights[i], answers[n]
		f.outcomes = outcomes
		switch {
		case a.err != nil:
			f.err, f.served = l.plan.flightError(a.err), upstreamFailed
			l.fellThrough(i, f)
		case !a.found:
			f.entry, f.served = notFound(f.began, l.plan.policy).tagged(f.tags, f.stamp), upstreamAbsent
			if l.plan.policy.Negative > 0 && l.cache.tags.alive(f.entry) {
				l.cache.memory.put(l.keys[i], f.entry, l.plan.policy.Negative)
				if l.plan.remote {
					leases.unshared(l.address(i))
					writes = append(writes, write{key: l.keys[i], address: l.address(i), gone: true})
				}
			}
		default:
			extra := l.plan.own(a.value)
			tags := append(slices.Clip(f.tags), extra...)
			f.entry, f.served = newEntry(a.value, f.began, l.plan.policy).tagged(tags, f.stamp), upstreamFresh
			if !l.renews(i) {
				f.entry.apart(l.nextPhase(i))
			}
			if w, ok := l.keep(i, f.entry, extra); ok {
				writes = append(writes, w)
			} else if leases != nil && l.cache.tags.alive(f.entry) {
				leases.unshared(l.address(i))
			}
		}
		settled = n + 1
	}
	return writes
}

// keep stores an answer in memory and, where others may have it, says what Redis is to
// hold; extra are its value's own tags. What was invalidated meanwhile is not kept,
// and nothing is given to others that does not say what its load knew of.
func (l *load) keep(i int, e *entry, extra []commerce.Tag) (write, bool) {
	p := l.plan.policy
	if p.Fresh == 0 || !l.cache.tags.alive(e) {
		return write{}, false
	}
	if !l.plan.remote || e.stamp.global.zero() {
		l.cache.memory.put(l.keys[i], e, p.life())
		return write{}, false
	}
	s := stored{began: e.began, redis: l.cache.remote.redisTime(e.began), at: e.stamp.global, tags: extra}
	w := write{stored: s, value: e.value, form: &l.plan.codec, key: l.keys[i], address: l.address(i), life: p.life()}
	if l.flights[i].bare && l.passes(e) {
		w.leaving = e
		l.cache.memory.leave(l.keys[i], e, p.life())
		l.plan.counts.passed.Add(1)
	} else {
		l.cache.memory.put(l.keys[i], e, p.life())
	}
	return w, true
}

// passes tells whether e, which is new, need not be kept in memory: there is no room for it,
// and whoever asks for it again finds it in Redis, as far as can be told.
func (l *load) passes(e *entry) bool {
	c := l.cache
	return c.memory.values.full() && c.news.current.Load() && !c.remote.reads.isOpen() && !c.remote.writes.isOpen() &&
		c.tags.admits(e.tags, e.stamp.global, e.stamp.local)
}

// fellThrough holds back further loads for a while where a stale answer can stand in.
func (l *load) fellThrough(i int, f *flight) {
	if !outage(f.err) {
		return
	}
	now := time.Now()
	if e := f.stale.Load(); e != nil && l.cache.judge(l.plan, e, now) != useless {
		l.cache.memory.put(l.keys[i], e, l.plan.policy.life())
	}
	if e := l.cache.memory.get(l.keys[i]); e != nil && !e.missing {
		e.failed(now, f.err)
	}
}
