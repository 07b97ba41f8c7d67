package transport

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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
		results := queueUp(b, 60, commerce.Read)
		time.Sleep(votingPeriod)
		for range leastVotes {
			b.release(voteUsual)
		}
		synctest.Wait()
		limit, inFlight, queued := b.stats()
		assert.Equal(t, 64, limit)
		assert.Equal(t, limit, inFlight, "all of the grown limit is used at once")
		assert.Equal(t, 60-len(results), queued)
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

// A thousand callers of a system that hangs: no more of them hold on than limit
// and queue allow, the others are refused at once, and another system's callers
// notice nothing.
func TestN9_AHungSystemHoldsNoMoreThanLimitAndQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hung, well := newBulkhead(128), newBulkhead(128)
		limit, _, _ := hung.stats()
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var calls sync.WaitGroup
		var goroutines, atOnce, late atomic.Int64
		for range 1000 {
			goroutines.Add(1)
			calls.Go(func() {
				defer goroutines.Add(-1)
				if err := hung.acquire(ctx, commerce.Read); err != nil {
					assert.ErrorIs(t, err, errBulkheadFull)
					if time.Since(began) == 0 {
						atOnce.Add(1)
					} else {
						assert.Equal(t, maxQueueWait, time.Since(began))
						late.Add(1)
					}
					return
				}
				<-ctx.Done()
				hung.release(voteNone)
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 1000-limit-maxQueued, atOnce.Load(), "refused without waiting")
		assertStats(t, hung, limit, limit, maxQueued)
		assert.EqualValues(t, limit+maxQueued, goroutines.Load())

		other := time.Now()
		for range 1000 {
			require.NoError(t, well.acquire(t.Context(), commerce.Read))
			well.release(voteUsual)
		}
		assert.Zero(t, time.Since(other), "the other system's callers")

		time.Sleep(maxQueueWait)
		synctest.Wait()
		assert.EqualValues(t, maxQueued, late.Load())
		assertStats(t, hung, limit, limit, 0)
		cancel()
		calls.Wait()
		assertStats(t, hung, limit, 0, 0)
	})
}

// Many callers on real threads, in real time: never more inside than the ceiling,
// and each of them comes to an end.
func TestBulkheadUnderManyCallers(t *testing.T) {
	t.Parallel()
	const ceiling = 8
	b := newBulkhead(ceiling)
	var inside, worst, served, refused atomic.Int64
	var calls sync.WaitGroup
	for n := range 300 {
		calls.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 7))
			for range 100 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.Int64N(int64(2*time.Millisecond))))
				err := b.acquire(ctx, commerce.Access(r.IntN(2)))
				if err == nil {
					now := inside.Add(1)
					for most := worst.Load(); now > most && !worst.CompareAndSwap(most, now); most = worst.Load() {
					}
					runtime.Gosched()
					inside.Add(-1)
					served.Add(1)
					b.release(vote(r.IntN(3)))
				} else {
					refused.Add(1)
				}
				cancel()
			}
		})
	}
	calls.Wait()
	assert.LessOrEqual(t, worst.Load(), int64(ceiling))
	assert.EqualValues(t, 300*100, served.Load()+refused.Load())
	assert.Positive(t, served.Load())
	assertStats(t, b, ceiling, 0, 0)
}

// The bulkhead against a model of two plain queues.
func TestBulkheadLikeItsModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		b := newBulkhead(limit)
		inside, reads, writes := 0, []*waiter{}, []*waiter{}
		told := func(w *waiter) error {
			select {
			case why := <-w.told:
				return why
			default:
				t.Fatal("not told")
				return nil
			}
		}
		admit := func() {
			for inside < limit && len(writes)+len(reads) > 0 {
				from := &reads
				if len(writes) > 0 {
					from = &writes
				}
				if err := told((*from)[0]); err != nil {
					t.Fatalf("the first in the queue was told %v", err)
				}
				*from = (*from)[1:]
				inside++
			}
		}
		arrive := func(access commerce.Access) {
			if inside < limit {
				if err := b.acquire(context.Background(), access); err != nil {
					t.Fatalf("refused though there is room: %v", err)
				}
				inside++
				return
			}
			w := b.join(access)
			switch full := len(reads)+len(writes) == maxQueued; {
			case full && (access == commerce.Read || len(reads) == 0):
				if w != nil {
					t.Fatal("queued beyond the bound")
				}
				return
			case full:
				if err := told(reads[len(reads)-1]); !errors.Is(err, errBulkheadFull) {
					t.Fatalf("the last read was told %v", err)
				}
				reads = reads[:len(reads)-1]
			}
			if access == commerce.Write {
				writes = append(writes, w)
			} else {
				reads = append(reads, w)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"read":  func(*rapid.T) { arrive(commerce.Read) },
			"write": func(*rapid.T) { arrive(commerce.Write) },
			"many": func(*rapid.T) {
				for range maxQueued {
					arrive(commerce.Read)
				}
			},
			"hedge": func(*rapid.T) {
				if got := b.tryAcquire(); got != (inside < limit) {
					t.Fatalf("tryAcquire is %v with %d of %d inside", got, inside, limit)
				} else if got {
					inside++
				}
			},
			"release": func(t *rapid.T) {
				if inside == 0 {
					return
				}
				b.release(voteNone)
				inside--
				admit()
			},
			"leave": func(t *rapid.T) {
				if len(reads) == 0 {
					return
				}
				i := rapid.IntRange(0, len(reads)-1).Draw(t, "who")
				if err := b.leave(reads[i], context.Canceled); err != context.Canceled { //nolint:errorlint // must be unchanged
					t.Fatalf("left with %v", err)
				}
				reads = slices.Delete(reads, i, i+1)
			},
			"": func(t *rapid.T) {
				l, f, q := b.stats()
				if l != limit || f != inside || q != len(reads)+len(writes) {
					t.Fatalf("limit %d, in flight %d, queued %d; the model has %d, %d, %d", l, f, q, limit, inside, len(reads)+len(writes))
				}
			},
		})
	})
}

func BenchmarkBulkhead(b *testing.B) {
	b.Run("uncontended", func(b *testing.B) {
		bulkhead, p := newBulkhead(128), newPace()
		b.ReportAllocs()
		for b.Loop() {
			_ = bulkhead.acquire(context.Background(), commerce.Read)
			bulkhead.answered(p, time.Millisecond)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		bulkhead, p := newBulkhead(128), newPace()
		b.ReportAllocs()
		b.RunParallel(func(each *testing.PB) {
			for each.Next() {
				_ = bulkhead.acquire(context.Background(), commerce.Read)
				bulkhead.answered(p, time.Millisecond)
			}
		})
	})
	b.Run("queueing", func(b *testing.B) {
		bulkhead := newBulkhead(1)
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(each *testing.PB) {
			for each.Next() {
				if bulkhead.acquire(context.Background(), commerce.Read) == nil {
					runtime.Gosched()
					bulkhead.release(voteNone)
				}
			}
		})
	})
}
