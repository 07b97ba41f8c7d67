package cache

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func stateOf(t *testing.T, c *Cache, op commerce.Operation) OperationState {
	t.Helper()
	for _, o := range c.Inspect().Operations {
		if o.Operation == op {
			return o
		}
	}
	require.Fail(t, "not there", op)
	return OperationState{}
}

func TestInspectCountsByTierAndAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{takes: 10 * time.Millisecond}
		c := newCache(t, Config{})
		port := over(c, upstream)
		get := func(skus ...commerce.SKU) {
			t.Helper()
			_, err := port.Products(t.Context(), us, skus)
			require.NoError(t, err)
		}
		assert.Equal(t, OperationState{Operation: commerce.OpProducts, System: "pim", Scope: "public"}, stateOf(t, c, commerce.OpProducts))

		begun, done := time.Now(), make(chan struct{})
		go func() { get("A", "B"); close(done) }()
		synctest.Wait()
		get("A") // joins
		<-done
		time.Sleep(2 * time.Second)
		get("A", "B")
		get("A", "C")
		upstream.set(func(s *source) { s.value = func(int, commerce.SKU) *commerce.Product { return nil } })
		get("D")
		get("D")

		o := stateOf(t, c, commerce.OpProducts)
		assert.EqualValues(t, 9, o.Asked)
		assert.InDelta(t, 0.444, o.Memory, 0, "A, B, A, D")
		assert.InDelta(t, 0.556, o.Upstream, 0, "A, B, A, C, D")
		assert.Zero(t, o.Redis)
		assert.EqualValues(t, 1, o.Shared)
		assert.EqualValues(t, 4, o.Loads)
		assert.EqualValues(t, 3, o.Calls)
		assert.EqualValues(t, 2, o.Absent)
		assert.Equal(t, Ages{Second: 6, Seconds: 3}, o.Ages)
		assert.Equal(t, 4, o.Entries)
		assert.Positive(t, o.Bytes)

		upstream.set(func(s *source) { s.err = errDown })
		time.Sleep(time.Until(begun.Add(5*time.Minute + time.Nanosecond))) // whatever its own lifetime is, it is over, and stale-while-revalidate is not
		get("A")
		synctest.Wait() // the renewal is nobody's to wait for
		o = stateOf(t, c, commerce.OpProducts)
		assert.EqualValues(t, 1, o.Stale)
		assert.EqualValues(t, 1, o.Renewals)
		assert.EqualValues(t, 1, o.Ages.Quarter)
		_, err := port.Products(t.Context(), us, []commerce.SKU{"E"})
		require.Error(t, err)
		assert.EqualValues(t, 1, stateOf(t, c, commerce.OpProducts).Failed)

		s := c.Inspect()
		assert.Nil(t, s.Redis)
		assert.Nil(t, s.Invalidations.Follower)
		assert.InDelta(t, liveBytes(defaultL1Bytes), s.Memory.BudgetBytes, 1)
	})
}

func TestInspectCountsEvictions(t *testing.T) {
	t.Parallel()
	c := newCache(t, Config{L1Bytes: leastL1Bytes})
	port := over(c, &source{})
	skus, _ := manySKUs(2000)
	_, err := port.Products(t.Context(), us, skus)
	require.NoError(t, err)
	c.memory.values.CleanUp()
	o := stateOf(t, c, commerce.OpProducts)
	assert.Positive(t, o.Evictions)
	assert.EqualValues(t, 2000, o.Evictions+int64(o.Entries))
	assert.Equal(t, o.Evictions, c.Inspect().Memory.Evictions)
	assert.LessOrEqual(t, o.Bytes, int64(leastL1Bytes))
}

func TestInspectTellsOfRedisAndTheFollower(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c, other := newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, Config{RedisURL: urlOf(server)})
	invalidate(t, other, "product:A", "product:B")
	invalidate(t, c, "product:C")
	settles(t, "the other's invalidation is heard", func() bool { return c.Inspect().Invalidations.Others == 2 })
	s := c.Inspect()
	assert.Equal(t, &RedisState{Reads: "closed", Writes: "closed", Leasing: "closed"}, s.Redis)
	assert.EqualValues(t, 1, s.Invalidations.Own)
	assert.GreaterOrEqual(t, s.Invalidations.Known, 3)
	require.NotNil(t, s.Invalidations.Follower)
	assert.True(t, s.Invalidations.Follower.Hearing)
	assert.NotEmpty(t, s.Invalidations.Follower.LastVersion)
	assert.Zero(t, s.Invalidations.Follower.Untold)

	server.Close()
	for range breakAfter {
		require.ErrorIs(t, c.Invalidate(t.Context(), "product:D"), commerce.ErrUnavailable)
	}
	settles(t, "nothing is heard", func() bool { return !c.Inspect().Invalidations.Follower.Hearing })
	s = c.Inspect()
	assert.Equal(t, "open", s.Redis.Writes)
	assert.Equal(t, 1, s.Invalidations.Follower.Untold)
}

func TestInspectCountsAnswers(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{})
	q := questionOf("home")
	do(t, a, q, making(entire("x", "page:home")))
	do(t, a, q, making(entire("x", "page:home")))
	a.Count(Bypass)
	s := a.Inspect()
	assert.Equal(t, []int64{1, 1, 0, 1}, []int64{s.Hit, s.Miss, s.Shared, s.Bypass})
	assert.Equal(t, 1, s.Entries)
	assert.Positive(t, s.Bytes)
	assert.Zero(t, (*Answers)(nil).Inspect())
}

func TestKeysCanBeReadBack(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		k := anyKey(r)
		read, ok := readKey(k.String())
		require.True(t, ok)
		require.Equal(t, k, read)
		require.Equal(t, k.operation, operationOf(k.String()))
	}
	whole := key{system: "pim", operation: commerce.OpProducts, args: "A"}.String()
	for end := range len(whole) {
		_, ok := readKey(whole[:end])
		require.False(t, ok, end)
	}
	_, ok := readKey(whole + "x")
	assert.False(t, ok)
	_, ok = readKey(strings.Repeat("\xff", 40))
	assert.False(t, ok)
}

func explain(t *testing.T, c *Cache, q Query) Explanation {
	t.Helper()
	told, err := c.Explain(t.Context(), q, Places{
		Channels: []string{"us", "eu"}, Locales: []string{"en", "fr"}, Currencies: []string{"USD"}, Countries: []string{"US", "FR"},
		Groups: []commerce.PriceGroup{"retail"},
	})
	require.NoError(t, err)
	return told
}

func TestExplainFollowsAnEntryThroughItsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{takes: 10 * time.Millisecond}
		c := newCache(t, Config{})
		port := over(c, upstream)
		q := Query{Operation: commerce.OpProducts, Key: "A"}
		assert.Empty(t, explain(t, c, q).Entries)

		done := make(chan struct{})
		go func() {
			_, _ = port.Products(t.Context(), us, []commerce.SKU{"A", "B"})
			close(done)
		}()
		synctest.Wait()
		time.Sleep(time.Millisecond)
		assert.Equal(t, []FlightState{{Key: "A", Market: "us/en/-/US", RunningMs: 1, Waiting: 1}}, explain(t, c, q).Flights)
		<-done
		_, err := port.Products(t.Context(), eu, []commerce.SKU{"A"})
		require.NoError(t, err)

		told := explain(t, c, q)
		assert.Equal(t, "none", told.Redis)
		assert.False(t, told.Loading)
		require.Len(t, told.Entries, 2)
		e := told.Entries[1]
		assert.Equal(t, "us/en/-/US", e.Market)
		assert.Equal(t, "eu/fr/-/FR", told.Entries[0].Market)
		assert.Equal(t, []string{"memory", "public", "fresh", "", "A"}, []string{e.Tier, e.Scope, e.Use, e.Dead, e.Key})
		assert.True(t, e.Alive)
		assert.Contains(t, e.Tags, commerce.Tag("product:A"))
		fresh := e.FreshUntil.Sub(e.StaleUntil.Add(-24 * time.Hour))
		assert.Zero(t, fresh, "it is given for a day beyond its own lifetime")

		narrow := q
		narrow.Market = commerce.Market{Channel: "us", Currency: "EUR"}
		assert.Len(t, explain(t, c, narrow).Entries, 1, "products do not depend on the currency")

		upstream.set(func(s *source) { s.err = errDown })
		time.Sleep(8 * time.Minute)
		_, err = port.Products(t.Context(), us, []commerce.SKU{"A"})
		require.NoError(t, err)
		e = explain(t, c, narrow).Entries[0]
		assert.Equal(t, "held", e.Use)
		require.NotNil(t, e.Held)
		assert.Equal(t, commerce.ReasonUnavailable, e.Held.Reason)
		assert.True(t, e.Held.Until.After(time.Now()))

		invalidate(t, c, "product:A")
		e = explain(t, c, narrow).Entries[0]
		assert.False(t, e.Alive)
		assert.Equal(t, "invalidated: product:A", e.Dead)
	})
}

func TestExplainLooksIntoRedis(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	writer, reader := newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, Config{RedisURL: urlOf(server)})
	port := over(writer, &source{value: func(int, commerce.SKU) *commerce.Product {
		return &commerce.Product{SKU: "A", Name: "canary", Categories: []commerce.CategoryRef{{ID: "bikes"}}}
	}})
	over(reader, &source{})
	invalidate(t, writer, "product:other") // so that its loads know of something
	_, err := port.Products(t.Context(), us, []commerce.SKU{"A"})
	require.NoError(t, err)
	writer.work.Wait()
	knows(t, reader, reader.Redis())

	q := Query{Operation: commerce.OpProducts, Key: "A"}
	told := explain(t, reader, q)
	assert.Equal(t, "asked", told.Redis)
	require.Len(t, told.Entries, 1)
	e := told.Entries[0]
	assert.Equal(t, "redis", e.Tier)
	assert.True(t, e.Alive, e.Dead)
	assert.NotEmpty(t, e.Version)
	assert.Contains(t, e.Tags, commerce.Tag("category:bikes"))
	text, err := json.Marshal(told)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "canary", "never a value")

	invalidate(t, reader, "category:bikes")
	e = explain(t, reader, q).Entries[0]
	assert.False(t, e.Alive)
	assert.Contains(t, e.Dead, "category:bikes")

	require.NoError(t, server.Set(entriesOf(server)[0], "not ours"))
	e = explain(t, reader, q).Entries[0]
	assert.Equal(t, "not of this release, or damaged", e.Dead)
	assert.Len(t, explain(t, writer, q).Entries, 2, "memory and Redis")

	server.Close()
	assert.Contains(t, explain(t, reader, q).Redis, "failed: ")
}

func TestExplainTellsNothingOfPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, Config{})
		m := &mirror{}
		ports := c.Wrap(m.ports())
		require.NoError(t, probe(t.Context(), ports))
		synctest.Wait()
		for _, op := range []commerce.Operation{commerce.OpCustomer, commerce.OpOrders, commerce.OpOrder, commerce.OpGuestOrder} {
			told := explain(t, c, Query{Operation: op, Key: "C1"})
			assert.Equal(t, Explanation{Operation: op, Private: true, Entries: []EntryState{}, Flights: []FlightState{}}, told)
		}
	})
}

func TestExplainRefusesWhatItCannotAnswer(t *testing.T) {
	t.Parallel()
	c := newCache(t, realTime)
	over(c, &source{})
	c.Wrap(commerce.Ports{Search: searchFunc(nil), Traits: publicTraits(commerce.OpSearch)})
	for field, q := range map[string][]Query{
		"operation": {{Operation: "nope", Key: "A"}, {Operation: commerce.OpPages, Key: "A"}, {Operation: commerce.OpCartRead}},
		"key": {
			{Operation: commerce.OpProducts},
			{Operation: commerce.OpSearch, Key: "helmet"},
			{Operation: commerce.OpProducts, Key: strings.Repeat("x", maxKey+1)},
		},
	} {
		for _, one := range q {
			_, err := c.Explain(t.Context(), one, Places{})
			var wrong *commerce.InputError
			require.ErrorAs(t, err, &wrong, one)
			assert.Equal(t, field, wrong.Field)
		}
	}
}

func TestTagsOfKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op   commerce.Operation
		key  string
		want commerce.Tag
	}{
		{commerce.OpProducts, "A", "product:A"},
		{commerce.OpAvailability, "A", "stock:A"},
		{commerce.OpPrices, "A", "price:A"},
		{commerce.OpPrices, "{A 3}", "price:A"},
		{commerce.OpCategoryTree, "", "categories"},
		{commerce.OpSearch, "", "search"},
	} {
		got, err := TagOfKey(c.op, c.key)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
	for _, op := range []commerce.Operation{"nope", commerce.OpCustomer, commerce.OpPlace} {
		_, err := TagOfKey(op, "A")
		require.ErrorIs(t, err, commerce.ErrInvalid, op)
	}
	_, err := TagOfKey(commerce.OpProducts, "")
	require.ErrorIs(t, err, commerce.ErrInvalid)
}

// searchFunc is a search in memory.
type searchFunc func() (*commerce.SearchResult, error)

func (f searchFunc) Search(context.Context, commerce.Market, commerce.SearchQuery) (*commerce.SearchResult, error) {
	return f()
}
