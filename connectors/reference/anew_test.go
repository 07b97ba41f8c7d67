package reference_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestLoadAllUsesNothingThatIsKeptAndKeepsWhatItLoads(t *testing.T) {
	t.Parallel()
	cache, src := reference.New[string, string](reference.Config{Name: "test"}), &source{}
	for range 3 {
		got, err := cache.LoadAll(t.Context(), []string{"a1", "no1", "a1"}, src.all)
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"a1": "value of a1"}, got)
	}
	assert.EqualValues(t, 3, src.calls.Load())
	assert.EqualValues(t, 6, src.keys.Load(), "each key once")
	got, err := cache.GetAll(t.Context(), []string{"a1", "no1"}, src.all)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a1": "value of a1"}, got)
	assert.EqualValues(t, 3, src.calls.Load(), "kept")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = cache.LoadAll(ctx, []string{"a1"}, src.all)
	require.ErrorIs(t, err, context.Canceled)
	assert.EqualValues(t, 3, src.calls.Load())
}

// slowly answers each load after a second.
func (s *source) slowly(ctx context.Context, keys []string) (map[string]string, error) {
	time.Sleep(time.Second)
	return s.all(ctx, keys)
}

func TestLoadAllJoinsWhatIsUnderWayAndIsJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache, src := reference.New[string, string](reference.Config{Name: "test"}), &source{}
		var all sync.WaitGroup
		for _, ask := range []func(context.Context, []string, func(context.Context, []string) (map[string]string, error)) (map[string]string, error){
			cache.GetAll, cache.LoadAll, cache.LoadAll, cache.GetAll,
		} {
			all.Go(func() {
				got, err := ask(t.Context(), []string{"a1"}, src.slowly)
				assert.NoError(t, err)
				assert.Equal(t, map[string]string{"a1": "value of a1"}, got)
			})
			time.Sleep(100 * time.Millisecond)
		}
		all.Wait()
		assert.EqualValues(t, 1, src.calls.Load())
	})
}

// A tag that says nothing about what is kept may still say that what is under way is too old
// for who needs it as it is now.
func TestC11_LoadAllJoinsNoLoadThatWasBegunBeforeItsInvalidation(t *testing.T) {
	t.Parallel()
	for tag, loads := range map[commerce.Tag]int64{"price:a1": 2, "op:prices": 2, "sku:a1": 2, "all": 2, "price:a2": 1, "stock:a1": 1} {
		synctest.Test(t, func(t *testing.T) {
			o := &order{}
			cfg := kept(o)
			cfg.Tags, cfg.AnewTags, cfg.AnewKeyTags = nil, []commerce.Tag{"op:prices"}, []string{"price"}
			cache, src := reference.New[string, string](cfg), &source{}
			var all sync.WaitGroup
			for range 2 {
				all.Go(func() {
					_, err := cache.LoadAll(t.Context(), []string{"a1"}, src.slowly)
					assert.NoError(t, err)
				})
				time.Sleep(100 * time.Millisecond)
				o.strike(tag)
			}
			all.Wait()
			assert.Equal(t, loads, src.calls.Load(), tag)
		})
	}
}
