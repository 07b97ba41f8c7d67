package transport

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// starved has 1,000 calls a second, 20 ms each, pass a bulkhead, whose process needs
// late more for everything after a while. It answers how many of them the bulkhead refuses.
func starved(t *testing.T, late time.Duration, seen bool) (refused int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBulkhead(128)
		s := newSimulation(b, newWorkers(4000))
		work := 20 * ms
		k := newKind(func(*rand.Rand) time.Duration { return work })
		s.offer(1000, 12*time.Second, k.always) // long enough to know its pace
		require.GreaterOrEqual(t, b.limit.at, firstLimit)
		work += wakesOfAttempt * late
		for range 40 {
			b.mu.Lock()
			for range delaySamples {
				if seen {
					b.limit.own.add(late)
				}
			}
			b.mu.Unlock()
			s.offer(900, 50*ms, k.always)
		}
		s.calls.Wait()
		refused = s.score(0, 20).refused
	})
	return refused
}

// A process that is short of CPU sees every upstream slow down. That is no load of theirs.
func TestN12_OurOwnDelayIsNoLoadOfTheirs(t *testing.T) {
	t.Parallel()
	assert.Zero(t, starved(t, 15*ms, true))
	assert.Positive(t, starved(t, 15*ms, false), "unseen, the limit shrinks")
}

func TestOwnDelayIsWhatTimersSay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBulkhead(8)
		enter := func() {
			require.NoError(t, b.acquire(t.Context(), commerce.Read))
			b.release(voteNone)
		}
		enter()
		b.mu.Lock() // the timer comes, but has to wait for us
		time.Sleep(delayEvery)
		assert.True(t, b.limit.own.looking, "one at a time")
		b.mu.Unlock()
		synctest.Wait()
		assert.False(t, b.limit.own.looking)
		assert.Zero(t, b.limit.own.ofAttempt(), "nothing is late here")
	})
}

// It forgets: eight looks later nothing is left of a delay.
func TestOwnDelayIsOfLate(t *testing.T) {
	t.Parallel()
	var d ownDelay
	for range delaySamples {
		d.add(8 * ms)
	}
	assert.Equal(t, 24*ms, d.ofAttempt())
	for range delaySamples / 2 {
		d.add(-ms)
	}
	assert.Equal(t, 12*ms, d.ofAttempt())
	for range delaySamples / 2 {
		d.add(0)
	}
	assert.Zero(t, d.ofAttempt())
}

// What an answer wakes stands behind all that wait for a processor, and a timer's
// goroutine before them: the look goes to their end. Not parallel: it has one
// processor for all.
func TestOwnDelayIsThatOfTheLastInLine(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const busy, turn = 20, 5 * ms
	b := newBulkhead(8)
	delay := func() time.Duration {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.limit.own.sum
	}
	var workers sync.WaitGroup
	for range busy {
		workers.Go(func() {
			for range 4 {
				for begun := time.Now(); time.Since(begun) < turn; {
				}
				runtime.Gosched()
			}
		})
	}
	require.NoError(t, b.acquire(t.Context(), commerce.Read))
	workers.Wait()
	b.release(voteNone)
	assert.Greater(t, delay(), busy*turn/2)
}
