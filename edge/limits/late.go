package limits

import (
	"math"
	"runtime/metrics"
	"time"
)

// waits is Go's own histogram of how long goroutines that could run have waited for a
// processor, in seconds.
const waits = "/sched/latencies:seconds"

// ProcessLateness is the [Lateness] of this process. Its first answer is about all of the
// time before. It is for one caller at a time.
func ProcessLateness() Lateness {
	sample := []metrics.Sample{{Name: waits}}
	var before []uint64
	return func() (time.Duration, int) {
		metrics.Read(sample)
		if sample[0].Value.Kind() != metrics.KindFloat64Histogram { // a Go that does not tell
			return 0, 0
		}
		h := sample[0].Value.Float64Histogram()
		late, seen := tenth(h, before)
		before = append(before[:0], h.Counts...)
		return late, seen
	}
}

// tenth is how long the longest tenth of what was counted since before waited at least,
// and how many were counted.
func tenth(h *metrics.Float64Histogram, before []uint64) (time.Duration, int) {
	since := func(i int) uint64 {
		if i < len(before) {
			return h.Counts[i] - before[i]
		}
		return h.Counts[i]
	}
	var seen, longest uint64
	for i := range h.Counts {
		seen += since(i)
	}
	for i := len(h.Counts) - 1; i >= 0 && seen > 0; i-- {
		if longest += since(i); longest*10 >= seen {
			return time.Duration(max(h.Buckets[i], 0) * float64(time.Second)), int(min(seen, math.MaxInt32))
		}
	}
	return 0, 0
}
