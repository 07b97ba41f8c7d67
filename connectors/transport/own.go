package transport

import (
	"runtime"
	"time"
)

const (
	// delayEvery is how often a busy bulkhead looks how late its process is.
	delayEvery = 10 * time.Millisecond
	// delaySamples are so many looks back.
	delaySamples = 8
	// wakesOfAttempt is how often an attempt has to wait for a processor of ours: to
	// write, to read the answer, and to go on with it.
	wakesOfAttempt = 3
)

// ownDelay is how late our own goroutines have come to run lately: the process is short
// of CPU, or collects garbage. Every upstream looks slow then, and fewer
// attempts at a time would only add refusals to it. Its bulkhead guards it.
type ownDelay struct {
	looking bool
	samples [delaySamples]time.Duration
	next    int
	sum     time.Duration
}

func (d *ownDelay) add(late time.Duration) {
	late = max(0, late)
	d.sum += late - d.samples[d.next]
	d.samples[d.next] = late
	d.next = (d.next + 1) % delaySamples
}

// ofAttempt is about how much of what an attempt took was waiting for ourselves.
func (d *ownDelay) ofAttempt() time.Duration { return wakesOfAttempt * d.sum / delaySamples }

// look has a timer tell how late its goroutine comes, one at a time. A timer's goroutine
// is the next to run, past all others: it goes to their end first, where those stand
// whom an answer woke.
func (b *bulkhead) look() {
	if b.limit.own.looking {
		return
	}
	b.limit.own.looking = true
	due := time.Now().Add(delayEvery)
	time.AfterFunc(delayEvery, func() {
		runtime.Gosched()
		late := time.Since(due)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.limit.own.looking = false
		b.limit.own.add(late)
	})
}
