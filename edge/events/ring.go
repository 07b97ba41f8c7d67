package events

import (
	"context"
	"math/rand/v2"
	"sort"
	"sync"
	"time"
)

// What a process without Redis remembers at most: so many changes, and so many tags of them.
const (
	mostTold     = 10_000
	mostToldTags = 100_000
)

// ring is the journal of a process without Redis: changes that were applied to it.
type ring struct {
	now func() time.Time

	mu      sync.RWMutex
	list    []Told // the oldest first
	tags    int    // of the changes in list
	last    Place  // of the last change ever
	dropped Place  // of the last change that is no longer there
	epoch   uint64
}

func newRing(now func() time.Time) *ring {
	return &ring{now: now, epoch: rand.Uint64() | 1} // tells processes apart, guards nothing; never 0
}

// add notes a change that was applied.
func (r *ring) add(c Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.last = Place{Epoch: r.epoch, Ms: max(r.last.Ms, uint64(now.UnixMilli())), Seq: r.last.Seq + 1} //nolint:gosec // years after 1970
	r.list, r.tags = append(r.list, Told{Change: c, At: r.last}), r.tags+len(c.Tags)
	r.trim(now)
}

// trim forgets what is too old or too much. The memory goes when the list grows again.
func (r *ring) trim(now time.Time) {
	n, least := 0, now.Add(-kept-keptLonger).UnixMilli()
	for n < len(r.list) && (len(r.list)-n > mostTold || r.tags > mostToldTags || int64(r.list[n].At.Ms) < least) { //nolint:gosec // years after 1970
		r.tags -= len(r.list[n].Tags)
		r.dropped = r.list[n].At
		r.list[n] = Told{}
		n++
	}
	r.list = r.list[n:]
}

// Tells is [Journal]'s.
func (r *ring) Tells() bool { return true }

// Head is [Journal]'s. Changes are applied before they are noted.
func (r *ring) Head(ctx context.Context) (Place, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.head(), ctx.Err()
}

func (r *ring) head() Place {
	at := r.last
	at.Epoch, at.Seen = r.epoch, seen(uint64(r.now().UnixMilli())) //nolint:gosec // years after 1970
	return at
}

// Await is [Journal]'s.
func (r *ring) Await(ctx context.Context, at Place) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.expired(at) {
		return ErrExpired
	}
	return ctx.Err()
}

// expired is for who holds the lock.
func (r *ring) expired(at Place) bool {
	return at.Epoch != r.epoch || at.old(r.now()) || at.Before(r.dropped) || r.last.Before(at)
}

// Since is [Journal]'s.
func (r *ring) Since(ctx context.Context, after Place, most int) (Changes, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.expired(after) {
		return Changes{}, ErrExpired
	}
	from := sort.Search(len(r.list), func(i int) bool { return after.Before(r.list[i].At) })
	n := min(most, len(r.list)-from)
	found := Changes{At: r.head(), More: from+n < len(r.list)}
	for _, told := range r.list[from : from+n] {
		told.At.Seen = max(seen(told.At.Ms), after.Seen)
		found.List = append(found.List, told)
	}
	if found.More {
		found.At = after
		if n > 0 {
			found.At = found.List[n-1].At
		}
	}
	return found, ctx.Err()
}

// Close is [Journal]'s: the ring does nothing by itself.
func (r *ring) Close() {}
