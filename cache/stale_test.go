package cache

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// numbered answers the number of the call in the product's name.
func numbered(call int, sku commerce.SKU) *commerce.Product {
	return &commerce.Product{SKU: sku, Name: fmt.Sprint(call)}
}

// expired is a warm cache whose only entry is stale and past revalidation.
func expired(t *testing.T, upstream *source) (*Cache, commerce.Catalog) {
	t.Helper()
	c := newCache(t, Config{})
	port := over(c, upstream)
	_, at, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	require.Equal(t, commerce.StateFresh, at.State)
	p := policies[commerce.OpProducts]
	time.Sleep(p.Fresh + p.StaleWhileRevalidate)
	return c, port
}

func TestLifeOfAnEntry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := policies[commerce.OpProducts]
		upstream := &source{value: numbered}
		c := newCache(t, Config{})
		port := over(c, upstream)
		step := func(wait time.Duration, name string, state commerce.State, calls int) commerce.Source {
			t.Helper()
			time.Sleep(wait)
			got, at, err := ask(t.Context(), port, "A")
			require.NoError(t, err)
			assert.Equal(t, name, got.Name)
			assert.Equal(t, state, at.State)
			synctest.Wait() // what was started in the background ends
			assert.Equal(t, calls, upstream.count())
			return at
		}
		step(0, "1", commerce.StateFresh, 1)
		at := step(time.Minute, "1", commerce.StateFresh, 1)
		assert.Equal(t, time.Minute, at.Age)
		// Past the last of the spread lifetimes it is answered stale and loaded anew.
		step(p.Fresh-time.Minute, "1", commerce.StateStale, 2)
		step(0, "2", commerce.StateFresh, 2)
		// Past revalidation it is waited for.
		step(p.Fresh+p.StaleWhileRevalidate, "3", commerce.StateFresh, 3)
		// Past everything it is gone.
		upstream.set(func(s *source) { s.err = errDown })
		time.Sleep(p.life())
		_, at, err := ask(t.Context(), port, "A")
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.Equal(t, commerce.StateMissing, at.State)
		assert.Equal(t, commerce.ReasonUnavailable, at.Reason)
		assert.Equal(t, 7*time.Second, at.RetryAfter)
	})
}

func TestC5_StaleWhileTheSystemFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{value: numbered}
		_, port := expired(t, upstream)
		upstream.set(func(s *source) { s.err, s.takes = errDown, time.Millisecond })
		before := upstream.count()
		const rps, seconds = 500, 60
		for range rps * seconds {
			begun := time.Now()
			p, at, err := ask(t.Context(), port, "A")
			require.NoError(t, err)
			require.Equal(t, "1", p.Name)
			require.Equal(t, commerce.StateStale, at.State)
			require.Equal(t, commerce.ReasonUnavailable, at.Reason)
			require.Equal(t, 7*time.Second, at.RetryAfter)
			require.LessOrEqual(t, time.Since(begun), softTimeout+5*time.Millisecond)
			time.Sleep(time.Second/rps - time.Since(begun))
		}
		assert.LessOrEqual(t, upstream.count()-before, seconds/5)

		upstream.set(func(s *source) { s.err = nil })
		time.Sleep(maxHold)
		_, at, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		assert.Equal(t, commerce.StateFresh, at.State, "it heals by itself")
	})
}

func TestC6_SoftAndHardTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{value: numbered}
		_, port := expired(t, upstream)
		upstream.set(func(s *source) { s.takes = 3 * time.Second })

		begun := time.Now()
		p, at, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		assert.Equal(t, "1", p.Name)
		assert.Equal(t, commerce.StateStale, at.State)
		assert.Equal(t, commerce.ReasonTimeout, at.Reason)
		assert.Equal(t, softTimeout, time.Since(begun))

		begun = time.Now()
		_, at, err = ask(t.Context(), port, "A")
		require.NoError(t, err)
		assert.Equal(t, commerce.StateStale, at.State)
		assert.Zero(t, time.Since(begun), "who joins a slow load late does not wait for it anew")

		begun = time.Now()
		_, at, err = ask(t.Context(), port, "B")
		require.ErrorIs(t, err, commerce.ErrTimeout)
		assert.Equal(t, commerce.StateMissing, at.State)
		assert.Equal(t, defaultHardTimeout, time.Since(begun))

		time.Sleep(3 * time.Second) // the late values were kept
		for sku, name := range map[commerce.SKU]string{"A": "2", "B": "3"} {
			p, at, err = ask(t.Context(), port, sku)
			require.NoError(t, err)
			assert.Equal(t, name, p.Name)
			assert.Equal(t, commerce.StateFresh, at.State)
		}
		assert.Equal(t, 3, upstream.count())
	})
}

func TestC6_ALoadThatNeverEndsIsEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{takes: time.Hour}
		port := over(newCache(t, Config{}), upstream)
		_, _, err := ask(t.Context(), port, "A")
		require.ErrorIs(t, err, commerce.ErrTimeout)
		time.Sleep(loadTimeout)
		upstream.set(func(s *source) { s.takes = 0 })
		_, _, err = ask(t.Context(), port, "A")
		require.NoError(t, err)
	})
}

func TestStaleIsNoAnswerToWrongInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{value: numbered}
		_, port := expired(t, upstream)
		upstream.set(func(s *source) { s.err = &commerce.InputError{Field: "sku", Code: commerce.CodeInvalid} })
		_, _, err := ask(t.Context(), port, "A")
		require.ErrorIs(t, err, commerce.ErrInvalid)
	})
}

func TestUnknownKeysAreRememberedBriefly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{value: func(int, commerce.SKU) *commerce.Product { return nil }}
		port := over(newCache(t, Config{}), upstream)
		for range 100 {
			p, _, err := ask(t.Context(), port, "A")
			require.NoError(t, err)
			require.Nil(t, p)
		}
		assert.Equal(t, 1, upstream.count())
		time.Sleep(maxNegative)
		upstream.set(func(s *source) { s.value = numbered })
		p, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		require.NotNil(t, p)
		upstream.set(func(s *source) { s.value = func(int, commerce.SKU) *commerce.Product { return nil } })
		time.Sleep(policies[commerce.OpProducts].life())
		p, _, err = ask(t.Context(), port, "A")
		require.NoError(t, err)
		require.Nil(t, p, "what was unpublished is not answered from before")
	})
}

// 20 requests a second over 100 lifetimes: nobody
// waits after the first load, and ahead-of-time loads are few.
func TestHotKeysAreRefreshedAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := policies[commerce.OpAvailability] // nothing stale is answered while it is loaded
		upstream := &stockSource{source{takes: 20 * time.Millisecond}}
		c := newCache(t, Config{})
		port := c.Wrap(commerce.Ports{Inventory: upstream, Traits: publicTraits(commerce.OpAvailability)}).Inventory
		_, err := port.Availability(t.Context(), us, []commerce.SKU{"A"})
		require.NoError(t, err)
		end := time.Now().Add(100 * p.Fresh)
		for time.Now().Before(end) {
			begun := time.Now()
			ctx, sink := commerce.WithSink(t.Context())
			_, err := port.Availability(ctx, us, []commerce.SKU{"A"})
			require.NoError(t, err)
			require.Equal(t, commerce.StateFresh, sink.Sources()[0].State)
			require.Zero(t, time.Since(begun))
			time.Sleep(50 * time.Millisecond)
		}
		assert.LessOrEqual(t, upstream.count(), 105)
	})
}

// C10: ten thousand keys that are loaded at a time, in calls of any size, do not expire
// at a time; those of one call do.
func TestC10_LifetimesAreSpread(t *testing.T) {
	t.Parallel()
	p := Policy{Fresh: time.Minute}
	now := time.Now()
	for _, size := range []int{1, 24, oneLife, 10_000} {
		c := &Cache{phases: newPhases()}
		expiring, lives := map[int64]int{}, map[time.Duration]bool{}
		for at := 0; at < 10_000; at += size {
			call := &load{cache: c}
			for range min(size, 10_000-at) {
				fresh := newEntry("v", now, p).apart(call.nextPhase(0)).fresh
				expiring[int64(fresh/time.Second)]++
				lives[fresh] = true
			}
		}
		assert.GreaterOrEqual(t, len(expiring), 12, "calls of %d", size)
		assert.Len(t, lives, (10_000+min(size, oneLife)-1)/min(size, oneLife), "calls of %d", size)
		for second, n := range expiring {
			assert.LessOrEqual(t, n, 1200, "second %d, calls of %d", second, size)
			assert.LessOrEqual(t, second, int64(60))
			assert.GreaterOrEqual(t, second, int64(48))
		}
	}
}

// An entry ends a little before its neighbors, so that they are not all loaded at
// once. Without stale-while-revalidate it is loaded then, and not called stale
// while its system is well.
func TestAHealthySystemsAnswersAreNotStaleBecauseLifetimesDiffer(t *testing.T) {
	t.Parallel()
	policy, phases := policies[commerce.OpAvailability], newPhases()
	now := time.Now()
	for range 1000 {
		e := newEntry(nil, now, policy).apart(phases.next())
		own := span{until: e.fresh}
		assert.Equal(t, fallback, policy.judge(e, own, now.Add(e.fresh)), "good for nothing but an outage")
		assert.Equal(t, useless, policy.judge(e, own, now.Add(policy.life())))
	}
}
