package limits

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fill lets in as many of a class as there is room for.
func fill(g *Gate, c Class) (n int) {
	for g.Enter(c) {
		n++
	}
	return n
}

func drain(g *Gate, c Class, n int) {
	for range n {
		g.Leave(c)
	}
}

func TestM9_ReadsAreRefusedFirst(t *testing.T) {
	t.Parallel()
	g := NewGate(GateConfig{Most: 100, Process: ThisProcess()})
	require.Equal(t, 80, fill(g, Read))
	require.InDelta(t, 1, g.Load().Pressure, 1e-9)
	require.Equal(t, 20, fill(g, Write), "head room is left")
	require.False(t, g.Enter(Order), "the ceiling is everyone's")
	for range 1_000 {
		require.True(t, g.Enter(Cheap))
	}
	require.Equal(t, 100, g.Load().Inside)
	g.Leave(Cheap)
	require.Equal(t, 100, g.Load().Inside)
	drain(g, Read, 80)
	require.Equal(t, 80, fill(g, Order))
	drain(g, Order, 100)
	require.Equal(t, Load{}, g.Load())
}

func TestASmallCeilingStays(t *testing.T) {
	t.Parallel()
	g := NewGate(GateConfig{Most: 1, Process: ThisProcess()})
	for range 3 {
		require.Equal(t, 1, fill(g, Read))
		drain(g, Read, 1)
	}
}

// M9 on a machine of one processor and on one of eight, for dear pages and for cheap ones,
// from fast systems and from slow ones. Refusing takes time, too: of cheap pages it takes a
// third of all. Of slow systems it is seen late that too much is asked for.
func TestM9_TenTimesWhatCanBeServed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		processors int
		page, wait time.Duration
		share      float64       // of what can be served that has to be
		served     time.Duration // the 99th percentile of those, at most
		refused    time.Duration // and of refusals
	}{
		"lists":                 {1, 6 * time.Millisecond, time.Millisecond, 0.65, 40 * time.Millisecond, 5 * time.Millisecond},
		"lists, eight at once":  {8, 6 * time.Millisecond, time.Millisecond, 0.65, 40 * time.Millisecond, 5 * time.Millisecond},
		"screens":               {1, 600 * time.Microsecond, time.Millisecond, 0.4, 40 * time.Millisecond, 25 * time.Millisecond},
		"lists of slow systems": {1, 6 * time.Millisecond, 20 * time.Millisecond, 0.6, 300 * time.Millisecond, 80 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulated(t, c.processors, c.page, c.wait, func(t *testing.T, s *shop) {
				length := max(time.Second, 600*c.page)
				capacity := int(length/c.page) * c.processors
				normal := s.clients(4*c.processors, length)
				require.Empty(t, normal.refused)

				beyond := s.crowd(Read, 10*capacity, length/time.Duration(10*capacity))
				t.Logf("%d of %d served; p99 %v, normally %v; p99 of refusals %v", len(beyond.served), capacity, late(beyond.served), late(normal.served), late(beyond.refused))
				require.Greater(t, float64(len(beyond.served)), float64(capacity)*c.share, "what can be served is")
				require.LessOrEqual(t, late(beyond.served), c.served)
				require.LessOrEqual(t, late(beyond.refused), c.refused)
				require.LessOrEqual(t, beyond.refused[len(beyond.refused)/2], 1300*time.Microsecond, "most wait for next to nothing")

				after := s.crowd(Read, capacity*8/10, length*10/8/time.Duration(capacity))
				require.Less(t, len(after.refused), capacity/20, "it ends with its cause")
			})
		})
	}
}

// Requests that wait for a slow system take no processor time: they are not refused, be they
// many at once or one after the other.
func TestM9_ASlowSystemIsNoOverload(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 6*time.Millisecond, time.Second, func(t *testing.T, s *shop) {
		require.Len(t, s.crowd(Read, 300, 10*time.Millisecond).served, 300) // 200 and more wait at once
		begin := time.Now()
		require.Len(t, s.crowd(Read, 200, 0).served, 200)
		require.Less(t, time.Since(begin), 5*time.Second, "not one after the other")
		require.Empty(t, s.crowd(Read, 300, 500*time.Microsecond).refused, "nor while more come")
	})
}

// What comes all at once is served, and so is what comes meanwhile.
func TestM9_ABurstIsServed(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 6*time.Millisecond, time.Millisecond, func(t *testing.T, s *shop) {
		var others *answers
		var wg sync.WaitGroup
		s.clients(4, time.Second)
		wg.Go(func() { others = s.crowd(Read, 20, 50*time.Millisecond) })
		burst := s.crowd(Read, 200, 0)
		wg.Wait()
		require.Empty(t, burst.refused)
		require.Empty(t, others.refused)
		require.Less(t, late(burst.served), 1_500*time.Millisecond)

		beyond := s.crowd(Read, 1_000, 600*time.Microsecond)
		require.Less(t, late(beyond.served), 100*time.Millisecond, "it hides no overload that comes later")
	})
}

func TestM9_AppsThatStartAreServed(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 3*time.Millisecond, time.Millisecond, func(t *testing.T, s *shop) {
		require.Empty(t, s.crowd(Read, 50, 2*time.Millisecond).refused)
	})
}

// Pages that come together wait for nobody when all of them are little work, so that they
// share calls of the systems, also while others are served.
func TestM9_PagesThatComeTogetherShareCalls(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 300*time.Microsecond, time.Millisecond, func(t *testing.T, s *shop) {
		s.clients(4, 100*time.Millisecond) // from which it is known what they cost
		before := s.calls
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { s.crowd(Read, 16, 0) })
			for range 20 {
				time.Sleep(100 * time.Microsecond)
				require.Zero(t, s.Load().Waiting)
			}
		}
		wg.Wait()
		require.LessOrEqual(t, s.calls-before, 6, "of 64")
	})
}

// What a request costs is learned. As many come in at once, however late the process is, as
// take little time together; more wait, and come in when others have left.
func TestM9_CheapPagesComeInTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := stillFor(lateFrom)
		g := p.gate(500)
		serve := func(n int, cost time.Duration) {
			for range n {
				require.True(t, g.Enter(Read))
				p.spent.Add(int64(cost))
				g.Leave(Read)
			}
		}
		serve(1_000, 20*time.Millisecond)
		serve(1_000, 300*time.Microsecond)
		const together = int(little/(300*time.Microsecond)) + 1
		begin := time.Now()
		for range together {
			require.True(t, <-come(g, Read))
		}
		require.Zero(t, time.Since(begin), "at once")
		last := come(g, Read)
		time.Sleep(2 * lateFrom)
		require.Equal(t, Load{Inside: together, Waiting: 1, Pressure: float64(together+1) / 400}, g.Load())
		drain(g, Read, together/2)
		time.Sleep(2 * lateFrom) // which is less than what somebody is let in after anyway
		require.Len(t, last, 1)
		require.True(t, <-last)
	})
}

// A process of more processors serves so many more at once.
func TestWhatRequestsCost(t *testing.T) {
	t.Parallel()
	b := newBill(4, time.Second, 10*time.Millisecond)
	require.Equal(t, 20*time.Millisecond, b.serving(8))
	require.Equal(t, 40*time.Millisecond, b.all(10*time.Millisecond))
}

// Who comes has those before them that come in first.
func TestWhoIsBefore(t *testing.T) {
	t.Parallel()
	l := line{bill: newBill(1, 0, little)}
	for _, c := range []Class{Order, Write, Write, Read} {
		require.NotNil(t, l.join(c, time.Now()))
	}
	require.Equal(t, []int{1, 3, 4}, []int{l.before(Order), l.before(Write), l.before(Read)})
}

// An overload that begins takes nobody's place who shops on.
func TestM9_WhoShopsOnKeepsTheirPlace(t *testing.T) {
	t.Parallel()
	l := line{bill: newBill(1, 0, little)}
	read, write, order := l.join(Read, time.Now()), l.join(Write, time.Now()), l.join(Order, time.Now())
	l.shed(time.Now())
	require.False(t, <-read)
	require.Empty(t, write)
	require.Empty(t, order)
	require.Nil(t, l.join(Read, time.Now()))
	require.NotNil(t, l.join(Order, time.Now()), "who is let in soon may wait")

	later := time.Now().Add(time.Minute) // which the process may have stood still for
	l.settle(later)
	require.True(t, l.overloaded, "somebody waits")
	l.clear()
	l.settle(later)
	require.False(t, l.overloaded)
}

// A machine that a neighbor has in short turns is used as far as it is left, also by what is
// overloaded.
func TestM9_AnOverloadBesideANeighbor(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 6*time.Millisecond, time.Millisecond, func(t *testing.T, s *shop) {
		done := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				s.turns <- struct{}{}
				time.Sleep(3 * time.Millisecond)
				<-s.turns
			}
		})
		a := s.crowd(Read, 2_000, time.Millisecond)
		t.Logf("%d served, p99 %v", len(a.served), late(a.served))
		require.Greater(t, len(a.served), 150, "of 167 that half of a processor can serve")
		require.Less(t, late(a.served), 150*time.Millisecond)
		close(done)
		wg.Wait()
	})
}

// Pages that take long are few in line, although the line takes long.
func TestM9_FewDearPagesAreNoOverload(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 60*time.Millisecond, time.Millisecond, func(t *testing.T, s *shop) {
		require.Empty(t, s.crowd(Read, 11, 6*time.Millisecond).refused)
	})
}

// Time that nobody knows what it went to makes no request dear.
func TestM9_WhatElseTheProcessDidIsNotTheRequests(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 3*time.Millisecond, time.Millisecond, func(t *testing.T, s *shop) {
		s.run(time.Minute)
		s.crowd(Read, sample+1, 10*time.Millisecond)
		require.Empty(t, s.crowd(Read, 50, 2*time.Millisecond).refused)
	})
}

// still is a process that stands still until it is told otherwise: nothing that could run does.
type still struct{ late, spent atomic.Int64 }

func stillFor(late time.Duration) *still {
	p := &still{}
	p.late.Store(int64(late))
	return p
}

func (p *still) gate(most int) *Gate {
	return NewGate(GateConfig{Most: most, LateFrom: lateFrom, Process: Process{
		Count: 1,
		Pass: func() time.Duration {
			d := p.late.Load()
			p.spent.Add(d)
			time.Sleep(time.Duration(d))
			return time.Duration(d)
		},
		Spent: func() time.Duration { return time.Duration(p.spent.Load()) },
	}})
}

// come has one of a class come, and tells where what became of it is told.
func come(g *Gate, c Class) chan bool {
	told := make(chan bool, 1)
	go func() { told <- g.Enter(c) }()
	synctest.Wait()
	return told
}

func TestM9_TheMostImportantComeInFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := stillFor(lateFrom)
		g := p.gate(100)
		require.True(t, g.Enter(Read), "who comes first waits for nobody")
		var order []string
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, who := range []struct {
			name string
			c    Class
		}{{"read", Read}, {"another", Read}, {"write", Write}, {"order", Order}} {
			wg.Go(func() {
				if g.Enter(who.c) {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, who.name)
				}
			})
			time.Sleep(time.Microsecond)
		}
		begin := time.Now()
		wg.Wait()
		require.Equal(t, []string{"order", "write", "read", "another"}, order)
		require.GreaterOrEqual(t, time.Since(begin), 3*little, "a late process lets them in rarely")
		require.LessOrEqual(t, time.Since(begin), 5*little+10*lookEvery, "but it does")
	})
}

// Who waits counts, too, and so does what is kept for whom.
func TestM9_TheLineIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := stillFor(lateFrom).gate(5)
		require.True(t, g.Enter(Read))
		for range 3 {
			come(g, Read)
		}
		time.Sleep(2 * lateFrom)
		require.Equal(t, Load{Inside: 1, Waiting: 3, Pressure: 1}, g.Load())
		require.False(t, g.Enter(Read), "at once")
		come(g, Write)
		require.Equal(t, 4, g.Load().Waiting)
		require.False(t, g.Enter(Order))
		g.Close()
	})
}

// Nobody overtakes who waits, also when there is time for both.
func TestM9_NobodyOvertakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := stillFor(lateFrom).gate(100)
		require.True(t, g.Enter(Read))
		first := come(g, Order)
		time.Sleep(2 * lateFrom)
		g.Leave(Read)
		second := come(g, Read)
		require.Equal(t, 2, g.Load().Waiting)
		require.True(t, <-first)
		require.True(t, <-second)
		drain(g, Read, 2)
	})
}

// Who leaves makes room for the next, but not while the process is late.
func TestM9_WhoLeavesMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := stillFor(3 * time.Millisecond)
		g := p.gate(100)
		require.True(t, g.Enter(Read))
		require.True(t, func() bool { in := come(g, Read); time.Sleep(time.Second); return <-in }())
		first, second := come(g, Read), come(g, Read)
		time.Sleep(7*time.Millisecond + 100*time.Microsecond) // it was looked once
		g.Leave(Read)
		synctest.Wait()
		require.Empty(t, first)
		require.Equal(t, 2, g.Load().Waiting)
		p.late.Store(0)
		time.Sleep(4 * time.Millisecond)
		require.True(t, <-first)
		g.Leave(Read)
		require.True(t, <-second)
		drain(g, Read, 2)
		require.Zero(t, g.Load().Inside)
		time.Sleep(time.Second)
	})
}

// Who waits is refused when the gate is closed, and so is whoever would have to wait; nothing
// of it runs any more then.
func TestM9_AClosedGateHasNobodyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := stillFor(lateFrom)
		g := p.gate(100)
		require.True(t, g.Enter(Order))
		read, order := come(g, Read), come(g, Order)
		time.Sleep(2 * lateFrom)
		require.Equal(t, 2, g.Load().Waiting)
		g.Close()
		require.False(t, <-read)
		require.False(t, <-order)
		require.False(t, g.watched, "nothing runs")
		require.False(t, g.Enter(Order))
		g.Leave(Order)
		require.True(t, g.Enter(Read), "who waits for nobody is served")
		g.Leave(Read)
		require.Equal(t, Load{}, g.Load())
	})
}

// Nobody waits for ever: who is never the most important is refused.
func TestM9_NobodyWaitsForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := stillFor(2 * time.Millisecond)
		g := p.gate(1_000)
		require.True(t, g.Enter(Order))
		done := make(chan struct{})
		var wg sync.WaitGroup
		for range 2 { // one of them is always in line
			wg.Go(func() {
				for g.Enter(Order) {
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		synctest.Wait()
		begin := time.Now()
		require.False(t, <-come(g, Read))
		require.InDelta(t, longest, time.Since(begin), float64(2*little))
		close(done)
		wg.Wait()
		p.late.Store(0)
		time.Sleep(time.Minute)
		require.Zero(t, g.Load().Waiting)
	})
}

// While an overload lasts there is pressure, and afterwards there is none.
func TestM9_AnOverloadIsOverSoon(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 6*time.Millisecond, time.Millisecond, func(t *testing.T, s *shop) {
		var wg sync.WaitGroup
		wg.Go(func() { s.crowd(Read, 400, time.Millisecond) })
		time.Sleep(200 * time.Millisecond)
		l := s.Load()
		require.InDelta(t, 1, l.Pressure, 1e-9)
		require.Less(t, l.Inside, 8)
		require.LessOrEqual(t, l.Waiting, 6)
		begin := time.Now()
		require.Len(t, s.crowd(Order, 5, 10*time.Millisecond).served, 5, "orders are served")
		require.Less(t, time.Since(begin), 150*time.Millisecond)
		wg.Wait()
		time.Sleep(2 * calm)
		require.Zero(t, s.Load().Pressure)
		require.Empty(t, s.crowd(Read, 40, 0).refused)
	})
}

// Clients that come back at once only take the time that refusing them takes.
func TestM9_WhoComesBackAtOnceDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 2*time.Millisecond, time.Millisecond, func(t *testing.T, s *shop) {
		var wg sync.WaitGroup
		wg.Go(func() { s.crowd(Read, 500, 200*time.Microsecond) }) // which begins it
		time.Sleep(20 * time.Millisecond)
		a := s.clients(40, 2*time.Second)
		wg.Wait()
		t.Logf("%d served", len(a.served))
		require.Greater(t, len(a.refused), 10*len(a.served), "it lasts: they leave it no rest")
		require.Greater(t, len(a.served), 1_000/4, "a quarter of what can be served at least")
	})
}

// A machine that is somebody else's for a while is no overload.
func TestM9_ANeighborIsNoOverload(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 500*time.Microsecond, time.Millisecond, func(t *testing.T, s *shop) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 20 {
				s.turns <- struct{}{}
				time.Sleep(150 * time.Millisecond)
				<-s.turns
				time.Sleep(50 * time.Millisecond)
			}
		}()
		a := s.clients(40, 4*time.Second)
		require.Empty(t, a.refused)
		require.Greater(t, len(a.served), 1_500, "what is left of the machine is used") // a quarter of 4 s would take 2,000
		t.Logf("%d served", len(a.served))
		<-done
	})
}

// A line that is as long as it may be, at once, is one of an overload if it does not shrink.
func TestM9_AnOverloadThatBeginsWithAStall(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 6*time.Millisecond, time.Millisecond, func(t *testing.T, s *shop) {
		s.turns <- struct{}{}
		var wg sync.WaitGroup
		wg.Go(func() { s.crowd(Read, 3_000, 600*time.Microsecond) })
		time.Sleep(400 * time.Millisecond)
		<-s.turns
		time.Sleep(400 * time.Millisecond)
		require.Less(t, s.Load().Inside+s.Load().Waiting, 20)
		wg.Wait()
	})
}

// What orders there are more of than can be served is refused like anything else, but for
// those that wait already.
func TestM9_TooManyOrdersAreRefused(t *testing.T) {
	t.Parallel()
	simulated(t, 1, 6*time.Millisecond, time.Millisecond, func(t *testing.T, s *shop) {
		a := s.crowd(Order, 2_000, time.Millisecond)
		require.Greater(t, len(a.served), 2_000/6*2/3)
		require.LessOrEqual(t, late(a.served), 250*time.Millisecond)
	})
}

// What Go tells of a process: somebody who gives way to others that run waits for them, and
// what runs takes processor time.
func TestThisProcess(t *testing.T) { //nolint:paralleltest // is about the whole process
	p := ThisProcess()
	require.Equal(t, runtime.GOMAXPROCS(0), p.Count)
	before := p.Spent()
	require.GreaterOrEqual(t, p.Pass(), time.Duration(0))
	if runtime.GOOS == "windows" {
		t.Skip("processor time is not known there")
	}
	require.Eventually(t, func() bool {
		for begin := time.Now(); time.Since(begin) < 5*time.Millisecond; {
			p.Pass()
		}
		return p.Spent() > before
	}, time.Minute, time.Millisecond)
}

func BenchmarkGate(b *testing.B) {
	g := NewGate(GateConfig{Most: 512, LateFrom: lateFrom, Process: ThisProcess()})
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if g.Enter(Read) {
				g.Leave(Read)
			}
		}
	})
}
