package transport

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// filled is a bulkhead with every slot taken.
func filled(t testing.TB, ceiling int) *bulkhead {
	t.Helper()
	b := newBulkhead(ceiling)
	limit, _, _ := b.stats()
	for range limit {
		require.True(t, b.tryAcquire())
	}
	return b
}

// queueUp starts n callers and returns once all of them wait. Their results come on the channel.
func queueUp(b *bulkhead, n int, access commerce.Access) <-chan error {
	results := make(chan error, n)
	for range n {
		go func() { results <- b.acquire(context.Background(), access) }()
	}
	synctest.Wait()
	return results
}

func assertStats(t testing.TB, b *bulkhead, limit, inFlight, queued int) {
	t.Helper()
	l, f, q := b.stats()
	assert.Equal(t, [3]int{limit, inFlight, queued}, [3]int{l, f, q}, "limit, in flight, queued")
}

func TestBulkheadWaitsForASlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 4)
		results := queueUp(b, 1, commerce.Read)
		time.Sleep(100 * time.Millisecond)
		b.release(voteNone)
		assert.NoError(t, <-results)
		assertStats(t, b, 4, 4, 0)
	})
}

func TestBulkheadRefusesAfterTheLongestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 4)
		began := time.Now()
		assert.ErrorIs(t, b.acquire(t.Context(), commerce.Write), errBulkheadFull)
		assert.Equal(t, 250*time.Millisecond, time.Since(began))
		assertStats(t, b, 4, 4, 0)
	})
}

func TestBulkheadWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 4)
		late, stop := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer stop()
		began := time.Now()
		assert.Equal(t, context.DeadlineExceeded, b.acquire(late, commerce.Read))
		assert.Equal(t, 30*time.Millisecond, time.Since(began))

		gone, leave := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, leave)
		assert.Equal(t, context.Canceled, b.acquire(gone, commerce.Write))
		assert.Equal(t, 50*time.Millisecond, time.Since(began))
		assertStats(t, b, 4, 4, 0)
	})
}

func TestBulkheadLetsNobodyInWhoHasGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBulkhead(4)
	assert.Equal(t, context.Canceled, b.acquire(ctx, commerce.Read))
	assertStats(t, b, 4, 0, 0)
}

func TestBulkheadRefusesAtOnceWhenTheQueueIsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 4)
		results := queueUp(b, maxQueued, commerce.Read)
		assertStats(t, b, 4, 4, maxQueued)
		began := time.Now()
		for range 1000 {
			require.ErrorIs(t, b.acquire(t.Context(), commerce.Read), errBulkheadFull)
		}
		assert.Zero(t, time.Since(began))
		assertStats(t, b, 4, 4, maxQueued)
		for range maxQueued {
			assert.ErrorIs(t, <-results, errBulkheadFull)
		}
	})
}

func TestBulkheadGivesAWriteTheLastReadsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 4)
		reads := queueUp(b, maxQueued-1, commerce.Read)
		last := queueUp(b, 1, commerce.Read)
		write := queueUp(b, 1, commerce.Write)
		assertStats(t, b, 4, 4, maxQueued)
		assert.ErrorIs(t, <-last, errBulkheadFull)
		b.release(voteNone)
		synctest.Wait()
		assert.NoError(t, <-write)
		assert.Empty(t, reads)
		time.Sleep(maxQueueWait)
	})
}

func TestBulkheadRefusesAWriteWhenOnlyWritesWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 4)
		results := queueUp(b, maxQueued, commerce.Write)
		began := time.Now()
		assert.ErrorIs(t, b.acquire(t.Context(), commerce.Write), errBulkheadFull)
		assert.ErrorIs(t, b.acquire(t.Context(), commerce.Read), errBulkheadFull)
		assert.Zero(t, time.Since(began))
		assert.Empty(t, results)
		time.Sleep(maxQueueWait)
	})
}

func TestBulkheadAdmitsWritesFirstAndInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 1)
		var order []string
		for _, who := range []struct {
			name   string
			access commerce.Access
		}{{"read 1", commerce.Read}, {"write 1", commerce.Write}, {"read 2", commerce.Read}, {"write 2", commerce.Write}} {
			go func() {
				if assert.NoError(t, b.acquire(t.Context(), who.access)) {
					order = append(order, who.name)
					b.release(voteNone)
				}
			}()
			synctest.Wait()
		}
		b.release(voteNone)
		synctest.Wait()
		assert.Equal(t, []string{"write 1", "write 2", "read 1", "read 2"}, order)
		assertStats(t, b, 1, 0, 0)
	})
}

// A waiter's end and its grant fall on the same instant, in either order: the
// slot is neither lost nor had twice.
func TestBulkheadPassesOnASlotGivenToOneWhoLeaves(t *testing.T) {
	t.Parallel()
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			b := filled(t, 1)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			var first, second error
			var wg sync.WaitGroup
			wg.Go(func() { first = b.acquire(ctx, commerce.Read) })
			synctest.Wait()
			wg.Go(func() { second = b.acquire(t.Context(), commerce.Read) })
			synctest.Wait()
			wg.Go(func() { time.Sleep(10 * time.Millisecond); b.release(voteNone) })
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
			if first == nil {
				b.release(voteNone)
			}
			wg.Wait()
			assert.NoError(t, second)
			assertStats(t, b, 1, 1, 0)
		})
	}
}

// The same for one whose patience ends as it is given a slot: it takes it.
func TestBulkheadGivesASlotToOneWhoseWaitJustEnded(t *testing.T) {
	t.Parallel()
	b := filled(t, 1)
	w := b.join(commerce.Read)
	b.release(voteNone)
	assert.NoError(t, b.leave(w, errBulkheadFull))
	assertStats(t, b, 1, 1, 0)
}

func TestBulkheadPassesASlotToTheNext(t *testing.T) {
	t.Parallel()
	b := filled(t, 1)
	gone, next := b.join(commerce.Read), b.join(commerce.Read)
	b.release(voteNone)
	assert.Equal(t, context.Canceled, b.leave(gone, context.Canceled))
	assert.NoError(t, <-next.told)
	assertStats(t, b, 1, 1, 0)
}

func TestBulkheadTryAcquireNeverOvertakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 2)
		results := queueUp(b, 1, commerce.Read)
		assert.False(t, b.tryAcquire())
		b.release(voteNone)
		assert.False(t, b.tryAcquire(), "the slot is the waiter's")
		assert.NoError(t, <-results)
		b.release(voteNone)
		assert.True(t, b.tryAcquire())
	})
}

// slowly makes the limit fall by one decision, with every slot taken before and after.
func slowly(b *bulkhead) {
	time.Sleep(votingPeriod)
	for range leastVotes {
		b.release(voteSlow)
		b.tryAcquire()
	}
}

func TestBulkheadLetsThoseInsideFinishWhenItShrinks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 64)
		assertStats(t, b, 32, 32, 0)
		slowly(b)
		limit, inFlight, _ := b.stats()
		assert.Equal(t, 27, limit)
		assert.Equal(t, 31, inFlight)
		results := queueUp(b, 1, commerce.Read)
		for range inFlight - limit {
			b.release(voteNone)
		}
		synctest.Wait()
		assert.Empty(t, results, "as many inside as the new limit")
		b.release(voteNone)
		assert.NoError(t, <-results)
	})
}

func TestBulkheadWakesWaitersWhenItGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := filled(t, 64)
		results := queueUp(b, 20, commerce.Read)
		time.Sleep(votingPeriod)
		for range leastVotes {
			b.release(voteUsual)
		}
		synctest.Wait()
		limit, inFlight, queued := b.stats()
		assert.Greater(t, limit, 32)
		assert.Equal(t, limit, inFlight, "all of the grown limit is used at once")
		assert.Equal(t, 20-len(results), queued)
		time.Sleep(maxQueueWait)
	})
}

func TestBulkheadUncontendedAllocatesNothing(t *testing.T) {
	b := newBulkhead(16)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		_ = b.acquire(ctx, commerce.Read)
		b.release(voteUsual)
	}))
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		b.tryAcquire()
		b.release(voteUsual)
	}))
}
