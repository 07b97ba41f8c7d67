package reference_test

import (
	"context"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/schema/commerce"
)

// What is in use is read anew before its time is over, and nobody waits for that.
func TestW7_NobodyWaitsForWhatIsInUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := reference.New[string, int64](reference.Config{Name: "test", TTL: time.Minute, Ahead: 30 * time.Second})
		var loads atomic.Int64
		began := time.Now()
		for round := range 100 {
			asked := time.Now()
			value, err := cache.Get(t.Context(), "a", func(context.Context, string) (int64, error) {
				time.Sleep(5 * time.Second)
				return loads.Add(1), nil
			})
			require.NoError(t, err)
			if round > 0 {
				require.Zero(t, time.Since(asked), "after %s", time.Since(began))
			}
			read := int64(time.Since(began) / time.Minute)
			require.GreaterOrEqual(t, value, read, "what is given is a minute old at most")
			time.Sleep(3 * time.Second)
		}
		assert.LessOrEqual(t, loads.Load(), int64(10), "one load in each half of its time")
		synctest.Wait()
		time.Sleep(time.Minute)
	})
}

func TestALoadAheadThatFailsTakesNothingAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := reference.New[string, string](reference.Config{Name: "test", TTL: time.Minute, Ahead: 30 * time.Second})
		src := &source{}
		_, err := cache.Get(t.Context(), "a1", src.one)
		require.NoError(t, err)
		down := func(context.Context, string) (string, error) { return "", errDown }
		time.Sleep(40 * time.Second)
		for range 2 {
			value, err := cache.Get(t.Context(), "a1", down)
			require.NoError(t, err)
			assert.Equal(t, "value of a1", value)
			synctest.Wait()
		}
		time.Sleep(20 * time.Second)
		_, err = cache.Get(t.Context(), "a1", down)
		require.ErrorIs(t, err, commerce.ErrUnavailable, "its time is over")
	})
}

// What is known is there before anything that is loaded, and who asks is told what that is.
func TestWhatIsKnownIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &order{}
		cfg := kept(o)
		cfg.TTL = time.Minute
		cache, src := reference.New[string, string](cfg), &source{}
		_, err := cache.GetAll(t.Context(), []string{"a1", "a2", "no1"}, src.all)
		require.NoError(t, err)
		ask := func(keys ...string) (known, got map[string]string, waiting []string) {
			asked := cache.AskAll(t.Context(), keys, src.slowly)
			known, waiting = asked.Known()
			known = maps.Clone(known)
			got, err := asked.Values(t.Context())
			require.NoError(t, err)
			return known, got, waiting
		}
		both := map[string]string{"a1": "value of a1", "a2": "value of a2"}
		known, got, waiting := ask("a1", "a2", "no1", "no3")
		assert.Equal(t, both, known)
		assert.Equal(t, both, got)
		assert.Equal(t, []string{"no3"}, waiting, "no1 is known to be absent")
		o.strike("sku:a1")
		known, got, waiting = ask("a1", "a2")
		assert.Equal(t, map[string]string{"a2": "value of a2"}, known)
		assert.Equal(t, both, got)
		assert.Equal(t, []string{"a1"}, waiting)
		time.Sleep(time.Minute)
		known, _, waiting = ask("a1", "a2", "no1")
		assert.Empty(t, known)
		assert.Equal(t, []string{"a1", "a2", "no1"}, waiting)
		assert.EqualValues(t, 4, src.calls.Load())
	})
}
