package transport

import (
	"math"
	"math/bits"
	"sync"
	"time"
)

const (
	recentWindow = 10 * time.Second

	// A duration's bucket is its power of two and the four bits that follow: no
	// wider than a sixteenth of what it holds.
	lowestOctave   = 15 // 2¹⁵ ns is 33 µs
	octaves        = 21 // up to 2³⁶ ns, 69 s
	bucketsPerBits = 4
	buckets        = 1 << bucketsPerBits // of an octave

	// longestTook is what a longer answer counts as.
	longestTook = time.Minute

	// enoughForMedian is how many samples a window's median needs to count.
	enoughForMedian = 10
	// medianWindows is how many finished windows the baseline looks back on, beside the running one.
	medianWindows = 5
	// medianLife is after how many windows a median is forgotten: a rarely called
	// operation must not be held against how its upstream was an hour ago.
	medianLife = 60
)

// recent is an operation's calls of the last 10 to 20 seconds: two windows of
// 10 s, the older complete. It is safe for concurrent use and allocates nothing.
type recent struct {
	begun time.Time

	mu       sync.Mutex
	number   int64 // of the running window, since begun
	running  *window
	previous *window
	medians  [medianWindows]windowMedian // of finished windows with enough samples
	eldest   int                         // of medians: the next to be replaced
}

type windowMedian struct {
	number int64         // of the window
	median time.Duration // 0: none
}

// window counts the calls of 10 s.
type window struct {
	failed  int64
	spoiled int64 // of the samples
	took    int64 // samples in all
	octave  [octaves]uint32
	buckets [octaves * buckets]uint32
}

func newRecent() *recent {
	return &recent{begun: time.Now(), running: &window{}, previous: &window{}}
}

// answered records an attempt with an answer that can be used, and how long it took.
func (r *recent) answered(took time.Duration) {
	at := bucketOf(took)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rotate()
	r.running.took++
	r.running.octave[at/buckets]++
	r.running.buckets[at]++
}

// failed records an attempt that ended in any other way, except that its caller
// cancelled it.
func (r *recent) failed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rotate()
	r.running.failed++
}

// spoiled records that what was recorded as an answer turned out to be of no use.
// How long it took stays.
func (r *recent) spoiled() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rotate()
	r.running.spoiled++
}

// quantile is the time within which the share q, 0 to 1, of the recent answers
// came, at most a sixteenth too high, and from how many answers that is known.
// Without any it is 0.
func (r *recent) quantile(q float64) (d time.Duration, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rotate()
	return quantileOf(q, r.running, r.previous)
}

// tail is the recent answers' median and quantile q, as quantile tells them.
func (r *recent) tail(q float64) (median, late time.Duration, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rotate()
	median, _ = quantileOf(0.5, r.running, r.previous)
	late, n = quantileOf(q, r.running, r.previous)
	return median, late, n
}

// baseline is how long the operation takes when all is well: the lowest median
// of the running window and the last five before it, of those with ten answers or
// more and not older than ten minutes. 0 when it is unknown.
func (r *recent) baseline() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rotate()
	lowest := r.running.median()
	for _, m := range r.medians {
		if m.median > 0 && r.number-m.number <= medianLife && (lowest == 0 || m.median < lowest) {
			lowest = m.median
		}
	}
	return lowest
}

// counts are the attempts that the windows hold. Those whose answers were of no
// use have failed.
func (r *recent) counts() (answered, failed int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rotate()
	spoiled := r.running.spoiled + r.previous.spoiled
	// An answer may be found spoiled a window later than it came.
	answered = max(0, r.running.took+r.previous.took-spoiled)
	return answered, r.running.failed + r.previous.failed + spoiled
}

// rotate makes the window of this moment the running one.
func (r *recent) rotate() {
	number := int64(time.Since(r.begun) / recentWindow)
	if passed := number - r.number; passed > 0 {
		r.turn(number, passed)
	}
}

// turn makes window number the running one, passed windows after the last. A call
// asks for the present window several times, deep down its stack, and has to pay for
// the room that is needed here only when it turns.
//
//go:noinline
func (r *recent) turn(number, passed int64) {
	if median := r.running.median(); median > 0 {
		r.medians[r.eldest] = windowMedian{number: r.number, median: median}
		r.eldest = (r.eldest + 1) % medianWindows
	}
	r.running, r.previous = r.previous, r.running
	*r.running = window{}
	if passed > 1 {
		*r.previous = window{}
	}
	r.number = number
}

// median is 0 when the window has too few answers for one.
func (w *window) median() time.Duration {
	if w.took < enoughForMedian {
		return 0
	}
	d, _ := quantileOf(0.5, w, &emptyWindow)
	return d
}

// emptyWindow is never written to.
var emptyWindow window

func quantileOf(q float64, a, b *window) (time.Duration, int) {
	n := a.took + b.took
	if n == 0 {
		return 0, 0
	}
	rank := int64(math.Ceil(q * float64(n)))
	rank = min(max(rank, 1), n)
	octave := 0
	for ; octave < octaves-1; octave++ {
		held := int64(a.octave[octave]) + int64(b.octave[octave])
		if rank <= held {
			break
		}
		rank -= held
	}
	at := octave * buckets
	for last := at + buckets - 1; at < last; at++ {
		held := int64(a.buckets[at]) + int64(b.buckets[at])
		if rank <= held {
			break
		}
		rank -= held
	}
	return upperEdge(at), int(n)
}

// bucketOf is the bucket that took falls into.
func bucketOf(took time.Duration) int {
	ns := uint64(min(max(took, 1<<lowestOctave), longestTook)) //nolint:gosec // positive
	octave := bits.Len64(ns) - 1
	within := int(ns>>(octave-bucketsPerBits)) & (buckets - 1) //nolint:gosec // less than buckets
	return (octave-lowestOctave)*buckets + within
}

// upperEdge is the shortest duration that is too long for a bucket.
func upperEdge(at int) time.Duration {
	octave, within := lowestOctave+at/buckets, at%buckets
	return time.Duration(buckets+within+1) << (octave - bucketsPerBits)
}
