package cache

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestSizeOfGrowsWithWhatIsHeld(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1000)
	for _, v := range []any{
		long, &long, []string{long}, map[string]int{long: 1}, [1]any{long},
		&commerce.Product{Description: long}, commerce.NewCategoryTree([]*commerce.Category{{ID: "a", Children: []*commerce.Category{{ID: "b", Description: long}}}}),
	} {
		size := sizeOf(v)
		assert.GreaterOrEqual(t, size, uint32(1000), "%T", v)
		assert.Less(t, size, uint32(2000), "%T: what is shared counts once", v)
	}
	assert.Zero(t, sizeOf(nil))
	assert.Less(t, sizeOf(&commerce.Product{}), uint32(400))
	assert.GreaterOrEqual(t, sizeOf(make([]int64, 1000)), uint32(8000))
}

// Keys that an attacker chooses stay within the budget, found or not.
func TestMemoryHasAByteBudget(t *testing.T) {
	t.Parallel()
	const budget = 1 << 20
	m, err := newMemory(budget)
	require.NoError(t, err)
	defer m.close()
	p := policies[commerce.OpProducts]
	for i := range 50_000 {
		key := fmt.Sprint("attacker", i)
		m.put(key, newEntry(key, &commerce.Product{Description: strings.Repeat("x", 100)}, time.Now(), p), p.life())
		m.put(key+"-", notFound(key+"-", time.Now(), p), p.Negative)
	}
	m.values.CleanUp()
	m.absent.CleanUp()
	assert.LessOrEqual(t, m.values.WeightedSize(), uint64(budget))
	assert.Positive(t, m.values.EstimatedSize())
	assert.LessOrEqual(t, m.absent.WeightedSize(), uint64(budget/10))
	assert.Positive(t, m.absent.EstimatedSize())
}

func TestAnOlderLoadDoesNotReplaceANewer(t *testing.T) {
	t.Parallel()
	m, err := newMemory(1 << 20)
	require.NoError(t, err)
	defer m.close()
	p := policies[commerce.OpProducts]
	now := time.Now()
	m.put("k", newEntry("k", "newer", now, p), p.life())
	m.put("k", newEntry("k", "older", now.Add(-time.Second), p), p.life())
	assert.Equal(t, "newer", m.get("k").value)
}

func TestForgottenStockIsAskedAnew(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &stockSource{}
	c := newCache(t, Config{RedisURL: urlOf(server)})
	port := c.Wrap(commerce.Ports{Inventory: upstream, Traits: publicTraits(commerce.OpAvailability)}).Inventory
	quantity := func(m commerce.Market, sku commerce.SKU) int {
		found, err := port.Availability(t.Context(), m, []commerce.SKU{sku})
		require.NoError(t, err)
		c.work.Wait()
		return found[sku].Quantity
	}
	require.Equal(t, []int{1, 2, 3, 1}, []int{quantity(us, "A"), quantity(eu, "A"), quantity(us, "B"), quantity(us, "A")})
	c.ForgetAvailability(t.Context(), []commerce.SKU{"A"})
	assert.Equal(t, []int{4, 5, 3, 4}, []int{quantity(us, "A"), quantity(eu, "A"), quantity(us, "B"), quantity(us, "A")}, "in every market, in both tiers, and nothing else")
}

// A load that began before its key was forgotten is neither joined nor kept.
func TestForgettingOutrunsALoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &stockSource{source{takes: 50 * time.Millisecond}}
		c := newCache(t, Config{})
		port := c.Wrap(commerce.Ports{Inventory: upstream, Traits: publicTraits(commerce.OpAvailability)}).Inventory
		read := func() int {
			found, err := port.Availability(t.Context(), us, []commerce.SKU{"A"})
			assert.NoError(t, err)
			return found["A"].Quantity
		}
		var wg sync.WaitGroup
		wg.Go(func() { read() })
		time.Sleep(10 * time.Millisecond)
		c.ForgetAvailability(t.Context(), []commerce.SKU{"A"})
		time.Sleep(10 * time.Millisecond)
		wg.Go(func() { assert.Equal(t, 2, read(), "not the load that was under way") })
		wg.Wait()
		assert.Equal(t, 2, read())
		assert.Equal(t, 2, upstream.count())
	})
}

func TestGravesAreBounded(t *testing.T) {
	t.Parallel()
	var g graves
	start := time.Now()
	for i := range 3 * maxGraves {
		g.bury(commerce.OpAvailability, []string{fmt.Sprint(i)}, start)
	}
	assert.LessOrEqual(t, len(g.ops[commerce.OpAvailability].keys), maxGraves)
	assert.True(t, g.buried(commerce.OpAvailability, "0", start), "what is no longer told apart is forgotten with all")
	assert.False(t, g.buried(commerce.OpAvailability, "0", start.Add(1)))
	assert.False(t, g.buried(commerce.OpProducts, "0", start))
}
