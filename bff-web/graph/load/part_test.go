package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// bounded is a key, and the oldest stale value that was taken for it.
type bounded struct {
	sku  commerce.SKU
	most time.Duration
}

// counting answers each key with a product of its own, and counts who asked for it.
type counting struct {
	t     *testing.T
	mu    sync.Mutex // calls of one list run beside each other
	asked map[bounded]int
	calls int
}

func (c *counting) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	assert.LessOrEqual(c.t, len(skus), commerce.MaxBatch)
	assert.NotEmpty(c.t, skus)
	c.calls++
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		c.asked[bounded{sku, boundOf(ctx)}]++
		found[sku] = &commerce.Product{SKU: sku, Name: boundOf(ctx).String()}
	}
	return found, nil
}

// Whatever lists and keys are asked for one after the other, by whomever, each key is asked for once
// and meets its own answer.
func TestAnyListsOfKeys(t *testing.T) {
	t.Parallel()
	for round := range 300 {
		r := rand.New(rand.NewPCG(7, uint64(round))) //nolint:gosec // small
		c := &counting{t: t, asked: map[bounded]int{}}
		ctx, l := Start(t.Context(), commerce.Ports{Catalog: c}, commerce.Shopper{}, "retail")
		sizes := []int{0, 1, 2, 3, 99, 100, 101, 250}
		var before []commerce.SKU
		wanted := map[bounded]bool{}
		for range 1 + r.IntN(6) {
			keys := make([]commerce.SKU, sizes[r.IntN(len(sizes))])
			for i := range keys {
				keys[i] = commerce.SKU(fmt.Sprint("K", r.IntN(300)))
			}
			if r.IntN(3) == 0 {
				keys = before
			}
			before = keys
			most := []time.Duration{NoBound, time.Second}[r.IntN(2)]
			for _, key := range keys {
				wanted[bounded{key, most}] = true
			}
			switch r.IntN(3) {
			case 0:
				l.Products.ClaimUpTo(ctx, most, keys)()
			case 1:
				l.Products.AskUpTo(ctx, most, keys)
			default:
			}
			at := 0
			l.Products.EachUpTo(ctx, most, keys, func(i int, p *commerce.Product, found bool, _ Origin, err error) {
				require.Equal(t, at, i)
				at++
				require.NoError(t, err)
				require.True(t, found)
				require.Equal(t, keys[i], p.SKU)
				require.Equal(t, most.String(), p.Name, "an answer of its own bound")
			})
			require.Equal(t, len(keys), at)
			for _, key := range keys {
				p, _, _, err := l.Products.ReadUpTo(ctx, most, key)
				require.NoError(t, err)
				require.Equal(t, key, p.SKU)
			}
		}
		l.Close()
		require.Len(t, c.asked, len(wanted))
		for key, times := range c.asked {
			require.True(t, wanted[key])
			require.Equal(t, 1, times, key)
		}
	}
}

func TestAListIsAskedForInAsFewCallsAsCanBe(t *testing.T) {
	t.Parallel()
	c := &counting{t: t, asked: map[bounded]int{}}
	ctx, l := Start(t.Context(), commerce.Ports{Catalog: c}, commerce.Shopper{}, "retail")
	var keys []commerce.SKU
	for i := range commerce.MaxBatch {
		keys = append(keys, "twice", commerce.SKU(fmt.Sprint("K", i)))
	}
	l.Products.AskUpTo(ctx, NoBound, keys[:len(keys)-2]) // MaxBatch different ones
	l.Close()
	require.Equal(t, 1, c.calls)
}
