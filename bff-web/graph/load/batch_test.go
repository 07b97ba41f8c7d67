package load

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// catalog answers every key but "unknown", and notes what it was asked for.
type catalog struct {
	mu    sync.Mutex
	calls [][]commerce.SKU
}

func (c *catalog) Products(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, skus)
	found := map[commerce.SKU]*commerce.Product{}
	failed := map[commerce.SKU]error{}
	for _, sku := range skus {
		switch sku {
		case "unknown":
		case "panics":
			panic("a port that panics")
		case "fails":
			failed[sku] = commerce.ErrUnavailable
		default:
			found[sku] = &commerce.Product{SKU: sku}
		}
	}
	if len(failed) > 0 {
		return found, &commerce.BatchError[commerce.SKU]{Errs: failed}
	}
	return found, nil
}

func start(t *testing.T) (context.Context, *Loader, *catalog) {
	t.Helper()
	c := &catalog{}
	ctx, l := Start(t.Context(), commerce.Ports{Catalog: c}, commerce.Shopper{}, "retail")
	t.Cleanup(l.Close)
	return ctx, l, c
}

func TestEachKeyIsAskedForOnce(t *testing.T) {
	t.Parallel()
	ctx, l, c := start(t)
	var keys []commerce.SKU
	for i := range 2*commerce.MaxBatch + 7 {
		keys = append(keys, commerce.SKU(fmt.Sprint("K", i)), commerce.SKU(fmt.Sprint("K", i/2)))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			l.Products.Start(ctx, keys)
			l.Products.Each(ctx, keys, func(i int, p *commerce.Product, found bool, _ Origin, err error) {
				assert.NoError(t, err)
				assert.True(t, found)
				assert.Equal(t, keys[i], p.SKU)
			})
			p, found, err := l.Products.Get(ctx, keys[3])
			assert.NoError(t, err)
			assert.True(t, found)
			assert.Equal(t, keys[3], p.SKU)
		})
	}
	wg.Wait()
	asked := map[commerce.SKU]bool{}
	for _, call := range c.calls {
		assert.LessOrEqual(t, len(call), commerce.MaxBatch)
		for _, key := range call {
			assert.False(t, asked[key], "%s was asked for twice", key)
			asked[key] = true
		}
	}
	assert.Len(t, asked, 2*commerce.MaxBatch+7)
	assert.Len(t, c.calls, 3)
}

func TestEachKeyMeetsItsOwn(t *testing.T) {
	t.Parallel()
	ctx, l, _ := start(t)
	keys := []commerce.SKU{"a", "unknown", "fails", "a"}
	seen := 0
	l.Products.Each(ctx, keys, func(i int, p *commerce.Product, found bool, _ Origin, err error) {
		require.Equal(t, seen, i)
		seen++
		assert.Equal(t, keys[i] == "a", found)
		assert.Equal(t, keys[i] == "a", p != nil)
		assert.Equal(t, keys[i] == "fails", err != nil)
	})
	assert.Equal(t, len(keys), seen)
	_, found, err := l.Products.Get(ctx, "panics")
	assert.False(t, found)
	var p *Panic
	assert.ErrorAs(t, err, &p)
}

func TestWhoLeavesDoesNotWait(t *testing.T) {
	t.Parallel()
	ctx, l, _ := start(t)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	l.Products.mu.Lock()
	l.Products.claim([]commerce.SKU{"claimed"}, terms{most: NoBound}) // and never asked for
	l.Products.mu.Unlock()
	_, _, err := l.Products.Get(gone, "claimed")
	assert.ErrorIs(t, err, context.Canceled)
}
