package cache

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// failedFor is a call that failed for a reason.
func failedFor(kind error, reason commerce.Reason) error {
	return &commerce.CallError{System: "pim", Operation: commerce.OpProducts, Kind: kind, Reason: reason}
}

// spoilt has every call fail that asks for the key "poison".
func spoilt(err error) func([]commerce.SKU) error {
	return func(skus []commerce.SKU) error {
		if slices.Contains(skus, "poison") {
			return err
		}
		return nil
	}
}

// Whatever error one key brings about, nobody else's page fails by it, and no more than
// one call in ten seconds is made for that.
func TestBoard_AKeyThatFailsWhatItIsAskedForWithFailsNobodyElse(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"nonsense":              failedFor(commerce.ErrUpstream, commerce.ReasonBadAnswer),
		"unavailable":           failedFor(commerce.ErrUnavailable, ""),
		"timeout":               failedFor(commerce.ErrTimeout, commerce.ReasonTimeout),
		"not retried":           failedFor(commerce.ErrUpstream, commerce.ReasonBudgetSpent),
		"refused as invalid":    failedFor(commerce.ErrInvalid, ""),
		"refused as forbidden":  failedFor(commerce.ErrForbidden, ""),
		"answered as not there": failedFor(commerce.ErrNotFound, ""),
		"anything else":         errors.New("fell over"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pim := &terminal{takes: 20 * time.Millisecond, fails: spoilt(failure)}
				port := over(boardingCache(t, Config{}), pim)
				look := func(from int, took time.Duration) {
					lists := append(pages(from, 7), []commerce.SKU{"poison"})
					for i, v := range boardAll(t.Context(), port, lists...) {
						if i == 7 {
							assert.ErrorIs(t, v.err, failure)
							continue
						}
						require.NoError(t, v.err)
						assert.Len(t, v.found, 1)
						assert.Equal(t, commerce.StateFresh, v.sources[0].State)
						assert.LessOrEqual(t, v.took, took)
					}
				}
				look(0, boarding+2*pim.takes)
				assert.Equal(t, []int{8, 1, 1, 1, 1, 1, 1, 1, 1}, pim.sizes(), "all at once, then each by itself")
				time.Sleep(apartFor - 3*pim.takes)
				look(10, pim.takes)
				assert.Equal(t, []int{1, 1, 1, 1, 1, 1, 1, 1}, pim.sizes(), "nobody boards")
				time.Sleep(3 * pim.takes)
				look(20, boarding+2*pim.takes)
				assert.Equal(t, []int{8, 1, 1, 1, 1, 1, 1, 1, 1}, pim.sizes(), "it is tried again")
			})
		})
	}
}

// An operation that does not board keeps no other from it.
func TestBoard_OtherOperationsGoOnBoarding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := boardingCache(t, Config{})
		spoiltPIM, pim := &terminal{fails: spoilt(errDown)}, &terminal{}
		boardAll(t.Context(), over(c, spoiltPIM), []commerce.SKU{"poison"}, []commerce.SKU{"A"})
		require.Equal(t, []int{2, 1, 1}, spoiltPIM.sizes())
		boardAll(t.Context(), over(c, pim), pages(0, 4)...)
		assert.Equal(t, []int{4}, pim.sizes())
	})
}

// What refuses everybody alike is not asked again.
func TestBoard_RefusalsAreNotAskedApart(t *testing.T) {
	t.Parallel()
	for _, reason := range []commerce.Reason{commerce.ReasonBreakerOpen, commerce.ReasonBulkheadFull, commerce.ReasonRateLimited} {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pim := &terminal{fails: func([]commerce.SKU) error { return failedFor(commerce.ErrUnavailable, reason) }}
				port := over(boardingCache(t, Config{}), pim)
				for range 2 {
					for _, v := range boardAll(t.Context(), port, pages(0, 4)...) {
						require.ErrorIs(t, v.err, commerce.ErrUnavailable)
						assert.Equal(t, reason, v.sources[0].Reason)
					}
					assert.Equal(t, []int{4}, pim.sizes())
				}
			})
		})
	}
}

// Nobody waits for another's key that is slow to fail, once it was asked for apart.
func TestBoard_WhatIsAskedApartDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pim := &terminal{takes: 10 * time.Millisecond, fails: spoilt(errDown), slow: func(skus []commerce.SKU) time.Duration {
			if len(skus) == 1 && skus[0] == "poison" {
				return 500 * time.Millisecond
			}
			return 0
		}}
		c := boardingCache(t, Config{})
		boarders := boardAll(t.Context(), over(c, pim), []commerce.SKU{"poison"}, []commerce.SKU{"A"}, []commerce.SKU{"B", "C"})
		assert.Equal(t, boarding+2*pim.takes+500*time.Millisecond, boarders[0].took)
		require.ErrorIs(t, boarders[0].err, commerce.ErrUnavailable)
		for _, v := range boarders[1:] {
			require.NoError(t, v.err)
			assert.Equal(t, boarding+2*pim.takes, v.took)
		}
		assert.Equal(t, [][]commerce.SKU{{"A"}, {"A", "B", "C", "poison"}, {"B", "C"}, {"poison"}}, pim.calls())
		for i, want := range []int{1, 1, 2} { // keys of the call that was made for each
			var keys []int
			boarders[i].sources[0].Wait.Trail.Visit(func(call *commerce.Call) { keys = append(keys, call.Keys) })
			assert.Equal(t, []int{want, 4}, keys, "who waits sees both calls, and no other's")
		}
	})
}

// Of what was asked for together only what failed is asked for again, and nobody who was
// answered waits for that.
func TestBoard_WhatWasAnsweredStands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pim := &terminal{fails: func(skus []commerce.SKU) error {
			if len(skus) < 4 || !slices.Contains(skus, "poison") {
				return nil
			}
			return &commerce.BatchError[commerce.SKU]{Errs: map[commerce.SKU]error{"poison": errDown, "A": errDown}}
		}, slow: func(skus []commerce.SKU) time.Duration {
			if len(skus) == 1 {
				return 300 * time.Millisecond
			}
			return 0
		}}
		boarders := boardAll(t.Context(), over(boardingCache(t, Config{}), pim), []commerce.SKU{"poison", "B"}, []commerce.SKU{"A"}, []commerce.SKU{"C", "D"})
		for i, took := range []time.Duration{boarding + 300*time.Millisecond, boarding + 300*time.Millisecond, boarding} {
			require.NoError(t, boarders[i].err)
			assert.Equal(t, took, boarders[i].took)
		}
		assert.Equal(t, [][]commerce.SKU{{"A"}, {"A", "B", "C", "D", "poison"}, {"poison"}}, pim.calls())
	})
}

// A single request fails as it is: nothing says that it would not do so again.
func TestBoard_WhoIsAloneIsAskedForOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pim := &terminal{fails: spoilt(errDown)}
		port := over(boardingCache(t, Config{}), pim)
		v := boardAll(t.Context(), port, []commerce.SKU{"poison", "A"})
		require.ErrorIs(t, v[0].err, commerce.ErrUnavailable)
		assert.Equal(t, []int{2}, pim.sizes())
		boardAll(t.Context(), port, pages(0, 3)...)
		assert.Equal(t, []int{3}, pim.sizes(), "and keeps nobody from boarding")
	})
}

// Nor does a key that has its load panic end others' pages.
func TestBoard_APanicFailsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pim := &terminal{fails: func(skus []commerce.SKU) error {
			if slices.Contains(skus, "poison") {
				panic("fell over")
			}
			return nil
		}}
		c := boardingCache(t, Config{})
		boarders := boardAll(t.Context(), over(c, pim), []commerce.SKU{"poison"}, []commerce.SKU{"A"}, []commerce.SKU{"B"})
		require.ErrorIs(t, boarders[0].err, errPanic)
		require.NoError(t, boarders[1].err)
		require.NoError(t, boarders[2].err)
		assert.Empty(t, c.flights.byKey)
	})
}

// A load's time is one for all: what is left of it when it fails is all there is.
func TestBoard_NothingIsAskedAfterALoadsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pim := &terminal{takes: 2 * loadTimeout}
		c := boardingCache(t, Config{})
		for _, v := range boardAll(t.Context(), over(c, pim), pages(0, 3)...) {
			require.ErrorIs(t, v.err, commerce.ErrTimeout)
			assert.Equal(t, defaultHardTimeout, v.took)
		}
		c.work.Wait()
		assert.Equal(t, []int{3}, pim.sizes())
	})
}

// Other processes are given each part as soon as it is there, with its leases.
func TestBoard_WhatIsAskedApartIsSharedApart(t *testing.T) {
	t.Parallel()
	inPair(t, func(t *testing.T, p *pair) {
		pim := &terminal{takes: 10 * time.Millisecond, fails: spoilt(errDown), slow: func(skus []commerce.SKU) time.Duration {
			if len(skus) == 1 && skus[0] == "poison" {
				return 800 * time.Millisecond
			}
			return 0
		}}
		p.a.pause = func() { time.Sleep(boarding) }
		here := make(chan []boarder, 1)
		go func() {
			here <- boardAll(t.Context(), over(p.a, pim), []commerce.SKU{"poison"}, []commerce.SKU{"A"}, []commerce.SKU{"B", "gone"})
		}()
		time.Sleep(10 * time.Millisecond) // its leases are its own
		begun := time.Now()
		there := boardAll(t.Context(), over(p.b, pim), []commerce.SKU{"A", "B"})
		require.NoError(t, there[0].err)
		assert.Less(t, time.Since(begun), 4*leaseLook+2*leasePlay)
		boarders := <-here
		require.ErrorIs(t, boarders[0].err, commerce.ErrUnavailable)
		require.NoError(t, boarders[1].err)
		require.NoError(t, boarders[2].err)
		p.a.work.Wait()
		p.b.work.Wait()
		assert.Equal(t, [][]commerce.SKU{{"A"}, {"A", "B", "gone", "poison"}, {"B", "gone"}, {"poison"}}, pim.calls(), "the other process made none")
		assert.Empty(t, leasesAt(p.redis), "given back")
	})
}
