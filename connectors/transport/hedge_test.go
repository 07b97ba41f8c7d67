package transport

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// answering is an upstream in memory that answers each attempt, counted from 1,
// after what takes says; it notes what became of attempts that were cancelled.
type answering struct {
	takes func(n int64) (time.Duration, int, error)

	calls     atomic.Int64
	mu        sync.Mutex
	cancelled []time.Time
}

func (u *answering) RoundTrip(req *http.Request) (*http.Response, error) {
	takes, status, err := u.takes(u.calls.Add(1))
	select {
	case <-time.After(takes):
	case <-req.Context().Done():
		u.mu.Lock()
		defer u.mu.Unlock()
		u.cancelled = append(u.cancelled, time.Now())
		return nil, req.Context().Err()
	}
	if err != nil {
		return nil, err
	}
	return (&script{steps: []step{{status: status, body: "{}"}}}).RoundTrip(req)
}

// warm makes calls until the operation's p95 is known and hedges are earned.
func warm(t *testing.T, c *Client, calls int) {
	t.Helper()
	for range calls {
		_, err := do(t, c, readTraits, get("x"))
		require.NoError(t, err)
	}
}

// slowAfter answers in 20 ms, and each attempt after the first n in takes.
func slowAfter(n int64, takes time.Duration) func(int64) (time.Duration, int, error) {
	return func(i int64) (time.Duration, int, error) {
		if i == n+1 {
			return takes, http.StatusOK, nil
		}
		return 20 * time.Millisecond, http.StatusOK, nil
	}
}

func quantile(of []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// A hundredth of the calls takes a second: hedging cuts the tail, for few calls more.
func TestN11_TheTailIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 50_000
		random := rand.New(rand.NewPCG(11, 1))
		var mu sync.Mutex
		upstream := &answering{takes: func(int64) (time.Duration, int, error) {
			mu.Lock()
			defer mu.Unlock()
			if random.IntN(100) == 0 {
				return time.Second, http.StatusOK, nil
			}
			return 15*time.Millisecond + time.Duration(random.IntN(10_000))*time.Microsecond, http.StatusOK, nil
		}}
		c := over(t, Config{}, upstream)
		warm(t, c, 200)
		before := upstream.calls.Load()

		took := make([]time.Duration, calls)
		var wg sync.WaitGroup
		for i := range calls {
			time.Sleep(5 * time.Millisecond)
			wg.Go(func() {
				begun := time.Now()
				_, err := do(t, c, readTraits, get("x"))
				assert.NoError(t, err)
				took[i] = time.Since(begun)
			})
		}
		wg.Wait()
		extra := float64(upstream.calls.Load()-before-calls) / calls
		p95, p999 := quantile(took, 0.95), quantile(took, 0.999)
		t.Logf("p95 %v, p99.9 %v, %.2f %% extra calls", p95, p999, 100*extra)
		assert.LessOrEqual(t, p999, 3*p95)
		assert.LessOrEqual(t, extra, 0.05)
		assert.Greater(t, extra, 0.009, "every slow call was hedged")

		slow := over(t, Config{NoHedge: true}, &answering{takes: slowAfter(200, time.Second)})
		warm(t, slow, 200)
		begun := time.Now()
		warm(t, slow, 1)
		assert.Equal(t, time.Second, time.Since(begun), "without hedging the tail is what it was")
	})
}

func TestN11_TheLoserIsCancelledAtOnceAndTheTrailTells(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: slowAfter(100, 1500*time.Millisecond)}
		c := over(t, Config{}, upstream)
		warm(t, c, 100)
		ctx, trail := commerce.WithTrail(t.Context())
		begun := time.Now()
		_, err := c.Do(ctx, readTraits, get("x"))
		require.NoError(t, err)
		answered := time.Now()
		assert.Less(t, answered.Sub(begun), 60*time.Millisecond)
		assert.Equal(t, []commerce.Reason{commerce.ReasonHedged}, trail.Outcomes())
		require.Len(t, upstream.cancelled, 1)
		assert.LessOrEqual(t, upstream.cancelled[0].Sub(answered).Abs(), 10*time.Millisecond)
		assert.EqualValues(t, 102, upstream.calls.Load())
	})
}

// What a hedge would need and does not get.
func TestN11_WhoIsNotHedged(t *testing.T) {
	t.Parallel()
	write := writeTraits
	write.Operation = readTraits.Operation
	for name, tc := range map[string]struct {
		cfg    Config
		traits commerce.Traits
		before func(c *Client)
	}{
		"a write":                    {traits: write},
		"when it is switched off":    {cfg: Config{NoHedge: true}, traits: readTraits},
		"a spent retry budget":       {traits: readTraits, before: func(c *Client) { c.budget.add(budgetFloor - budgetTokens) }},
		"no allowance left":          {traits: readTraits, before: func(c *Client) { c.hedges.tokens = 0.5 }},
		"a breaker that is not shut": {traits: readTraits, before: halfOpen},
		"a full bulkhead":            {cfg: Config{MaxConcurrent: 1}, traits: readTraits},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				upstream := &answering{takes: slowAfter(100, time.Second)}
				c := over(t, tc.cfg, upstream)
				warm(t, c, 100)
				if tc.before != nil {
					tc.before(c)
				}
				begun := time.Now()
				ctx, trail := commerce.WithTrail(t.Context())
				_, err := c.Do(ctx, tc.traits, get("x"))
				require.NoError(t, err)
				assert.Equal(t, time.Second, time.Since(begun))
				assert.EqualValues(t, 101, upstream.calls.Load())
				assert.Empty(t, trail.Outcomes(), "what was not sent is not told")
			})
		})
	}
	t.Run("fewer samples than a tail needs", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			upstream := &answering{takes: slowAfter(hedgeSamples-1, time.Second)}
			c := over(t, Config{}, upstream)
			c.hedges.tokens = hedgeBurst
			warm(t, c, hedgeSamples)
			assert.EqualValues(t, hedgeSamples, upstream.calls.Load())
		})
	})
}

// halfOpen opens the breaker and lets its probe be the next attempt.
func halfOpen(c *Client) {
	b := c.operationOf(readTraits.Operation, "").breaker
	for range breakerLeast * 20 {
		permit, _, _ := b.acquire()
		permit.settle(verdictBad)
	}
	time.Sleep(probeEvery)
}

// A hedge rescues an attempt that fails; an attempt outlives a hedge that fails.
func TestN11_EitherAttemptMayBringTheAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		first, second func() (time.Duration, int, error)
		within        time.Duration
	}{
		"the first fails late": {
			first:  func() (time.Duration, int, error) { return 40 * time.Millisecond, 0, errors.New("reset") },
			second: func() (time.Duration, int, error) { return 20 * time.Millisecond, http.StatusOK, nil },
			within: 60 * time.Millisecond,
		},
		"the hedge fails": {
			first:  func() (time.Duration, int, error) { return 200 * time.Millisecond, http.StatusOK, nil },
			second: func() (time.Duration, int, error) { return time.Millisecond, http.StatusServiceUnavailable, nil },
			within: 200 * time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				upstream := &answering{}
				upstream.takes = func(n int64) (time.Duration, int, error) {
					switch n {
					case 101:
						return tc.first()
					case 102:
						return tc.second()
					default:
						return 20 * time.Millisecond, http.StatusOK, nil
					}
				}
				c := over(t, Config{}, upstream)
				warm(t, c, 100)
				begun := time.Now()
				_, err := do(t, c, readTraits, get("x"))
				require.NoError(t, err)
				assert.LessOrEqual(t, time.Since(begun), tc.within)
				assert.EqualValues(t, 102, upstream.calls.Load())
			})
		})
	}
}

// The caller who leaves takes both attempts along.
func TestN11_BothAttemptsEndWithTheCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: func(n int64) (time.Duration, int, error) {
			if n > 100 {
				return time.Minute, http.StatusOK, nil
			}
			return 20 * time.Millisecond, http.StatusOK, nil
		}}
		c := over(t, Config{}, upstream)
		warm(t, c, 100)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		begun := time.Now()
		_, err := c.Do(ctx, readTraits, get("x"))
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 100*time.Millisecond, time.Since(begun))
		assert.Len(t, upstream.cancelled, 2)
		assert.EqualValues(t, 102, upstream.calls.Load())
	})
}

// A signer's panic in the second attempt is the caller's, who may recover from it.
func TestN11_APanicInAHedgeIsTheCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: slowAfter(100, time.Second)}
		c := over(t, Config{}, upstream)
		var signed atomic.Int64
		c.sign = func(*http.Request) error {
			if signed.Add(1) == 102 {
				panic("signing")
			}
			return nil
		}
		warm(t, c, 100)
		assert.PanicsWithError(t, "signing", func() {
			defer func() {
				if told, ok := recover().(*panicError); ok {
					panic(errors.New(told.value.(string)))
				}
			}()
			_, _ = do(t, c, readTraits, get("x"))
		})
		_, inFlight, _ := c.bulkhead.stats()
		assert.Zero(t, inFlight, "its slot is free")
	})
}

// The first attempt answers while its hedge is out: nobody waits for the hedge.
func TestN11_AHedgeThatLosesIsCancelledAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: func(n int64) (time.Duration, int, error) {
			switch n {
			case 101:
				return 60 * time.Millisecond, http.StatusOK, nil
			case 102:
				return time.Second, http.StatusOK, nil
			default:
				return 20 * time.Millisecond, http.StatusOK, nil
			}
		}}
		c := over(t, Config{}, upstream)
		warm(t, c, 100)
		begun := time.Now()
		warm(t, c, 1)
		assert.Equal(t, 60*time.Millisecond, time.Since(begun))
		assert.EqualValues(t, 102, upstream.calls.Load())
		require.Len(t, upstream.cancelled, 1)
		known, _ := c.operationOf(readTraits.Operation, "").recent.counts()
		assert.EqualValues(t, 102, known, "how long the loser had taken is known, too")
	})
}

// What takes single milliseconds is not asked for twice because of one or two more.
func TestN11_NoHedgeBeginsWithinTenMilliseconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: func(n int64) (time.Duration, int, error) {
			switch n {
			case 101:
				return 9 * time.Millisecond, http.StatusOK, nil
			case 102:
				return time.Second, http.StatusOK, nil
			default:
				return time.Millisecond, http.StatusOK, nil
			}
		}}
		c := over(t, Config{}, upstream)
		warm(t, c, 101)
		assert.EqualValues(t, 101, upstream.calls.Load())
		begun := time.Now()
		warm(t, c, 1)
		assert.Equal(t, 11*time.Millisecond, time.Since(begun))
		assert.EqualValues(t, 103, upstream.calls.Load())
	})
}

// Where all attempts take alike long, the latest of them get no company.
func TestN11_NoHedgeBeginsWhereAnswersTakeAlikeLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 2_000
		upstream := &answering{takes: func(n int64) (time.Duration, int, error) {
			if n == calls+1 {
				return time.Second, http.StatusOK, nil
			}
			return 40*time.Millisecond + time.Duration(n%12)*time.Millisecond, http.StatusOK, nil
		}}
		c := over(t, Config{}, upstream)
		warm(t, c, calls)
		assert.EqualValues(t, calls, upstream.calls.Load(), "the slowest take a quarter longer than the usual")

		begun := time.Now()
		warm(t, c, 1)
		assert.Less(t, time.Since(begun), 3*51*time.Millisecond, "who takes much longer gets it")
		assert.EqualValues(t, calls+2, upstream.calls.Load())
	})
}

// A process that is late itself waits longer before it asks twice.
func TestN11_OurOwnDelayIsNoReasonToHedge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: slowAfter(100, 35*time.Millisecond)}
		c := over(t, Config{}, upstream)
		warm(t, c, 100)
		for range delaySamples {
			c.bulkhead.limit.own.add(5 * time.Millisecond)
		}
		warm(t, c, 1)
		assert.EqualValues(t, 101, upstream.calls.Load(), "20 ms are usual, and another 15 our own")
	})
}

// A hedge takes a free place of the bulkhead or none.
func TestN11_AHedgeNeverWaitsForAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: slowAfter(100, time.Second)}
		c := over(t, Config{MaxConcurrent: 2}, upstream)
		warm(t, c, 100)
		require.True(t, c.bulkhead.tryAcquire())
		var others sync.WaitGroup
		others.Go(func() {
			time.Sleep(100 * time.Millisecond)
			c.bulkhead.release(voteNone)
		})
		warm(t, c, 1)
		others.Wait()
		assert.EqualValues(t, 101, upstream.calls.Load())
	})
}
