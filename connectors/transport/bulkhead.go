package transport

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	// maxQueued is how many callers may wait for one system.
	maxQueued = 128
	// maxQueueWait is how long a caller may wait: later, its own deadline is better spent on a refusal.
	maxQueueWait = 250 * time.Millisecond
)

// errBulkheadFull is a refusal: the system has as many attempts inside as it can
// take, and the queue is full or did not move in time.
var errBulkheadFull = errors.New("bulkhead full")

// bulkhead caps the attempts inside one system at a limit that adapts, so that a
// slow system keeps neither callers nor their memory. Those beyond the limit wait
// in a bounded queue, Writes before Reads, first come first served. Counting and
// queueing happen under one lock: the bounds are exact. It is safe for concurrent use.
type bulkhead struct {
	mu       sync.Mutex
	limit    limit
	inFlight int
	queued   int
	writes   waitList
	reads    waitList
}

// newBulkhead makes a bulkhead whose limit never exceeds ceiling.
func newBulkhead(ceiling int) *bulkhead { return &bulkhead{limit: newLimit(ceiling)} }

// acquire takes a slot, which release gives back. It waits at most 250 ms and
// not beyond ctx, whose error it returns unchanged; otherwise its error is
// errBulkheadFull. When the queue is full it does not wait, except that a Write
// takes the place of the last Read: an order must not fail because of browsing.
func (b *bulkhead) acquire(ctx context.Context, access commerce.Access) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	if b.free() {
		b.enter()
		b.mu.Unlock()
		return nil
	}
	w := b.join(access)
	b.mu.Unlock()
	if w == nil {
		return errBulkheadFull
	}
	return b.await(ctx, w)
}

// tryAcquire takes a slot if one is free at once. Nobody waits while one is, so
// it never overtakes.
func (b *bulkhead) tryAcquire() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.free() {
		return false
	}
	b.enter()
	return true
}

// answered gives back the slot of an attempt with an answer that can be used. p is
// its operation's, took is without the time in the queue.
func (b *bulkhead) answered(p *pace, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight--
	b.limit.cast(b.limit.judged(p, took, b.inFlight), b.inFlight)
	b.admit()
}

// release gives a slot back, with what its attempt says about the system's load.
func (b *bulkhead) release(v vote) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight--
	b.limit.cast(v, b.inFlight)
	b.admit()
}

// stats are the current limit, the attempts inside and the callers waiting.
func (b *bulkhead) stats() (limit, inFlight, queued int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit.at, b.inFlight, b.queued
}

// free tells whether a slot can be had. Whoever changes the limit or the count
// admits waiters under the same lock, so nobody waits while it is true.
func (b *bulkhead) free() bool { return b.inFlight < b.limit.at }

func (b *bulkhead) enter() {
	b.inFlight++
	b.limit.entered(b.inFlight)
	b.look()
}

// admit hands free slots to those who wait.
func (b *bulkhead) admit() {
	for b.free() {
		w := b.writes.first
		if w == nil {
			w = b.reads.first
		}
		if w == nil {
			return
		}
		b.enter()
		b.dismiss(w, nil)
	}
}

// join queues a caller; it is nil when there is no room.
func (b *bulkhead) join(access commerce.Access) *waiter {
	list := &b.reads
	if access == commerce.Write {
		list = &b.writes
	}
	if b.queued >= maxQueued {
		if list == &b.reads || b.reads.last == nil {
			return nil
		}
		b.dismiss(b.reads.last, errBulkheadFull)
	}
	w := &waiter{told: make(chan error, 1)}
	list.append(w)
	b.queued++
	return w
}

// dismiss takes a waiter out of the queue and tells it why; nil is a slot.
func (b *bulkhead) dismiss(w *waiter, why error) {
	b.drop(w)
	w.told <- why
}

func (b *bulkhead) drop(w *waiter) {
	w.in.remove(w)
	b.queued--
}

func (b *bulkhead) await(ctx context.Context, w *waiter) error {
	patience := time.NewTimer(maxQueueWait)
	defer patience.Stop()
	select {
	case why := <-w.told:
		return why
	case <-ctx.Done():
		return b.leave(w, ctx.Err())
	case <-patience.C:
		return b.leave(w, errBulkheadFull)
	}
}

// leave ends a wait. The waiter may have been given a slot at the same moment: a
// caller who is still there takes it, one who has gone passes it on.
func (b *bulkhead) leave(w *waiter, why error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.in != nil {
		b.drop(w)
		return why
	}
	if told := <-w.told; told != nil || why == errBulkheadFull { //nolint:errorlint // our own sentinel, never wrapped here
		return told
	}
	b.inFlight--
	b.admit()
	return why
}

// waiter is one caller in the queue.
type waiter struct {
	prev, next *waiter
	in         *waitList  // nil once it was taken out
	told       chan error // gets one value when somebody else took it out
}

// waitList is a queue from which a waiter can leave at any place.
type waitList struct{ first, last *waiter }

func (q *waitList) append(w *waiter) {
	w.in, w.prev = q, q.last
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
}

func (q *waitList) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.in = nil, nil, nil
}
