package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// target is a server that requests are sent to.
type target struct {
	name   string
	addr   string
	prefix string // of every path
	client *fasthttp.HostClient
}

func newTarget(name, addr string) *target {
	return &target{name: name, addr: addr, client: &fasthttp.HostClient{
		Addr: addr, MaxConns: 4096, MaxIdemponentCallAttempts: 1, NoDefaultUserAgentHeader: true,
		ReadBufferSize: 16 << 10, MaxIdleConnDuration: 30 * time.Second, DisablePathNormalizing: true,
	}}
}

// ask is one kind of request: set makes the n-th of them.
type ask struct {
	// begin learns from a target what requests need; nil: nothing.
	begin func(t *target) error
	set   func(req *fasthttp.Request, n int64)
	// instead is done in a request's place; nil: there is one.
	instead func() error
	// right tells a good answer; nil: status 200, no errors in it, and nothing missing or old.
	right func(res *fasthttp.Response) bool
	// refused tells an answer that is none, which is counted by itself; nil: there are none.
	refused func(res *fasthttp.Response) bool
	// onset is how long it takes until requests at a fixed rate are as they will be; what was
	// due after that is told by itself. 0: nothing is.
	onset time.Duration
}

// mapped asks for the things that another numbering gives.
func (a ask) mapped(to func(n int64) int64) ask {
	set := a.set
	a.set = func(req *fasthttp.Request, n int64) { set(req, to(n)) }
	return a
}

func (a ask) good(res *fasthttp.Response) bool {
	if a.right != nil {
		return a.right(res)
	}
	return res.StatusCode() == fasthttp.StatusOK && whole(res.Body())
}

// whole tells whether nothing in an answer failed, is missing or old. What is refused comes
// fast: with such answers among them figures would look better than they are.
func whole(answer []byte) bool {
	for _, mark := range [...]string{`"errors":[`, `"degraded":[`, `"freshness":[`} {
		if bytes.Contains(answer, []byte(mark)) {
			return false
		}
	}
	return true
}

// load is what came of many requests.
type load struct {
	answered int64
	failed   int64
	took     time.Duration
	sample   string // an answer that was not right
	times
	settled times // after the onset
}

// times is what requests took, sorted once all are there.
type times struct {
	spent    []time.Duration // of each request that was not refused
	refusals []time.Duration // of each that was
}

func (t *times) quantile(q float64) time.Duration { return quantile(t.spent, q) }

func (t *times) add(took time.Duration, refused bool) {
	if refused {
		t.refusals = append(t.refusals, took)
	} else {
		t.spent = append(t.spent, took)
	}
}

func (t *times) merge(with times) {
	t.spent = append(t.spent, with.spent...)
	t.refusals = append(t.refusals, with.refusals...)
}

func (t *times) sort() {
	slices.Sort(t.spent)
	slices.Sort(t.refusals)
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func (l *load) rps() float64 { return float64(l.answered) / l.took.Seconds() }

// worker sends requests over again.
type worker struct {
	target *target
	ask    ask
	req    *fasthttp.Request
	res    *fasthttp.Response
	begin  time.Time // of requests at a fixed rate
	load
}

func newWorker(t *target, a ask) *worker {
	return &worker{target: t, ask: a, req: fasthttp.AcquireRequest(), res: fasthttp.AcquireResponse()}
}

// send makes the n-th request; since is when it was due.
func (w *worker) send(n int64, since time.Time) {
	err := w.exchange(n)
	took := time.Since(since)
	refused := err == nil && w.ask.refused != nil && w.ask.refused(w.res)
	w.add(took, refused)
	if w.ask.onset > 0 && since.Sub(w.begin) >= w.ask.onset {
		w.settled.add(took, refused)
	}
	if refused {
		return
	}
	if err == nil && (w.ask.instead != nil || w.ask.good(w.res)) {
		w.answered++
		return
	}
	w.failed++
	if w.sample == "" {
		w.sample = fmt.Sprintf("%s: %v: %d %.300s", w.target.name, err, w.res.StatusCode(), w.res.Body())
	}
}

// exchange makes the n-th request and waits for its answer.
func (w *worker) exchange(n int64) error {
	if w.ask.instead != nil {
		return w.ask.instead()
	}
	w.req.Reset()
	w.ask.set(w.req, n)
	if w.target.prefix != "" {
		w.req.SetRequestURI(w.target.prefix + string(w.req.Header.RequestURI()))
	}
	w.req.Header.SetHost(w.target.addr)
	w.req.URI() // read from the header only once
	return w.target.client.Do(w.req, w.res)
}

// merged is what all workers did.
func merged(workers []*worker, took time.Duration) *load {
	sum := &load{took: took}
	for _, w := range workers {
		sum.answered += w.answered
		sum.failed += w.failed
		sum.merge(w.times)
		sum.settled.merge(w.settled)
		if sum.sample == "" {
			sum.sample = w.sample
		}
		fasthttp.ReleaseRequest(w.req)
		fasthttp.ReleaseResponse(w.res)
	}
	sum.sort()
	sum.settled.sort()
	return sum
}

// closed has so many clients send one request after the other for a while; next numbers requests.
func closed(t *target, a ask, clients int, length time.Duration, next *atomic.Int64) *load {
	workers := make([]*worker, clients)
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range workers {
		w := newWorker(t, a)
		workers[i] = w
		wg.Go(func() {
			for now := begin; now.Sub(begin) < length; now = time.Now() {
				w.send(next.Add(1), now)
			}
		})
	}
	wg.Wait()
	return merged(workers, time.Since(begin))
}

// patience is how many requests of an open loop may be under way.
const patience = 2048

var errBehind = errors.New("answers come later than requests: nothing is measured")

// open sends requests at a fixed rate for a while, whether or not those before are
// answered; what they take counts from when they were due.
func open(ctx context.Context, t *target, a ask, perSecond int, length time.Duration, next *atomic.Int64) (*load, error) {
	idle := make(chan *worker, patience)
	var workers []*worker
	var wg sync.WaitGroup
	clock, err := newAlarm()
	if err != nil {
		return nil, err
	}
	defer func() { _ = clock.close() }()
	begin := time.Now()
	total := int(length.Seconds() * float64(perSecond))
	for i := range total {
		due := begin.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		clock.wait(time.Until(due))
		if ctx.Err() != nil {
			break
		}
		var w *worker
		select {
		case w = <-idle:
		default:
			if len(workers) == patience {
				return nil, errBehind
			}
			w = newWorker(t, a)
			w.begin = begin
			workers = append(workers, w)
		}
		n := next.Add(1)
		wg.Go(func() {
			w.send(n, due)
			idle <- w
		})
	}
	wg.Wait()
	return merged(workers, time.Since(begin)), ctx.Err()
}
