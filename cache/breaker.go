package cache

import (
	"sync"
	"time"
)

const (
	breakAfter = 3           // failures in a row
	probeEvery = time.Second // while open, one call may look
)

// breaker keeps calls away from a Redis that does not answer, so that its
// absence costs no time.
type breaker struct {
	mu       sync.Mutex
	failures int
	next     time.Time // when open: the next probe
}

// allow tells whether a call may be made; while open, one a second may.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return true
	}
	if now.Before(b.next) {
		return false
	}
	b.next = now.Add(probeEvery)
	return true
}

// done notes how a call ended and tells whether that opened or closed the breaker.
func (b *breaker) done(now time.Time, ok bool) (changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.failures >= breakAfter
	if ok {
		b.failures = 0
		return was
	}
	b.failures++
	is := b.failures >= breakAfter
	if is {
		b.next = now.Add(probeEvery)
	}
	return is && !was
}

// isOpen tells whether calls are kept away. It asks for no probe.
func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures >= breakAfter
}
