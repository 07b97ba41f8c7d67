package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/stack"
)

// flight is a load of one key that everybody who wants it waits for.
type flight struct {
	*beginning
	stamp *stamp                         // of its load, which may be that of many
	tags  []commerce.Tag                 // those that its key tells
	stale atomic.Pointer[entry]          // what Redis had, too old to be current
	trail atomic.Pointer[commerce.Trail] // of its load, once its system is asked

	// Guarded by the flights' lock.
	waiting int
	of      *journey      // that brings it; nil when it was over before anybody waited
	done    chan struct{} // closed when it lands; nil until somebody waits for that
	listed  bool          // whether who asks for its key finds it

	bare   bool        // memory held nothing of its key when it began
	leaves bool        // what it brought goes to Redis alone; guarded by that lock once it has landed
	served served      // alike with what follows
	landed atomic.Bool // set under that lock; what follows is set before

	entry    *entry
	err      error
	outcomes []commerce.Reason
}

// beginning is what flights have in common that one request began at once.
type beginning struct {
	began time.Time
	epoch uint64   // of its principal; see epochs
	by    *request // who wanted them first
	joint bool     // what is told of their keys lies in one piece of memory; see tagsOf
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

// list has f found by who asks for key instead of old, which may be nil. The lock is held.
func (all *flights) list(key string, f, old *flight) {
	if old != nil {
		old.listed = false
	}
	all.byKey[key], f.listed = f, true
}

// remove has f not found any more, if it is. The lock is held.
func (all *flights) remove(key string, f *flight) {
	if f.listed {
		delete(all.byKey, key)
		f.listed = false
	}
}

// join answers the flight of each key of r at the places which. Those that were not under
// way are boarded; begun is what the caller has to have depart for them, or nil. A
// flight that began before its key was invalidated, or before its principal wrote
// something, is not joined. cause is the caller's span.
func (c *Cache) join(cause trace.SpanContext, r *request, which []int) (all []*flight, begun *board) {
	all = make([]*flight, len(r.keys))
	var made []flight       // at once: a request's flights mostly end together
	var tags []commerce.Tag // of those that may be made, if they lie together
	var begin *beginning
	each := 0
	var knows *stamp
	p := passenger{request: r, flights: all}
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	for n, i := range which {
		listed := c.flights.byKey[r.keys[i]]
		f := listed
		switch {
		case f == nil:
		case f.landed.Load():
			f = c.leaving(r.plan, f)
		case f.of != nil && f.of.over:
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
				knows, begin = c.tags.stamped(), &beginning{began: time.Now(), epoch: r.epochNow(), by: r, joint: r.joint}
				if r.joint {
					tags, each = r.tagsOf(which[n:]), len(r.plan.tags)
				}
			}
			p.again = p.again || f != nil
			f = &made[len(p.led)]
			f.beginning, f.stamp, f.bare = begin, knows, bare
			if r.joint {
				f.tags = tags[:each:each]
			} else {
				f.tags = r.tags(i)
			}
			c.flights.list(r.keys[i], f, listed)
			p.led = append(p.led, i)
		} else if f.of != nil {
			f.of.waiting++
		}
		f.waiting++
		all[i] = f
		tags = tags[min(each, len(tags)):]
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
		f = &flight{beginning: &beginning{began: now, epoch: r.epochNow()}, stamp: &e.stamp, entry: e, served: e.served()}
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

// await has loads take the time that caller has who waits for their flights.
func (c *Cache) await(caller context.Context, flights []*flight) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	for _, f := range flights {
		if f != nil && f.of != nil {
			f.of.patience.Join(caller)
		}
	}
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
	if stays := f.leaves && f.err == nil; !stays {
		c.flights.remove(key, f)
	}
	f.of.without(f.waiting, f.by.plan)
	f.ends()
}

// fly joins or starts the flights of r at the places which, for caller.
func (c *Cache) fly(caller context.Context, r *request, which []int) []*flight {
	// No value of any caller's context but the ids of its span, and whether it is patient: the answer is for all who wait.
	all, begun := c.join(trace.SpanContextFromContext(caller), r, which)
	if commerce.Patient(caller) {
		c.await(caller, all)
	}
	if begun != nil {
		c.work.Go(func() {
			stack.To16K()
			c.depart(begun)
		})
	}
	return all
}
