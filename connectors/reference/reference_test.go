package reference_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = fmt.Errorf("odoo: %w", commerce.ErrUnavailable)

// source counts what it is asked and knows every key but those that begin with "no".
type source struct {
	calls atomic.Int64
	keys  atomic.Int64
}

func (s *source) one(_ context.Context, key string) (string, error) {
	s.calls.Add(1)
	return "value of " + key, nil
}

func (s *source) all(_ context.Context, keys []string) (map[string]string, error) {
	s.calls.Add(1)
	s.keys.Add(int64(len(keys)))
	values := map[string]string{}
	for _, key := range keys {
		if key[:2] != "no" {
			values[key] = "value of " + key
		}
	}
	return values, nil
}

func TestValuesLiveForTheirTTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := reference.New[string, string](reference.Config{Name: "test", TTL: time.Minute})
		src := &source{}
		for range 4 {
			value, err := cache.Get(t.Context(), "a1", src.one)
			require.NoError(t, err)
			assert.Equal(t, "value of a1", value)
			time.Sleep(29 * time.Second)
		}
		assert.EqualValues(t, 2, src.calls.Load(), "loaded at 0 s, used at 29 s and 58 s, gone at 87 s")
	})
}

func TestAbsenceIsForgottenAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := reference.New[string, string](reference.Config{Name: "test", TTL: time.Hour})
		src := &source{}
		ask := func() map[string]string {
			got, err := cache.GetAll(t.Context(), []string{"a1", "no1", "a1", "no2"}, src.all)
			require.NoError(t, err)
			return got
		}
		assert.Equal(t, map[string]string{"a1": "value of a1"}, ask())
		time.Sleep(reference.MaxNegative - time.Nanosecond)
		ask()
		assert.EqualValues(t, 1, src.calls.Load())
		time.Sleep(time.Nanosecond)
		ask()
		assert.EqualValues(t, 2, src.calls.Load())
		assert.EqualValues(t, 5, src.keys.Load(), "three distinct keys, then the two absent ones again")
	})
}

func TestGetRemembersNotFoundAndNoOtherError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		err   error
		calls int64
	}{
		{"not found", fmt.Errorf("partner: %w", commerce.ErrNotFound), 1},
		{"down", errDown, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cache := reference.New[string, string](reference.Config{Name: "test"})
			var calls atomic.Int64
			for range 3 {
				_, err := cache.Get(t.Context(), "a", func(context.Context, string) (string, error) {
					calls.Add(1)
					return "", c.err
				})
				require.Equal(t, commerce.KindOf(c.err), commerce.KindOf(err))
			}
			assert.Equal(t, c.calls, calls.Load())
		})
	}
}

func TestOneFlightForAllWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := reference.New[string, string](reference.Config{Name: "test"})
		src := &source{}
		slow := func(ctx context.Context, keys []string) (map[string]string, error) {
			time.Sleep(time.Second)
			return src.all(ctx, keys)
		}
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				keys := []string{"shared", "own" + strconv.Itoa(i)}
				got, err := cache.GetAll(t.Context(), keys, slow)
				assert.NoError(t, err)
				assert.ElementsMatch(t, keys, slices.Collect(maps.Keys(got)))
			})
		}
		wg.Wait()
		assert.EqualValues(t, 51, src.keys.Load())
	})
}

func TestLeaderLeavesAndWaitersStay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := reference.New[string, string](reference.Config{Name: "test"})
		type secret struct{}
		leader, leave := context.WithCancel(context.WithValue(t.Context(), secret{}, "the leader's"))
		load := func(ctx context.Context, key string) (string, error) {
			assert.Nil(t, ctx.Value(secret{}), "a flight carries nothing of its leader")
			time.Sleep(time.Second)
			return "value of " + key, ctx.Err()
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := cache.Get(leader, "a", load)
			assert.Equal(t, context.Canceled, err, "cancellation passes unchanged")
		})
		synctest.Wait()
		wg.Go(func() {
			value, err := cache.Get(t.Context(), "a", load)
			assert.NoError(t, err)
			assert.Equal(t, "value of a", value)
		})
		synctest.Wait()
		leave()
		wg.Wait()
	})
}

func TestEachWaiterHasItsOwnDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := reference.New[string, string](reference.Config{Name: "test", LoadTimeout: 3 * time.Second})
		stuck := func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		begun := time.Now()
		var wg sync.WaitGroup
		for _, patience := range []time.Duration{time.Second, 2 * time.Second, time.Minute} {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				_, err := cache.Get(ctx, "a", stuck)
				assert.ErrorIs(t, err, commerce.ErrTimeout)
				assert.Equal(t, min(patience, 3*time.Second), time.Since(begun))
			})
		}
		wg.Wait()
	})
}

func TestSomeKeysFail(t *testing.T) {
	t.Parallel()
	cache := reference.New[string, int](reference.Config{Name: "test"})
	calls := 0
	load := func(_ context.Context, keys []string) (map[string]int, error) {
		calls++
		if calls > 1 {
			return map[string]int{"c": 3}, nil
		}
		assert.ElementsMatch(t, []string{"a", "b", "c"}, keys)
		return map[string]int{"a": 1}, &commerce.BatchError[string]{Errs: map[string]error{"c": errDown}}
	}
	got, err := cache.GetAll(t.Context(), []string{"a", "b", "c"}, load)
	assert.Equal(t, map[string]int{"a": 1}, got)
	require.ErrorIs(t, commerce.KeyError(err, "c"), commerce.ErrUnavailable)
	require.NoError(t, commerce.KeyError(err, "b"), "b was asked and does not exist")

	got, err = cache.GetAll(t.Context(), []string{"a", "b", "c"}, load)
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"a": 1, "c": 3}, got)
	assert.Equal(t, 2, calls)
}

func TestPanicIsAnErrorForEveryWaiter(t *testing.T) {
	t.Parallel()
	cache := reference.New[string, int](reference.Config{Name: "test"})
	_, err := cache.Get(t.Context(), "a", func(context.Context, string) (int, error) { panic("boom") })
	require.ErrorContains(t, err, "boom")
	value, err := cache.Get(t.Context(), "a", func(context.Context, string) (int, error) { return 7, nil })
	require.NoError(t, err)
	assert.Equal(t, 7, value)
}

func TestBounded(t *testing.T) {
	t.Parallel()
	cache := reference.New[int, int](reference.Config{Name: "test", MaxEntries: 100})
	reloaded := 0
	load := func(_ context.Context, key int) (int, error) {
		reloaded++
		return key, nil
	}
	for i := range 10_000 {
		_, err := cache.Get(t.Context(), i, load)
		require.NoError(t, err)
	}
	reloaded = 0
	require.Eventually(t, func() bool {
		for i := range 10_000 {
			if _, err := cache.Get(t.Context(), i, load); err != nil {
				return false
			}
		}
		return reloaded > 9_000
	}, 10*time.Second, time.Millisecond)
}

func TestForget(t *testing.T) {
	t.Parallel()
	cache := reference.New[string, string](reference.Config{Name: "test"})
	src := &source{}
	for range 2 {
		_, err := cache.Get(t.Context(), "a1", src.one)
		require.NoError(t, err)
		cache.Forget("a1")
	}
	assert.EqualValues(t, 2, src.calls.Load())
}

func TestAContextThatIsOverLoadsNothing(t *testing.T) {
	t.Parallel()
	cache := reference.New[string, string](reference.Config{Name: "test"})
	src := &source{}
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := cache.Get(dead, "a1", src.one)
	require.Equal(t, context.Canceled, err)
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	_, err = cache.Get(late, "a1", src.one)
	require.ErrorIs(t, err, commerce.ErrTimeout)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Zero(t, src.calls.Load())
}

func ExampleCache_GetAll() {
	ids := reference.New[commerce.SKU, int](reference.Config{Name: "product ids", TTL: time.Minute})
	load := func(_ context.Context, skus []commerce.SKU) (map[commerce.SKU]int, error) {
		fmt.Println("asking for", len(skus))
		return map[commerce.SKU]int{"BK-M68B-38": 42}, nil
	}
	for range 2 {
		found, err := ids.GetAll(context.Background(), []commerce.SKU{"BK-M68B-38", "nobody"}, load)
		fmt.Println(found, err)
	}
	// Output:
	// asking for 2
	// map[BK-M68B-38:42] <nil>
	// map[BK-M68B-38:42] <nil>
}

// What happened on the way of a shared load is on the trail of all who waited for
// it, and of nobody who came later.
func TestEveryWaiterIsToldWhatHappenedOnTheWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := reference.New[string, string](reference.Config{Name: "test"})
		load := func(ctx context.Context, keys []string) (map[string]string, error) {
			time.Sleep(time.Second)
			commerce.Mark(ctx, commerce.ReasonRetried)
			return map[string]string{keys[0]: "value"}, nil
		}
		ask := func() []commerce.Reason {
			ctx, trail := commerce.WithTrail(t.Context())
			_, err := cache.GetAll(ctx, []string{"a1"}, load)
			assert.NoError(t, err)
			return trail.Outcomes()
		}
		var waiters sync.WaitGroup
		for range 3 {
			waiters.Go(func() { assert.Equal(t, []commerce.Reason{commerce.ReasonRetried}, ask()) })
		}
		waiters.Wait()
		assert.Empty(t, ask())
	})
}
