package cache

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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
		long,
		&long,
		[]string{long},
		map[string]int{long: 1},
		[1]any{long},
		&commerce.Product{Description: long},
		commerce.NewCategoryTree([]*commerce.Category{{ID: "a", Children: []*commerce.Category{{ID: "b", Description: long}}}}),
	} {
		size := sizeOf(v)
		assert.GreaterOrEqual(t, size, uint32(1000), "%T", v)
		assert.Less(t, size, uint32(2000), "%T: what is shared counts once", v)
	}
	assert.Zero(t, sizeOf(nil))
	assert.Less(t, sizeOf(&commerce.Product{}), uint32(400))
	assert.GreaterOrEqual(t, sizeOf(make([]int64, 1000)), uint32(8000))
}

// Keys that an attacker chooses stay within the budget, found or not; those that were
// not found within a tenth of it.
func TestC21_MemoryHasAByteBudget(t *testing.T) {
	t.Parallel()
	const budget = 1 << 20
	m, err := newMemory(budget, newTagTable().alive)
	require.NoError(t, err)
	defer m.close()
	p := policies[commerce.OpProducts]
	for i := range 50_000 {
		key := fmt.Sprint("attacker", i)
		m.put(key, newEntry(&commerce.Product{Description: strings.Repeat("x", 100)}, time.Now(), p), p.life())
		m.put(key+"-", notFound(time.Now(), p), p.Negative)
	}
	m.values.CleanUp()
	m.absent.CleanUp()
	assert.LessOrEqual(t, m.values.WeightedSize(), uint64(liveBytes(budget-budget/10)))
	assert.Positive(t, m.values.EstimatedSize())
	assert.LessOrEqual(t, m.absent.WeightedSize(), uint64(liveBytes(budget/10)))
	assert.Positive(t, m.absent.EstimatedSize())
}

// What is held is as much less than the budget as garbage may take beside it.
func TestC21_TheBudgetCountsGarbage(t *testing.T) {
	t.Parallel()
	for percent, share := range map[int64]int64{100: 500, 0: 1000, 400: 200, 50: 666, -1: 1000} {
		assert.Equal(t, share, liveShare(1000, percent), "GOGC=%d", percent)
	}
	assert.Equal(t, liveShare(1<<20, gcPercent()), liveBytes(1<<20))
	assert.Positive(t, liveShare(math.MaxInt64, 100), "no budget is too large to be reckoned with")
}

// That there is no such thing is forgotten after five seconds at most, whatever a kind
// declares, and takes memory no longer.
func TestC21_WhatIsAbsentIsForgottenSoon(t *testing.T) {
	t.Parallel()
	m, err := newMemory(1<<20, newTagTable().alive)
	require.NoError(t, err)
	defer m.close()
	for op := range policies {
		p := joined(op, commerce.Traits{System: "pim", Operation: op, Scope: commerce.ScopePublic, Lifetime: time.Hour})
		began := time.Now()
		e := notFound(began, p)
		assert.Equal(t, useless, p.judge(e, span{until: e.fresh}, began.Add(5*time.Second)), op)
		m.put(string(op), e, p.Negative)
		held, ok := m.absent.GetEntry(string(op))
		require.True(t, ok || p.Negative == 0, op)
		assert.LessOrEqual(t, held.ExpiresAfter(), 5*time.Second+tableTime, "%s: nobody is given it, and it takes room for no longer", op)
	}
}

// Nobody looks for what is absent where nothing is, and it is counted whatever becomes of it.
func TestC21_WhatIsAbsentIsCounted(t *testing.T) {
	t.Parallel()
	m, err := newMemory(1<<20, newTagTable().alive)
	require.NoError(t, err)
	defer m.close()
	p, now := policies[commerce.OpProducts], time.Now()
	assert.True(t, m.absent.empty())
	for range 3 { // each in the place of the one before
		m.put("k", notFound(now, p), p.Negative)
	}
	m.put("other", notFound(now, p), p.Negative)
	assert.False(t, m.absent.empty())
	require.NotNil(t, m.get("k"))
	m.put("k", newEntry("there is one now", now, p), p.life())
	assert.Equal(t, "there is one now", m.get("k").value)
	m.put("k", newEntry("older", now.Add(-time.Second), p), p.life())
	assert.Equal(t, int64(1), m.values.held.Load())
	assert.True(t, m.get("other").missing)
	m.absent.InvalidateAll()
	assert.True(t, m.absent.empty())
	for n := range 20_000 { // which are more than there is room for
		m.put(fmt.Sprint(n), notFound(now, p), p.Negative)
	}
	m.absent.CleanUp()
	assert.Equal(t, int64(m.absent.EstimatedSize()), m.absent.held.Load())
}

// Once there is such a thing, that there was none is not said any more, not even when the
// thing has to make room.
func TestWhatIsThereIsNotAbsentAgain(t *testing.T) {
	t.Parallel()
	m, err := newMemory(1<<20, newTagTable().alive)
	require.NoError(t, err)
	defer m.close()
	p, now := policies[commerce.OpProducts], time.Now()
	m.put("k", notFound(now, p), p.Negative)
	m.put("k", newEntry("there is one now", now, p), p.life())
	m.values.Invalidate("k")
	assert.Nil(t, m.get("k"), "nobody knows")
	m.put("k", newEntry("there is one", now, p), p.life())
	m.put("k", notFound(now, p), p.Negative)
	m.absent.Invalidate("k")
	assert.Nil(t, m.get("k"), "nor the other way round")
}

func TestAnOlderLoadDoesNotReplaceANewer(t *testing.T) {
	t.Parallel()
	m, err := newMemory(1<<20, newTagTable().alive)
	require.NoError(t, err)
	defer m.close()
	p := policies[commerce.OpProducts]
	now := time.Now()
	m.put("k", newEntry("newer", now, p), p.life())
	m.put("k", newEntry("older", now.Add(-time.Second), p), p.life())
	assert.Equal(t, "newer", m.get("k").value)
}

// What was invalidated keeps nothing out that another process loaded since then by a
// clock that is behind: Redis is asked for it once, not by each read.
func TestWhatIsDeadKeepsNothingOut(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newNode(t, urlOf(server))
	port := over(c, &source{})
	_, _, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	c.work.Wait()
	invalidate(t, c, commerce.TagProduct("A"))
	knows(t, c, c.Redis())
	theirs := stored{payload: payloadOf(t, codecOf[*commerce.Product](), &commerce.Product{SKU: "A", Name: "theirs"}), began: onlyEntry(t, c).began.Add(-time.Second), at: c.tags.stamp().global}
	c.remote.put(t.Context(), []write{writeOf(onlyKey(t, c), theirs, time.Hour)}, nil)
	trips := watchTrips(c)
	for range 10 {
		p, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		require.Equal(t, "theirs", p.Name)
	}
	assert.Equal(t, []string{"eval"}, trips.list())
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

// Many readers against one who changes stock and forgets it: nobody is answered
// what was true before a change that was forgotten before they asked.
func TestWhatWasForgottenIsNeverAnsweredAgain(t *testing.T) {
	t.Parallel()
	var now, forgotten atomic.Int64
	stock := stockOf(func() int {
		n := int(now.Load())
		runtime.Gosched() // the answer is on its way while the stock changes
		return n
	})
	c := newCache(t, realTime)
	port := c.Wrap(commerce.Ports{Inventory: stock, Traits: publicTraits(commerce.OpAvailability)}).Inventory
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for range 25_000 {
				least := forgotten.Load()
				found, err := port.Availability(t.Context(), us, []commerce.SKU{"A"})
				if err != nil || int64(found["A"].Quantity) < least {
					t.Errorf("got %v, %v; want at least %d", found["A"], err, least)
					return
				}
			}
		})
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			n := now.Add(1)
			c.ForgetAvailability(t.Context(), []commerce.SKU{"A"})
			forgotten.Store(n)
			runtime.Gosched()
		}
	})
	readers.Wait()
	close(stop)
	writer.Wait()
	assert.Positive(t, forgotten.Load())
}

// stockOf answers the same quantity for every product.
type stockOf func() int

func (s stockOf) Availability(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	n, found := s(), map[commerce.SKU]*commerce.Availability{}
	for _, sku := range skus {
		found[sku] = &commerce.Availability{SKU: sku, Quantity: n}
	}
	return found, nil
}

// What many want stays, however many keys an attacker makes up.
func TestC21_TheHotSetOutlivesAnAttack(t *testing.T) {
	t.Parallel()
	m, err := newMemory(1<<20, newTagTable().alive)
	require.NoError(t, err)
	defer m.close()
	p := policies[commerce.OpProducts]
	put := func(key string) { m.put(key, newEntry(&commerce.Product{}, time.Now(), p), p.life()) }
	const hot = 500
	read := func(i int) bool {
		key := fmt.Sprint("hot", i%hot)
		if m.get(key) != nil {
			return true
		}
		put(key)
		return false
	}
	for i := range 10 * hot {
		read(i)
	}
	hits, reads := 0, 50_000
	for i := range reads {
		put(fmt.Sprint("attacker", i))
		if read(i) {
			hits++
		}
	}
	assert.GreaterOrEqual(t, hits, reads*95/100)
}
