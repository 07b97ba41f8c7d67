package transport

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// erratic is an upstream in memory that does anything but keep time. It notes
// when attempts begin and end, and what they were told of their time.
type erratic struct {
	mu     sync.Mutex
	random *rand.Rand
	seen   []sighting
}

type sighting struct {
	began, ended time.Time
	deadline     time.Time // of the attempt's context
	told         time.Duration
}

func (u *erratic) RoundTrip(req *http.Request) (*http.Response, error) {
	u.mu.Lock()
	takes := time.Duration(u.random.ExpFloat64() * float64(40*time.Millisecond))
	status := []int{200, 200, 200, 404, 429, 502, 503, 500}[u.random.IntN(8)]
	asks := strconv.Itoa(u.random.IntN(3))
	u.mu.Unlock()

	ms, err := strconv.ParseInt(req.Header.Get(timeoutHeader), 10, 64)
	if err != nil {
		return nil, err
	}
	at := sighting{began: time.Now(), told: time.Duration(ms) * time.Millisecond}
	at.deadline, _ = req.Context().Deadline()
	select {
	case <-time.After(takes):
	case <-req.Context().Done():
	}
	at.ended = time.Now()
	u.mu.Lock()
	u.seen = append(u.seen, at)
	u.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	header := http.Header{"Retry-After": {asks}}
	return (&script{steps: []step{{status: status, header: header, body: "{}"}}}).RoundTrip(req)
}

// 10,000 calls with random budgets, a few at a time, retried, hedged and queued:
// no attempt begins without time for it, none outlives its deadline, and no caller
// gets its answer late.
func TestN6_NothingOutlivesItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &erratic{random: rand.New(rand.NewPCG(6, 6))}
		c := over(t, Config{AttemptTimeout: 300 * time.Millisecond, MaxConcurrent: 10}, upstream)
		var wg sync.WaitGroup
		for i := range 10_000 {
			time.Sleep(3 * time.Millisecond)
			allowed := time.Duration(i%400) * time.Millisecond
			if i%17 == 0 {
				allowed = time.Hour
			}
			traits := readTraits
			traits.Operation = commerce.Operation("operation." + strconv.Itoa(i/100%50)) // breakers stay out of it
			wg.Go(func() {
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), allowed)
				defer cancel()
				_, _ = c.Do(ctx, traits, get("x"))
				end, _ := ctx.Deadline()
				assert.LessOrEqual(t, time.Since(begun), max(0, min(time.Until(end)+time.Since(begun)-deadlineMargin, defaultTimeout)))
			})
		}
		wg.Wait()
		require.Greater(t, len(upstream.seen), 3000)
		for _, at := range upstream.seen {
			left := at.deadline.Sub(at.began)
			require.GreaterOrEqual(t, left, leastAttempt, "it began with time for it")
			require.LessOrEqual(t, left, 300*time.Millisecond)
			require.False(t, at.ended.After(at.deadline))
			require.LessOrEqual(t, at.told, left, "the upstream is never promised more than there is")
			require.Greater(t, at.told, left-2*time.Millisecond)
		}
	})
}

// An attempt that has less time than the operation's median is not begun: not as
// the first, not as a retry, not after a wait in the queue.
func TestN6_NoAttemptBeginsWithoutTheUpstreamsUsualTime(t *testing.T) {
	t.Parallel()
	within := func(t *testing.T, d time.Duration) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		t.Cleanup(cancel)
		return ctx
	}
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: func(int64) (time.Duration, int, error) { return 200 * time.Millisecond, http.StatusOK, nil }}
		c := over(t, Config{NoHedge: true}, upstream)
		warm(t, c, 50)

		begun := time.Now()
		_, err := c.Do(within(t, 150*time.Millisecond), readTraits, get("x"))
		require.ErrorIs(t, err, commerce.ErrTimeout)
		assert.Equal(t, commerce.ReasonTimeout, callError(t, err).Reason)
		assert.Zero(t, time.Since(begun), "at once: the time is better spent on another answer")
		assert.EqualValues(t, 50, upstream.calls.Load())

		_, err = c.Do(within(t, 150*time.Millisecond), commerce.Traits{Operation: readTraits.Operation}, post("{}", "x"))
		require.ErrorIs(t, err, commerce.ErrTimeout)
		require.NotErrorIs(t, err, commerce.ErrOutcomeUnknown, "a write that was not begun did not happen")

		_, err = c.Do(within(t, 250*time.Millisecond), readTraits, get("x"))
		require.NoError(t, err)

		other := readTraits
		other.Operation = commerce.OpPrices
		_, err = c.Do(within(t, 150*time.Millisecond), other, get("x"))
		require.ErrorIs(t, err, commerce.ErrTimeout)
		assert.EqualValues(t, 52, upstream.calls.Load(), "nothing is known of another operation")
	})
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: func(n int64) (time.Duration, int, error) {
			if n > 50 {
				return time.Millisecond, http.StatusServiceUnavailable, nil
			}
			return 200 * time.Millisecond, http.StatusOK, nil
		}}
		c := over(t, Config{NoHedge: true}, upstream)
		warm(t, c, 50)
		_, err := c.Do(within(t, 212*time.Millisecond), readTraits, get("x"))
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.EqualValues(t, 51, upstream.calls.Load(), "a retry would have less than the median")
	})
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: func(int64) (time.Duration, int, error) { return 200 * time.Millisecond, http.StatusOK, nil }}
		c := over(t, Config{NoHedge: true, MaxConcurrent: 1}, upstream)
		warm(t, c, 50)
		go func() { _, _ = c.Do(t.Context(), readTraits, get("x")) }()
		synctest.Wait()
		_, err := c.Do(within(t, 300*time.Millisecond), readTraits, get("x"))
		require.ErrorIs(t, err, commerce.ErrTimeout)
		assert.EqualValues(t, 51, upstream.calls.Load(), "its time went by in the queue")
	})
}

// What was learned of a slow spell is forgotten, so that nobody is locked out for good.
func TestN6_TheUsualTimeIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		takes := 900 * time.Millisecond
		upstream := &answering{takes: func(int64) (time.Duration, int, error) { return takes, http.StatusOK, nil }}
		c := over(t, Config{NoHedge: true}, upstream)
		warm(t, c, 50)
		takes = 10 * time.Millisecond
		ask := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_, err := c.Do(ctx, readTraits, get("x"))
			return err
		}
		require.ErrorIs(t, ask(), commerce.ErrTimeout)
		time.Sleep(20 * time.Second)
		require.NoError(t, ask())
	})
}
