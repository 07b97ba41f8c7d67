package transport

import (
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What quantile says is never too low, and at most a sixteenth too high.
func TestRecentQuantileError(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		took := rapid.SliceOfN(rapid.Int64Range(0, int64(2*time.Minute)), 1, 300).Draw(t, "took")
		if rapid.Bool().Draw(t, "short ones") {
			for i := range took {
				took[i] %= int64(5 * time.Millisecond)
			}
		}
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		r := newRecent()
		for _, d := range took {
			r.answered(time.Duration(d))
		}
		slices.Sort(took)
		rank := min(max(int(math.Ceil(q*float64(len(took)))), 1), len(took))
		exact := min(max(time.Duration(took[rank-1]), 50*time.Microsecond), longestTook)

		got, n := r.quantile(q)
		require.Equal(t, len(took), n)
		require.GreaterOrEqual(t, got, min(exact, time.Duration(took[rank-1])))
		require.LessOrEqual(t, float64(got), float64(exact)*(1+1.0/buckets)+1)
	})
}

func TestRecentBuckets(t *testing.T) {
	t.Parallel()
	previous := time.Duration(0)
	for at := range octaves * buckets {
		edge := upperEdge(at)
		require.Greater(t, edge, previous)
		if edge < longestTook {
			require.Equal(t, at, bucketOf(edge-1), "the last of bucket %d", at)
			require.Equal(t, at+1, bucketOf(edge), "the first after bucket %d", at)
		}
		if previous >= 50*time.Microsecond {
			require.LessOrEqual(t, float64(edge-previous), 0.1*float64(previous), "a tenth wide at most")
		}
		previous = edge
	}
	assert.Less(t, bucketOf(math.MaxInt64), octaves*buckets)
	assert.Zero(t, bucketOf(-time.Second))
	assert.GreaterOrEqual(t, upperEdge(bucketOf(time.Hour)), time.Minute)
}

func TestRecentQuantiles(t *testing.T) {
	t.Parallel()
	r := newRecent()
	d, n := r.quantile(0.95)
	assert.Zero(t, d)
	assert.Zero(t, n)
	for i := range 100 {
		r.answered(time.Duration(i+1) * time.Millisecond)
	}
	for q, rank := range map[float64]int{-1: 1, 0: 1, 0.5: 50, 0.95: 95, 0.99: 99, 1: 100, 2: 100} {
		want := time.Duration(rank) * time.Millisecond
		d, n := r.quantile(q)
		assert.Equal(t, 100, n)
		assert.InEpsilon(t, float64(want), float64(d), 1.0/buckets, "%v", q)
		assert.Greater(t, d, want)
	}
}

func TestRecentForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecent()
		r.answered(time.Second)
		r.failed()
		r.failed()
		seen := func(answered, failed int64) {
			t.Helper()
			a, f := r.counts()
			assert.Equal(t, answered, a)
			assert.Equal(t, failed, f)
			_, n := r.quantile(0.5)
			assert.EqualValues(t, answered, n)
		}
		seen(1, 2)
		time.Sleep(10*time.Second - 1)
		seen(1, 2)
		time.Sleep(time.Nanosecond)
		seen(1, 2) // the previous window now
		r.answered(time.Millisecond)
		seen(2, 2)
		time.Sleep(10 * time.Second)
		seen(1, 0)
		d, _ := r.quantile(1)
		assert.Less(t, d, 2*time.Millisecond)
		time.Sleep(10 * time.Second)
		seen(0, 0)

		r.answered(time.Second)
		time.Sleep(20 * time.Second) // of silence: the window between is empty too
		seen(0, 0)
		r.answered(time.Second)
		time.Sleep(time.Hour)
		seen(0, 0)
	})
}

func TestRecentBaselineIsTheLowestMedian(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecent()
		many := func(n int, took time.Duration) {
			for range n {
				r.answered(took)
			}
		}
		is := func(want time.Duration, why string) {
			t.Helper()
			got := r.baseline()
			assert.Greater(t, got, want, why)
			assert.LessOrEqual(t, float64(got), float64(want)*(1+1.0/buckets), why)
		}
		assert.Zero(t, r.baseline(), "unknown")
		many(9, 10*time.Millisecond)
		assert.Zero(t, r.baseline(), "nine answers are too few")
		many(1, 10*time.Millisecond)
		is(10*time.Millisecond, "the running window counts")

		for range 5 {
			time.Sleep(recentWindow)
			many(9, time.Millisecond) // too few to count
			many(11, 40*time.Millisecond)
			is(10*time.Millisecond, "the first window is among the last six")
		}
		time.Sleep(recentWindow)
		many(10, 40*time.Millisecond)
		is(40*time.Millisecond, "it is the seventh now")

		time.Sleep(recentWindow)
		many(9, time.Millisecond)
		time.Sleep(recentWindow)
		is(40*time.Millisecond, "a window with few answers is none")
		time.Sleep(5 * time.Minute)
		is(40*time.Millisecond, "silence says nothing against it")
		time.Sleep(5 * time.Minute)
		assert.Zero(t, r.baseline(), "after ten minutes it is forgotten")
	})
}

func TestRecentIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	r := newRecent()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				switch {
				case worker%2 == 0:
					r.answered(time.Duration(i) * time.Microsecond)
				case i%2 == 0:
					r.failed()
				default:
					r.quantile(0.95)
					r.baseline()
				}
			}
		})
	}
	wg.Wait()
	answered, failed := r.counts()
	assert.EqualValues(t, 4000, answered)
	assert.EqualValues(t, 2000, failed)
}

func BenchmarkRecentAnswered(b *testing.B) {
	b.ReportAllocs()
	r := newRecent()
	for i := 0; b.Loop(); i++ {
		r.answered(time.Duration(i&1023) * 100 * time.Microsecond)
	}
}

func BenchmarkRecentAnsweredParallel(b *testing.B) {
	b.ReportAllocs()
	r := newRecent()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.answered(20 * time.Millisecond)
		}
	})
}

func BenchmarkRecentQuantile(b *testing.B) {
	b.ReportAllocs()
	r := newRecent()
	for i := range 10_000 {
		r.answered(time.Duration(i) * 100 * time.Microsecond)
	}
	for b.Loop() {
		r.quantile(0.95)
	}
}

func BenchmarkRecentBaseline(b *testing.B) {
	b.ReportAllocs()
	r := newRecent()
	for i := range 10_000 {
		r.answered(time.Duration(i) * 100 * time.Microsecond)
	}
	for b.Loop() {
		r.baseline()
	}
}
