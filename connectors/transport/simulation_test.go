package transport

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// The simulations below run in virtual time: callers arrive at a rate of their
// own, whatever becomes of those before them, and a model of an upstream in
// memory answers them. Each is a function of its seed, up to the order of what
// happens at the same instant.

const (
	simTimeout = 2 * time.Second // of an attempt
	simSeed    = 20261121
)

// kind is an operation of the model upstream.
type kind struct {
	pace *pace
	work func(*rand.Rand) time.Duration // that one call is
}

func newKind(work func(*rand.Rand) time.Duration) *kind { return &kind{pace: newPace(), work: work} }

func (k *kind) always(*rand.Rand) *kind { return k }

// mixed is mostly a; the share of b is part.
func mixed(a, b *kind, part float64) func(*rand.Rand) *kind {
	return func(r *rand.Rand) *kind {
		if r.Float64() < part {
			return b
		}
		return a
	}
}

func takes(d time.Duration) func(*rand.Rand) time.Duration {
	return func(*rand.Rand) time.Duration { return d }
}

func between(low, high time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration { return low + time.Duration(r.Int64N(int64(high-low))) }
}

// upstream answers a call that is so much work, or ends with ctx.
type upstream interface {
	serve(ctx context.Context, work time.Duration) (status int, err error)
}

// pool has workers and a queue of its own that is unbounded and first come first
// served. It does not notice that a caller has left: that work is done in vain.
type pool struct {
	mu   sync.Mutex
	free []time.Time // when each worker will be
	// slowdown stretches the work; 0 is 1.
	slowdown float64
}

func newWorkers(n int) *pool { return &pool{free: make([]time.Time, n)} }

func (p *pool) slow(by float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slowdown = by
}

func (p *pool) serve(ctx context.Context, work time.Duration) (int, error) {
	return http.StatusOK, sleep(ctx, time.Until(p.enqueue(work)))
}

func (p *pool) enqueue(work time.Duration) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slowdown > 0 {
		work = time.Duration(float64(work) * p.slowdown)
	}
	next := 0
	for i := range p.free {
		if p.free[i].Before(p.free[next]) {
			next = i
		}
	}
	start := time.Now()
	if p.free[next].After(start) {
		start = p.free[next]
	}
	p.free[next] = start.Add(work)
	return p.free[next]
}

// contended takes longer for each the more it has inside, as by locks and caches:
// the Universal Scalability Law. Beyond peak inside, its throughput falls.
type contended struct {
	mu     sync.Mutex
	inside int
	peak   int
}

const contention = 0.02 // the part of the work that only one can do at a time

func (c *contended) stretch(n int) float64 {
	coherency := (1 - contention) / float64(c.peak*c.peak)
	return 1 + contention*float64(n-1) + coherency*float64(n*(n-1))
}

// capacity is how many calls of so much work a second it can do at best.
func (c *contended) capacity(work time.Duration) float64 {
	return float64(c.peak) / c.stretch(c.peak) / work.Seconds()
}

func (c *contended) serve(ctx context.Context, work time.Duration) (int, error) {
	c.mu.Lock()
	c.inside++
	work = time.Duration(float64(work) * c.stretch(c.inside))
	c.mu.Unlock()
	time.AfterFunc(work, func() { // whether or not the caller is still there
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inside--
	})
	return http.StatusOK, sleep(ctx, work)
}

// shedding answers 503 at once beyond so many inside.
type shedding struct {
	upstream
	mu     sync.Mutex
	inside int
	most   int
}

func (s *shedding) shed(beyond int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = beyond
}

func (s *shedding) add(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > 0 && s.inside >= s.most {
		return false
	}
	s.inside += n
	return true
}

func (s *shedding) serve(ctx context.Context, work time.Duration) (int, error) {
	if !s.add(1) {
		return http.StatusServiceUnavailable, sleep(ctx, time.Millisecond)
	}
	defer s.add(-1)
	return s.upstream.serve(ctx, work)
}

// hanging answers nobody while it hangs.
type hanging struct {
	upstream
	mu    sync.Mutex
	hangs bool
}

func (h *hanging) hang(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hangs = on
}

func (h *hanging) serve(ctx context.Context, work time.Duration) (int, error) {
	h.mu.Lock()
	hangs := h.hangs
	h.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return h.upstream.serve(ctx, work)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// entrance is what stands before the upstream.
type entrance interface {
	acquire(ctx context.Context, access commerce.Access) error
	answered(p *pace, took time.Duration)
	release(v vote)
}

// unguarded lets everybody in.
type unguarded struct{}

func (unguarded) acquire(context.Context, commerce.Access) error { return nil }
func (unguarded) answered(*pace, time.Duration)                  {}
func (unguarded) release(vote)                                   {}

// second is what became of the calls that were offered within one second.
type second struct {
	offered, good, refused, late int
	took                         []time.Duration // of the good ones, waits included
}

// simulation offers calls and keeps the score.
type simulation struct {
	rng      *rand.Rand
	enter    entrance
	to       upstream
	attempts int // of a call; 0 is 1

	began time.Time
	calls sync.WaitGroup
	mu    sync.Mutex
	by    []second // by the second in which they were offered
	done  []int    // good ones by the second in which they were done
}

func newSimulation(enter entrance, to upstream) *simulation {
	return &simulation{rng: rand.New(rand.NewPCG(simSeed, 1)), enter: enter, to: to, began: time.Now()}
}

// offer has calls arrive at random, on average rate a second.
func (s *simulation) offer(rate float64, duration time.Duration, pick func(*rand.Rand) *kind) {
	end := time.Now().Add(duration)
	for {
		time.Sleep(time.Duration(s.rng.ExpFloat64() / rate * float64(time.Second)))
		if !time.Now().Before(end) {
			return
		}
		k := pick(s.rng)
		work := k.work(s.rng)
		backoff := 25*time.Millisecond + time.Duration(s.rng.Int64N(int64(25*time.Millisecond)))
		s.calls.Go(func() { s.call(k, work, backoff) })
	}
}

func (s *simulation) call(k *kind, work, backoff time.Duration) {
	began := time.Now()
	err := s.attempt(k, work)
	for n := 1; n < s.attempts && err != nil; n++ {
		time.Sleep(backoff << n)
		err = s.attempt(k, work)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.second(began)
	at.offered++
	switch {
	case errors.Is(err, errBulkheadFull):
		at.refused++
	case err != nil:
		at.late++
	default:
		at.good++
		at.took = append(at.took, time.Since(began))
		end := int(time.Since(s.began) / time.Second)
		for len(s.done) <= end {
			s.done = append(s.done, 0)
		}
		s.done[end]++
	}
}

func (s *simulation) second(t time.Time) *second {
	i := int(t.Sub(s.began) / time.Second)
	for len(s.by) <= i {
		s.by = append(s.by, second{})
	}
	return &s.by[i]
}

var errBusy = errors.New("503")

func (s *simulation) attempt(k *kind, work time.Duration) error {
	if err := s.enter.acquire(context.Background(), commerce.Read); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), simTimeout)
	defer cancel()
	began := time.Now()
	status, err := s.to.serve(ctx, work)
	if err != nil {
		s.enter.release(voteSlow)
		return err
	}
	if status != http.StatusOK {
		s.enter.release(voteSlow)
		return errBusy
	}
	s.enter.answered(k.pace, time.Since(began))
	return nil
}

// score adds up the seconds from, to.
func (s *simulation) score(from, to int) (sum second) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := from; i < min(to, len(s.by)); i++ {
		sum.offered += s.by[i].offered
		sum.good += s.by[i].good
		sum.refused += s.by[i].refused
		sum.late += s.by[i].late
		sum.took = append(sum.took, s.by[i].took...)
	}
	slices.Sort(sum.took)
	return sum
}

// throughput is how many good answers a second were finished from, to.
func (s *simulation) throughput(from, to int) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for i := from; i < min(to, len(s.done)); i++ {
		n += s.done[i]
	}
	return float64(n) / float64(to-from)
}
