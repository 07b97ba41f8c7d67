package transport

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func TestN12_OverloadTwiceTheCapacityAndBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		upstream func() (upstream, float64) // and its capacity a second
		work     time.Duration
		warm     time.Duration
	}{
		{"workers with a queue", func() (upstream, float64) { return newWorkers(20), 400 }, 50 * ms, 15 * time.Second},
		{"workers with a queue, overloaded from the start", func() (upstream, float64) { return newWorkers(20), 400 }, 50 * ms, 0},
		{"throughput falls under contention", thrashing(20, 20*ms), 20 * ms, 15 * time.Second},
		{"contention from the start", thrashing(20, 20*ms), 20 * ms, 0},
		{"contention of slow work", thrashing(40, 100*ms), 100 * ms, 15 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				to, capacity := test.upstream()
				b := newBulkhead(128)
				s := newSimulation(b, to)
				calls := newKind(takes(test.work)).always
				s.offer(0.8*capacity, test.warm, calls)
				s.offer(2*capacity, 30*time.Second, calls)
				s.offer(0.8*capacity, 20*time.Second, calls)
				limit, _, _ := b.stats()
				s.calls.Wait()

				begin := int(test.warm / time.Second)
				goodput := s.throughput(begin, begin+30)
				t.Logf("%.1f %% of what the system can do", 100*goodput/capacity)
				assert.GreaterOrEqual(t, goodput, 0.9*capacity, "goodput during the overload")
				after := s.score(begin+30, begin+40)
				assert.GreaterOrEqual(t, float64(after.good), 0.95*float64(after.offered), "of the ten seconds after")
				later := s.score(begin+40, begin+50)
				assert.GreaterOrEqual(t, float64(later.good), 0.99*float64(later.offered), "and of the ten after those")
				assert.GreaterOrEqual(t, limit, firstLimit)
			})
		})
	}
}

func thrashing(peak int, work time.Duration) func() (upstream, float64) {
	return func() (upstream, float64) {
		c := &contended{peak: peak}
		return c, c.capacity(work)
	}
}

// The same upstreams without a bulkhead: what the test above shows is its doing.
func TestN12_WithoutABulkheadTheOverloadOutlastsItsCause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &contended{peak: 20}
		capacity := to.capacity(20 * ms)
		s := newSimulation(unguarded{}, to)
		calls := newKind(takes(20 * ms)).always
		s.offer(0.8*capacity, 10*time.Second, calls)
		s.offer(2*capacity, 10*time.Second, calls)
		s.offer(0.8*capacity, 10*time.Second, calls)
		s.calls.Wait()
		after := s.score(20, 30)
		assert.Less(t, float64(after.good), 0.1*float64(after.offered))
	})
}

// A long overload must not come to look normal.
func TestN12_AnOverloadOfMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &contended{peak: 10}
		capacity := to.capacity(40 * ms)
		s := newSimulation(newBulkhead(128), to)
		calls := newKind(takes(40 * ms)).always
		s.offer(0.8*capacity, 15*time.Second, calls)
		s.offer(2*capacity, 3*time.Minute, calls)
		s.offer(0.8*capacity, 10*time.Second, calls)
		s.calls.Wait()
		assert.GreaterOrEqual(t, s.throughput(165, 195), 0.9*capacity, "in the third minute")
		after := s.score(195, 205)
		assert.GreaterOrEqual(t, float64(after.good), 0.95*float64(after.offered))
	})
}

// A trigger of 30 s makes calls fail and callers retry, without a budget; once
// it is gone, so are its effects.
func TestN12_NoMetastableStateWithRetries(t *testing.T) {
	t.Parallel()
	run := func(e entrance) second {
		to := newWorkers(20)
		s := newSimulation(e, to)
		s.attempts = 3
		calls := newKind(takes(50 * ms)).always
		s.offer(320, 15*time.Second, calls)
		to.slow(4)
		s.offer(320, 30*time.Second, calls)
		to.slow(1)
		s.offer(320, 20*time.Second, calls)
		s.calls.Wait()
		return s.score(55, 65)
	}
	synctest.Test(t, func(t *testing.T) {
		after := run(newBulkhead(128))
		assert.GreaterOrEqual(t, float64(after.good), 0.99*float64(after.offered))
	})
	synctest.Test(t, func(t *testing.T) {
		after := run(unguarded{})
		assert.Less(t, float64(after.good), 0.1*float64(after.offered), "without a bulkhead it stays")
	})
}

func TestN9_FullThroughputTwoSecondsAfterAMinuteHung(t *testing.T) {
	t.Parallel()
	for _, work := range []time.Duration{5 * ms, 50 * ms} {
		t.Run(work.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				to := &hanging{upstream: newWorkers(20)}
				b := newBulkhead(128)
				s := newSimulation(b, to)
				calls := newKind(takes(work)).always
				rate := 0.8 * 20 / work.Seconds()
				s.offer(rate, 15*time.Second, calls)
				to.hang(true)
				s.offer(rate, time.Minute, calls)
				limit, _, _ := b.stats()
				assert.Equal(t, leastLimit, limit)
				to.hang(false)
				s.offer(rate, 8*time.Second, calls)
				s.calls.Wait()
				after := s.score(77, 83)
				assert.Equal(t, after.offered, after.good)
			})
		})
	}
}

// steady offers calls and returns the lowest limit and what became of them.
func steady(b *bulkhead, s *simulation, rate float64, duration time.Duration, pick func(*rand.Rand) *kind) (lowest int) {
	lowest, _, _ = b.stats()
	for range int(duration / votingPeriod) {
		s.offer(rate, votingPeriod, pick)
		limit, _, _ := b.stats()
		lowest = min(lowest, limit)
	}
	return lowest
}

// What looks like overload and is none: an upstream with room for everybody.
func TestLimitIsNotFooledByLatencies(t *testing.T) {
	t.Parallel()
	sometimes := func(part float64, usual, slow time.Duration) func(*rand.Rand) time.Duration {
		return func(r *rand.Rand) time.Duration {
			if r.Float64() < part {
				return slow
			}
			return usual
		}
	}
	for _, test := range []struct {
		name string
		work func(*rand.Rand) time.Duration
		rate float64
	}{
		{"one in a hundred takes a second", sometimes(0.01, 20*ms, time.Second), 300},
		{"one in ten takes a second", sometimes(0.1, 20*ms, time.Second), 200},
		{"noise of milliseconds", between(ms, 5*ms), 1000},
		{"exponential latencies", func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * float64(20*ms)) }, 500},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBulkhead(128)
				s := newSimulation(b, newWorkers(1000))
				lowest := steady(b, s, test.rate, 40*time.Second, newKind(test.work).always)
				s.calls.Wait()
				assert.GreaterOrEqual(t, lowest, firstLimit)
				all := s.score(0, 40)
				assert.Equal(t, all.offered, all.good)
			})
		})
	}
}

func TestLimitIsNotFooledByAShiftOfTheMix(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fast, slow := newKind(takes(5*ms)), newKind(takes(500*ms))
		b := newBulkhead(128)
		s := newSimulation(b, newWorkers(1000))
		assert.GreaterOrEqual(t, steady(b, s, 200, 15*time.Second, mixed(fast, slow, 0.02)), firstLimit)
		assert.GreaterOrEqual(t, steady(b, s, 60, 30*time.Second, mixed(fast, slow, 0.98)), firstLimit)
		assert.GreaterOrEqual(t, steady(b, s, 200, 15*time.Second, mixed(fast, slow, 0.02)), firstLimit)
		s.calls.Wait()
		all := s.score(0, 60)
		assert.Equal(t, all.offered, all.good)
	})
}

// An operation that nobody called before is no reason to shrink either.
func TestLimitIsNotFooledByANewOperation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBulkhead(128)
		s := newSimulation(b, newWorkers(1000))
		assert.GreaterOrEqual(t, steady(b, s, 200, 10*time.Second, newKind(takes(5*ms)).always), firstLimit)
		assert.GreaterOrEqual(t, steady(b, s, 60, 10*time.Second, newKind(takes(500*ms)).always), firstLimit)
		s.calls.Wait()
	})
}

// Four times slower from now on, with room for everybody: less at a time does not
// help, and is not kept up.
func TestLimitAcceptsLatenciesThatRiseForGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := newWorkers(1000)
		b := newBulkhead(128)
		s := newSimulation(b, to)
		calls := newKind(takes(50 * ms)).always
		s.offer(300, 20*time.Second, calls)
		to.slow(4)
		lowest := steady(b, s, 300, 10*time.Second, calls)
		assert.Equal(t, leastLimit, lowest, "it tries with less")
		s.offer(300, 20*time.Second, calls)
		s.calls.Wait()
		after := s.score(32, 50)
		assert.GreaterOrEqual(t, float64(after.good), 0.99*float64(after.offered))
	})
}

// 503 is a word: the limit settles where the upstream sheds few.
func TestLimitHeedsRefusalsOfTheUpstream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := &shedding{upstream: newWorkers(20), most: 20}
		b := newBulkhead(128)
		s := newSimulation(b, to)
		calls := newKind(takes(50 * ms)).always
		s.offer(320, 10*time.Second, calls)
		to.shed(0)
		s.offer(320, 10*time.Second, calls)
		limit, _, _ := b.stats()
		assert.Equal(t, leastLimit, limit)
		to.shed(100)
		s.offer(320, 10*time.Second, calls)
		s.calls.Wait()
		after := s.score(22, 30)
		assert.GreaterOrEqual(t, float64(after.good), 0.99*float64(after.offered))
	})
}

func TestLimitOfAnIdleSystemStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBulkhead(128)
		s := newSimulation(b, newWorkers(1000))
		s.offer(100, 2*time.Minute, newKind(takes(5*ms)).always)
		s.calls.Wait()
		limit, _, _ := b.stats()
		require.Equal(t, firstLimit, limit)
	})
}
