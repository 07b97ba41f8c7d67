package limits

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// machine is a computer in a bubble: what wants to run on it does so one after the other,
// and takes time.
type machine struct {
	turns chan struct{}
	spent atomic.Int64
}

func newMachine(processors int) *machine { return &machine{turns: make(chan struct{}, processors)} }

func (m *machine) run(d time.Duration) {
	m.turns <- struct{}{}
	time.Sleep(d)
	m.spent.Add(int64(d))
	<-m.turns
}

func (m *machine) process() Process {
	return Process{
		Count: cap(m.turns),
		Pass: func() time.Duration {
			begin := time.Now()
			m.run(0)
			return time.Since(begin)
		},
		Spent: func() time.Duration { return time.Duration(m.spent.Load()) },
	}
}

// shop answers pages on a machine.
type shop struct {
	*machine
	*Gate

	page time.Duration // of processor time, on average

	begun atomic.Int64  // pages
	wait  time.Duration // for the systems, twice a page

	sharing sync.Mutex
	boards  [2]*board // by which of a page's calls
	calls   int       // of the systems
}

// board is a call that more pages may share until it is made, as the cache's.
type board struct{ done chan struct{} }

// call waits for a system, in a call that goes when all have run that could.
func (s *shop) call(n int) {
	s.sharing.Lock()
	b := s.boards[n]
	first := b == nil
	if first {
		b = &board{make(chan struct{})}
		s.boards[n] = b
	}
	s.sharing.Unlock()
	if !first {
		<-b.done
		return
	}
	s.run(0)
	s.sharing.Lock()
	s.boards[n] = nil
	s.calls++
	s.sharing.Unlock()
	time.Sleep(s.wait)
	close(b.done)
}

// lateFrom is what is shipped.
const lateFrom = 2 * time.Millisecond

func newShop(m *machine, page, wait time.Duration) *shop {
	return &shop{machine: m, Gate: NewGate(GateConfig{Most: 512, LateFrom: lateFrom, Process: m.process()}), page: page, wait: wait}
}

// serve answers a page, or refuses to.
func (s *shop) serve(c Class) bool {
	const looks = 20 * time.Microsecond // what is asked for
	s.run(looks)
	if !s.Enter(c) {
		return false
	}
	defer s.Leave(c)
	page := s.page * time.Duration(3+s.begun.Add(1)%3) / 4
	s.run(page / 20)
	for n := range s.boards {
		s.call(n)
		s.run(page / 4)
		s.run(page / 5)
	}
	s.run(page / 20)
	return true
}

// answers are how long answers took.
type answers struct {
	sync.Mutex

	served, refused []time.Duration
}

func (a *answers) note(begin time.Time, served bool) {
	a.Lock()
	defer a.Unlock()
	if served {
		a.served = append(a.served, time.Since(begin))
	} else {
		a.refused = append(a.refused, time.Since(begin))
	}
}

func late(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)*99/100]
}

// clients ask for one page after the other.
func (s *shop) clients(n int, length time.Duration) *answers {
	var a answers
	var wg sync.WaitGroup
	begin := time.Now()
	for range n {
		wg.Go(func() {
			for time.Since(begin) < length {
				now := time.Now()
				a.note(now, s.serve(Read))
			}
		})
	}
	wg.Wait()
	return &a
}

// crowd asks for so many pages, at a rate.
func (s *shop) crowd(c Class, n int, every time.Duration) *answers {
	var a answers
	var wg sync.WaitGroup
	for range n {
		now := time.Now()
		wg.Go(func() { a.note(now, s.serve(c)) })
		if every > 0 {
			time.Sleep(every)
		}
	}
	wg.Wait()
	return &a
}

// simulated runs a test on a machine in a bubble, and looks that nothing is left.
func simulated(t *testing.T, processors int, page, wait time.Duration, test func(t *testing.T, s *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(newMachine(processors), page, wait)
		test(t, s)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, Load{}, s.Load())
	})
}
