package transport

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestBudgetIsTheTokenCountOfA6(t *testing.T) {
	t.Parallel()
	b := newBudget()
	require.True(t, b.allows())
	for range 9 {
		b.bad()
	}
	assert.True(t, b.allows(), "eleven of twenty are left")
	b.bad()
	assert.False(t, b.allows(), "half are left")
	b.good()
	assert.True(t, b.allows(), "a tenth of a token above half")
	for range 100 {
		b.bad()
	}
	assert.Zero(t, b.left())
	for range 1000 {
		b.good()
	}
	assert.InDelta(t, budgetTokens, b.left(), 1e-9)
}

// fivehundredRPS runs a minute of calls and counts the attempts that arrive. Each
// ten calls are another operation, so that no breaker helps the budget, unless
// sheltered.
func fiveHundredRPS(t *testing.T, takes time.Duration, sheltered bool) (calls, attempts int64) {
	t.Helper()
	upstream := &answering{takes: func(int64) (time.Duration, int, error) { return takes, http.StatusServiceUnavailable, nil }}
	c := over(t, Config{}, upstream)
	var wg sync.WaitGroup
	const total = 500 * 60
	for i := range total {
		time.Sleep(2 * time.Millisecond)
		traits := readTraits
		if !sheltered {
			traits.Operation = commerce.Operation(fmt.Sprint("operation.", i/10))
		}
		wg.Go(func() {
			_, err := do(t, c, traits, get("x"))
			assert.ErrorIs(t, err, commerce.ErrUnavailable)
		})
	}
	wg.Wait()
	return total, upstream.calls.Load()
}

func TestN2_FailuresAreNotMultiplied(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond} {
		t.Run(takes.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls, attempts := fiveHundredRPS(t, takes, false)
				t.Logf("%d calls, %d attempts", calls, attempts)
				assert.LessOrEqual(t, attempts, calls+calls/10+10)
				if takes == time.Millisecond {
					assert.Greater(t, attempts, calls, "every call was tried, some again")
				}
			})
			synctest.Test(t, func(t *testing.T) {
				_, attempts := fiveHundredRPS(t, takes, true)
				t.Logf("with the breaker: %d attempts", attempts)
				assert.LessOrEqual(t, attempts, int64(20+60+500), "those before it opened, and a probe a second")
			})
		})
	}
}

// A retry that the budget refuses says so, and keeps the kind of what failed.
func TestASpentBudgetIsTheReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for status, kind := range map[int]error{
			http.StatusServiceUnavailable: commerce.ErrUnavailable,
			http.StatusTooManyRequests:    commerce.ErrRateLimited,
		} {
			upstream := &script{steps: []step{{status: status}}}
			c := over(t, Config{}, upstream)
			c.budget.add(-budgetTokens)
			_, err := do(t, c, readTraits, get())
			failed := callError(t, err)
			require.ErrorIs(t, err, kind)
			assert.Equal(t, commerce.ReasonBudgetSpent, failed.Reason)
			assert.Len(t, upstream.seen, 1)

			// What nobody would have repeated was not refused by the budget.
			_, err = do(t, c, writeTraits, post("{}"))
			assert.NotEqual(t, commerce.ReasonBudgetSpent, callError(t, err).Reason)
		}
	})
}

// While fewer than one in ten attempts fail, every one of them is repeated.
func TestTheBudgetLastsWhileFewFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: func(n int64) (time.Duration, int, error) {
			if n%20 == 0 {
				return time.Millisecond, http.StatusBadGateway, nil
			}
			return time.Millisecond, http.StatusOK, nil
		}}
		c := over(t, Config{NoHedge: true}, upstream)
		for range 2000 {
			_, err := do(t, c, readTraits, get())
			require.NoError(t, err)
		}
		assert.InDelta(t, 2100, float64(upstream.calls.Load()), 10)
	})
}
