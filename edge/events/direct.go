package events

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// mostKnown bounds the memory of a process without Redis. Beyond it the oldest ids
// are forgotten; an event sent again then costs a load, and nothing else.
const mostKnown = 100_000

// direct applies changes as they are put: for a process without Redis.
type direct struct {
	apply Apply
	now   func() time.Time
	ring  *ring // what was applied

	mu    sync.Mutex
	known map[string]*list.Element
	order list.List // of remembered, the oldest first
}

type remembered struct {
	key string
	at  time.Time
}

func newDirect(apply Apply) *direct {
	d := &direct{apply: apply, now: time.Now, known: map[string]*list.Element{}}
	d.ring = newRing(func() time.Time { return d.now() })
	return d
}

// Put is [Queue]'s. The change is applied when it returns.
func (d *direct) Put(ctx context.Context, change Change) (bool, error) {
	key := keyOfChange(change)
	if !d.remember(key) {
		return false, nil
	}
	if err := d.apply(ctx, []Change{change}); err != nil {
		d.forget(key)
		return false, err
	}
	d.ring.add(change)
	return true, nil
}

// keyOfChange is what tells changes apart; no part can hold the space between.
func keyOfChange(c Change) string { return c.Source + " " + c.ID }

// remember is false when key is known already.
func (d *direct) remember(key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for first := d.order.Front(); first != nil; first = d.order.Front() {
		old, _ := first.Value.(remembered)
		if now.Sub(old.at) < memory && len(d.known) < mostKnown {
			break
		}
		d.order.Remove(first)
		delete(d.known, old.key)
	}
	if d.known[key] != nil {
		return false
	}
	d.known[key] = d.order.PushBack(remembered{key: key, at: now})
	return true
}

func (d *direct) forget(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at := d.known[key]; at != nil {
		d.order.Remove(at)
		delete(d.known, key)
	}
}
