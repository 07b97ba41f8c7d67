package transport

import (
	"math/rand/v2"
	"net/http"
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

// attempts makes n attempts one every gap and tells how many were let through
// and when the first was refused.
func attempts(b *breaker, n int, gap time.Duration, v verdict) (through int, refused time.Duration) {
	begun := time.Now()
	for range n {
		permit, _, ok := b.acquire()
		if !ok {
			return through, time.Since(begun)
		}
		through++
		permit.settle(v)
		time.Sleep(gap)
	}
	return through, -1
}

func opened(t *testing.T) *breaker {
	t.Helper()
	b := newBreaker(nil)
	attempts(b, 20, 0, verdictBad)
	require.Equal(t, breakerOpen, b.state())
	return b
}

func TestN10_OpensWithin20FailedCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(nil)
		through, _ := attempts(b, 100, time.Millisecond, verdictBad)
		assert.Equal(t, 20, through)
		assert.Equal(t, breakerOpen, b.state())
	})
}

func TestN10_OpensWithinOneSecondOfFailures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		good int // before, in 9 s
		gap  time.Duration
		most time.Duration // after the first failure
	}{
		"five a second":                   {0, 200 * time.Millisecond, time.Second},
		"six a second":                    {0, 180 * time.Millisecond, 1080 * time.Millisecond},
		"100 a second after a good time":  {9000, 10 * time.Millisecond, time.Second},
		"1000 a second after a good time": {9000, time.Millisecond, time.Second},
		// Five calls are the least that say anything.
		"one a second": {0, time.Second, 5 * time.Second},
		"one in 9 s":   {1, 9 * time.Second, 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker(nil)
				for range tc.good {
					attempts(b, 1, 9*time.Second/time.Duration(tc.good), verdictGood)
				}
				begun := time.Now()
				for {
					permit, _, _ := b.acquire()
					if b.state() != breakerClosed {
						break
					}
					permit.settle(verdictBad)
					require.LessOrEqual(t, time.Since(begun), tc.most, "no call is let through later")
					time.Sleep(tc.gap)
				}
				assert.LessOrEqual(t, time.Since(begun), tc.most)
			})
		})
	}
}

func TestN10_StaysClosedWhileMostCallsAreGood(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		percent int
		gap     time.Duration
	}{
		"30 % at 500 a second": {30, 2 * time.Millisecond},
		"30 % at 50 a second":  {30, 20 * time.Millisecond},
		"30 % at 3 a second":   {30, 333 * time.Millisecond},
		"none":                 {0, time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dice := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
				b := newBreaker(func(_, to breakerState) { t.Errorf("is %v", to) })
				for begun := time.Now(); time.Since(begun) < time.Minute; {
					v := verdictGood
					if dice.IntN(100) < tc.percent {
						v = verdictBad
					}
					attempts(b, 1, tc.gap, v)
				}
			})
		})
	}
}

func TestN10_OpensAtHalfOfTheCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(nil)
		attempts(b, 20, 0, verdictGood)
		attempts(b, 19, 0, verdictBad)
		assert.Equal(t, breakerClosed, b.state())
		attempts(b, 1, 0, verdictBad)
		assert.Equal(t, breakerOpen, b.state())
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(nil)
		attempts(b, 19, 0, verdictBad)
		time.Sleep(10 * time.Second)
		attempts(b, 1, 0, verdictBad)
		assert.Equal(t, breakerOpen, b.state(), "the nineteen are forgotten, but nothing was good since")
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(nil)
		attempts(b, 19, 0, verdictBad)
		time.Sleep(10*time.Second + 1)
		attempts(b, 19, 0, verdictBad)
		assert.Equal(t, breakerClosed, b.state(), "after a longer silence the count starts anew")
		time.Sleep(time.Minute)
		_, _, ok := b.acquire()
		assert.True(t, ok, "old failures refuse nobody")
	})
}

// Cancelled attempts, and those that were never sent, say nothing: not in the
// closed state, and not as a probe.
func TestN10_NoVerdictDoesNotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(func(_, to breakerState) { t.Errorf("is %v", to) })
		through, _ := attempts(b, 1000, 10*time.Millisecond, verdictNone)
		assert.Equal(t, 1000, through)
		attempts(b, 19, 0, verdictBad)
		attempts(b, 1000, 0, verdictNone)
		assert.Equal(t, breakerClosed, b.state())
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(nil)
		attempts(b, 19, 0, verdictBad)
		attempts(b, 100, 0, verdictNone)
		through, _ := attempts(b, 100, 0, verdictBad)
		assert.Equal(t, 1, through, "nor do they hide the bad ones")
	})
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		time.Sleep(probeEvery)
		attempts(b, 1, 0, verdictNone)
		assert.Equal(t, breakerOpen, b.state())
	})
}

// Whatever becomes of the probes, one a second is let through and no more.
func TestN10_OneProbeASecond(t *testing.T) {
	t.Parallel()
	settle := func(v verdict) func(breakerPermit) { return func(p breakerPermit) { p.settle(v) } }
	for name, then := range map[string]func(breakerPermit){
		"bad":                   settle(verdictBad),
		"cancelled":             settle(verdictNone),
		"never settled":         func(breakerPermit) {},
		"settled twice":         func(p breakerPermit) { p.settle(verdictBad); p.settle(verdictBad) },
		"bad after an attempt":  func(p breakerPermit) { time.AfterFunc(2*time.Second, func() { p.settle(verdictBad) }) },
		"cancelled much later":  func(p breakerPermit) { time.AfterFunc(7*time.Second, func() { p.settle(verdictNone) }) },
		"bad in no time at all": func(p breakerPermit) { time.AfterFunc(time.Millisecond, func() { p.settle(verdictBad) }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker(nil)
				early, _, ok := b.acquire() // of the closed state
				require.True(t, ok)
				attempts(b, 20, 0, verdictBad)
				var last time.Time
				probes, begun := 0, time.Now()
				for time.Since(begun) < 30*time.Second {
					permit, wait, ok := b.acquire()
					if ok {
						assert.GreaterOrEqual(t, time.Since(last), probeEvery)
						assert.Equal(t, breakerHalfOpen, b.state())
						last = time.Now()
						probes++
						then(permit)
					} else {
						assert.Positive(t, wait)
						assert.LessOrEqual(t, wait, probeEvery)
					}
					early.settle(verdictGood) // late: changes nothing
					early.settle(verdictBad)
					assert.NotEqual(t, breakerClosed, b.state())
					time.Sleep(10 * time.Millisecond)
				}
				assert.Equal(t, 29, probes)
				synctest.Wait()
			})
		})
	}
}

func TestN10_TheWaitIsUntilTheNextProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		for range 3 {
			_, wait, ok := b.acquire()
			require.False(t, ok)
			time.Sleep(wait - 1)
			_, _, ok = b.acquire()
			require.False(t, ok)
			time.Sleep(time.Nanosecond)
			_, _, ok = b.acquire()
			require.True(t, ok)
		}
	})
}

func TestN10_ClosesWithinTwoSecondsOfHealth(t *testing.T) {
	t.Parallel()
	for name, earlier := range map[string]time.Duration{ // how long probes take before health comes
		"bad at once": 0,
		"hung":        time.Hour,
		"timed out":   2 * time.Second,
	} {
		for _, health := range []time.Duration{0, time.Second, 2*time.Second + 1, 3500 * time.Millisecond, 10*time.Second - 1} {
			t.Run(name+" until "+health.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b := opened(t)
					var probes sync.WaitGroup
					defer probes.Wait()
					begun := time.Now()
					for b.state() != breakerClosed {
						require.LessOrEqual(t, time.Since(begun), health+2*time.Second)
						if permit, _, ok := b.acquire(); ok {
							healthy := time.Since(begun) >= health
							probes.Go(func() {
								if healthy {
									time.Sleep(300 * time.Millisecond)
									permit.settle(verdictGood)
									return
								}
								time.Sleep(earlier)
								permit.settle(verdictBad)
							})
						}
						time.Sleep(10 * time.Millisecond)
					}
				})
			})
		}
	}
}

// An upstream that is well but takes longer than the distance of two probes must
// not stay shut out.
func TestN10_ASlowGoodProbeCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		time.Sleep(probeEvery)
		first, _, ok := b.acquire()
		require.True(t, ok)
		time.Sleep(probeEvery)
		second, _, ok := b.acquire()
		require.True(t, ok)
		second.settle(verdictBad)
		assert.Equal(t, breakerHalfOpen, b.state(), "the first is still out")
		first.settle(verdictGood)
		assert.Equal(t, breakerClosed, b.state())
	})
}

func TestN10_CountsStartAnewWhenItCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		time.Sleep(probeEvery)
		hung, _, ok := b.acquire()
		require.True(t, ok)
		time.Sleep(probeEvery)
		attempts(b, 1, 0, verdictGood)
		require.Equal(t, breakerClosed, b.state())
		attempts(b, 19, 0, verdictBad)
		hung.settle(verdictBad) // of the open state: no twentieth
		assert.Equal(t, breakerClosed, b.state())
		attempts(b, 1, 0, verdictBad)
		assert.Equal(t, breakerOpen, b.state())
		hung.settle(verdictGood) // of an open state, but not this one
		assert.Equal(t, breakerOpen, b.state())
	})
}

func TestN10_TellsEveryChangeOutsideOfItsLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			b    *breaker
			told []string
		)
		b = newBreaker(func(from, to breakerState) {
			assert.Equal(t, to, b.state(), "its state can be read") // would deadlock inside the lock
			told = append(told, from.String()+" → "+to.String())
		})
		attempts(b, 20, 0, verdictBad)
		time.Sleep(probeEvery)
		attempts(b, 1, probeEvery, verdictBad)
		attempts(b, 1, 0, verdictGood)
		for range 5 {
			attempts(b, 1, 240*time.Millisecond, verdictBad)
		}
		_, _, ok := b.acquire()
		assert.False(t, ok, "the streak is a second old")
		assert.Equal(t, []string{
			"closed → open", "open → half-open", "half-open → open", "open → half-open", "half-open → closed", "closed → open",
		}, told)
	})
}

func TestZeroPermitSettlesNothing(t *testing.T) {
	t.Parallel()
	assert.NotPanics(t, func() { breakerPermit{}.settle(verdictBad) })
}

func TestN10_BreakerIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var changes atomic.Int64
	b := newBreaker(func(breakerState, breakerState) { changes.Add(1) })
	var (
		wg      sync.WaitGroup
		through atomic.Int64
	)
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if permit, _, ok := b.acquire(); ok {
					through.Add(1)
					permit.settle(verdictBad)
				}
				_ = b.state()
			}
		})
	}
	wg.Wait()
	assert.GreaterOrEqual(t, through.Load(), int64(20))
	assert.LessOrEqual(t, through.Load(), int64(20+7+60), "those on their way when it opened, and a probe a second")
	assert.Positive(t, changes.Load())
}

// naive is the breaker's promise, written as plainly as can be.
type naive struct {
	ended []ended // while closed
	is    breakerState
	epoch int
	out   int
	next  time.Duration
}

type ended struct {
	at  time.Duration
	bad bool
}

// streak is the number of bad calls at the end, with no silence over 10 s, and when they began and ended.
func (m *naive) streak() (n int, from, to time.Duration) {
	for i := len(m.ended) - 1; i >= 0 && m.ended[i].bad; i-- {
		if n > 0 && from-m.ended[i].at > 10*time.Second {
			break
		}
		if n == 0 {
			to = m.ended[i].at
		}
		n, from = n+1, m.ended[i].at
	}
	return n, from, to
}

func (m *naive) hopeless(now time.Duration) bool {
	n, from, _ := m.streak()
	return n >= 5 && now-from >= time.Second
}

func (m *naive) open(now time.Duration) {
	m.is, m.out, m.next, m.ended = breakerOpen, 0, now+time.Second, nil
	m.epoch++
}

func (m *naive) acquire(now time.Duration) (ok, probe bool) {
	if _, _, to := m.streak(); m.is == breakerClosed && m.hopeless(now) && now-to <= time.Second {
		m.open(now)
	}
	if m.is == breakerClosed {
		return true, false
	}
	if now < m.next {
		return false, false
	}
	m.is, m.next = breakerHalfOpen, now+time.Second
	m.out++
	return true, true
}

func (m *naive) settle(now time.Duration, p issued, v verdict) {
	switch {
	case p.epoch != m.epoch:
	case p.probe && v == verdictGood:
		m.is, m.ended = breakerClosed, nil
		m.epoch++
	case p.probe:
		if m.out--; m.out == 0 {
			m.is = breakerOpen
		}
	case v == verdictGood:
		m.ended = append(m.ended, ended{now, false})
	case v == verdictBad:
		m.ended = append(m.ended, ended{now, true})
		good, bad := 0, 0
		for _, e := range m.ended {
			switch {
			case e.at/time.Second <= now/time.Second-10: // seconds of the clock
			case e.bad:
				bad++
			default:
				good++
			}
		}
		if m.hopeless(now) || (bad >= 20 && bad >= good) {
			m.open(now)
		}
	}
}

type issued struct {
	permit breakerPermit
	epoch  int
	probe  bool
}

// bubbled hides that t has a deadline, which must not be asked for in a bubble.
type bubbled struct{ testing.TB }

func TestN10_BreakerDoesWhatTheNaiveOneDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubbled{t}, func(t *rapid.T) {
			b, m := newBreaker(nil), &naive{}
			begun := b.begun
			var out []issued
			gaps := rapid.SampledFrom([]time.Duration{10 * time.Millisecond, 100 * time.Millisecond, 700 * time.Millisecond, 12 * time.Second})
			verdicts := rapid.SampledFrom([]verdict{verdictNone, verdictGood, verdictBad, verdictBad, verdictBad, verdictBad, verdictBad, verdictBad})
			t.Repeat(map[string]func(*rapid.T){
				"time passes": func(t *rapid.T) {
					time.Sleep(time.Duration(rapid.Int64Range(0, int64(gaps.Draw(t, "gap"))).Draw(t, "ns")))
				},
				"acquire": func(t *rapid.T) {
					now := time.Since(begun)
					permit, wait, ok := b.acquire()
					wantOK, probe := m.acquire(now)
					require.Equal(t, wantOK, ok)
					if !ok {
						require.Equal(t, m.next-now, wait)
						return
					}
					out = append(out, issued{permit, m.epoch, probe})
				},
				"settle": func(t *rapid.T) {
					if len(out) == 0 {
						t.Skip("none is out")
					}
					i := rapid.IntRange(0, len(out)-1).Draw(t, "which")
					v := verdicts.Draw(t, "verdict")
					now := time.Since(begun)
					out[i].permit.settle(v)
					m.settle(now, out[i], v)
					out = append(out[:i], out[i+1:]...)
				},
				"call": func(t *rapid.T) {
					v := verdicts.Draw(t, "verdict")
					for range rapid.IntRange(1, 8).Draw(t, "times") {
						permit, _, ok := b.acquire()
						wantOK, probe := m.acquire(time.Since(begun))
						require.Equal(t, wantOK, ok)
						permit.settle(v)
						if ok {
							m.settle(time.Since(begun), issued{permit, m.epoch, probe}, v)
						}
					}
				},
				"": func(t *rapid.T) { require.Equal(t, m.is, b.state()) },
			})
		})
	})
}

func BenchmarkBreaker(b *testing.B) {
	b.Run("acquire and settle", func(b *testing.B) {
		b.ReportAllocs()
		br := newBreaker(nil)
		for b.Loop() {
			permit, _, _ := br.acquire()
			permit.settle(verdictGood)
		}
	})
	b.Run("refused", func(b *testing.B) {
		b.ReportAllocs()
		br := newBreaker(nil)
		attempts(br, 20, 0, verdictBad)
		for b.Loop() {
			_, _, _ = br.acquire()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		br := newBreaker(nil)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				permit, _, _ := br.acquire()
				permit.settle(verdictGood)
			}
		})
	})
}

// Half of the calls is the line: nine bad of each twenty are not enough.
func TestN10_FewerBadThanGoodIsNoReasonToOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(nil)
		for i := range 400 {
			permit, _, ok := b.acquire()
			require.True(t, ok)
			if i%20 >= 11 {
				permit.settle(verdictBad)
			} else {
				permit.settle(verdictGood)
			}
		}
		assert.Equal(t, breakerClosed, b.state())
	})
}

// An upstream that answers reads just before they would be cut is about to fail.
// A write may take its time.
func TestN10_SlowReadsCountAndSlowWritesDoNot(t *testing.T) {
	t.Parallel()
	for access, want := range map[commerce.Access]breakerState{commerce.Read: breakerOpen, commerce.Write: breakerClosed} {
		synctest.Test(t, func(t *testing.T) {
			c := over(t, Config{}, &answering{takes: func(int64) (time.Duration, int, error) { return 1600 * time.Millisecond, http.StatusOK, nil }})
			traits := readTraits
			traits.Access = access
			var all sync.WaitGroup
			for range breakerLeast {
				all.Go(func() {
					_, err := do(t, c, traits, get("x"))
					assert.NoError(t, err)
				})
			}
			all.Wait()
			assert.Equal(t, want, c.operationOf(traits.Operation, "").breaker.state())
		})
	}
}
