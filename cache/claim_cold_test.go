package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
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

// gated is a system that takes 50 ms and lets so many in at once; the others wait,
// as those of a connector's bulkhead do.
type gated struct {
	slots        chan struct{}
	inside, most atomic.Int64
	calls        atomic.Int64
}

func (g *gated) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, commerce.ErrTimeout
	}
	defer func() { <-g.slots }()
	g.calls.Add(1)
	now := g.inside.Add(1)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
		continue
	}
	time.Sleep(50 * time.Millisecond)
	g.inside.Add(-1)
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		found[sku] = &commerce.Product{SKU: sku}
	}
	return found, nil
}

// A process starts with nothing, and a thousand requests a second want any of ten
// thousand products, most of them the same few: the system is never asked beyond
// what it lets in, each product once, and after thirty seconds at the latest nobody waits longer than one load takes.
func TestC23_AColdStartIsOverSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const keys, rps, seconds, limit = 10_000, 1000, 40, 32
		system := &gated{slots: make(chan struct{}, limit)}
		port := over(newCache(t, Config{}), system)
		r := rand.New(rand.NewPCG(23, 23))
		popular := rand.NewZipf(r, 1.2, 20, keys-1)
		var mu sync.Mutex
		took := make([][]time.Duration, seconds)
		var failed atomic.Int64
		var wg sync.WaitGroup
		begun := time.Now()
		for range rps * seconds {
			sku := commerce.SKU(fmt.Sprint("SKU-", popular.Uint64()))
			wg.Go(func() {
				asked := time.Now()
				_, _, err := ask(t.Context(), port, sku)
				if err != nil {
					failed.Add(1)
				}
				mu.Lock()
				defer mu.Unlock()
				second := int(asked.Sub(begun) / time.Second)
				took[second] = append(took[second], time.Since(asked))
			})
			time.Sleep(time.Second / rps)
		}
		wg.Wait()
		assert.Zero(t, failed.Load())
		assert.Equal(t, int64(limit), system.most.Load(), "it was felt, and kept")
		assert.LessOrEqual(t, system.calls.Load(), int64(keys), "each product once")
		for _, second := range []int{0, 1, 5, 10, 30, seconds - 1} {
			slices.Sort(took[second])
			t.Logf("second %d: p50 %v, p99 %v", second, took[second][len(took[second])/2], took[second][len(took[second])*99/100])
		}
		for second := 30; second < seconds; second++ {
			list := slices.Sorted(slices.Values(took[second]))
			require.LessOrEqual(t, list[len(list)*99/100], 55*time.Millisecond, "second %d: no more than one load", second)
		}
	})
}
