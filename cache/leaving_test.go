package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// spentNode is a process whose memory has no room left, for others have asked for much.
func spentNode(t *testing.T, url commerce.Secret) *Cache {
	t.Helper()
	c := newCache(t, Config{RedisURL: url, L1Bytes: 4 << 20})
	p := policies[commerce.OpProducts]
	for i := 0; !c.memory.values.full(); i++ {
		c.memory.put(fmt.Sprint("hot", i), newEntry(strings.Repeat("x", 16<<10), time.Now(), p), p.life())
	}
	return c
}

// stores is a hook on what is stored: it waits, or fails, as a test says.
type stores struct {
	begun chan struct{} // is sent to when there is something to store
	goes  chan struct{} // it is stored once this is closed
	err   error
}

func (s *stores) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (s *stores) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (s *stores) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if !slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return c.Name() == "set" }) {
			return next(ctx, cmds)
		}
		s.begun <- struct{}{}
		<-s.goes
		if s.err != nil {
			return s.err
		}
		return next(ctx, cmds)
	}
}

// holdStores has what c stores wait.
func holdStores(c *Cache) *stores {
	s := &stores{begun: make(chan struct{}, 100), goes: make(chan struct{})}
	c.remote.client.AddHook(s)
	return s
}

// product asks for sku and answers its name and how it was come by.
func product(t *testing.T, port commerce.Catalog, sku commerce.SKU) (string, commerce.Way) {
	t.Helper()
	p, at, err := ask(t.Context(), port, sku)
	require.NoError(t, err)
	require.Equal(t, commerce.StateFresh, at.State)
	return p.Name, at.Way
}

// kept tells whether memory holds sku for good.
func kept(c *Cache, sku string) bool {
	for key := range c.memory.values.All() {
		if strings.HasSuffix(key, sku) {
			return true
		}
	}
	return false
}

// Whoever reads everything once takes the place of nothing. What is asked for again is taken
// over from Redis, and kept.
func TestC21_WhatIsReadOnceTurnsNothingOver(t *testing.T) {
	t.Parallel()
	c, upstream := spentNode(t, urlOf(newRedis(t))), &source{value: numbered}
	port := over(c, upstream)
	held := c.memory.values.held.Load()
	for i := range 300 {
		product(t, port, commerce.SKU(fmt.Sprint("walk", i)))
	}
	c.work.Wait()
	assert.Equal(t, held, c.memory.values.held.Load())
	assert.Zero(t, c.memory.evicted[commerce.OpProducts].Load())
	assert.Empty(t, c.flights.byKey, "Redis has them")
	state := c.Inspect()
	require.Len(t, state.Operations, 1)
	assert.Equal(t, int64(300), state.Operations[0].Passed)

	name, way := product(t, port, "walk7")
	assert.Equal(t, "8", name)
	assert.Equal(t, commerce.WayRedis, way)
	assert.True(t, kept(c, "walk7"))
	_, way = product(t, port, "walk7")
	assert.Equal(t, commerce.WayMemory, way)
	assert.Equal(t, 300, upstream.count())
}

// While there is room, what is new is kept; so it is without a Redis that it could be had from.
func TestC21_NothingPassesMemoryThatRedisWillNotGive(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, c *Cache){
		"there is room":           func(_ *testing.T, c *Cache) { c.memory.values.InvalidateAll() },
		"Redis does not store":    func(_ *testing.T, c *Cache) { open(&c.remote.writes) },
		"Redis does not answer":   func(_ *testing.T, c *Cache) { open(&c.remote.reads) },
		"others cannot be heard":  func(t *testing.T, c *Cache) { deafen(t, c) },
		"something lay there yet": func(t *testing.T, c *Cache) { invalidate(t, c, commerce.TagProduct("A")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, upstream := spentNode(t, urlOf(newRedis(t))), &source{value: numbered}
			port := over(c, upstream)
			if name == "something lay there yet" {
				for range 2 {
					product(t, port, "A")
					c.work.Wait()
				}
				require.True(t, kept(c, "A"))
			}
			before := c.metrics.known()[0].counts.passed.Load()
			spoil(t, c)
			_, way := product(t, port, "A")
			c.work.Wait()
			assert.Equal(t, commerce.WayLoaded, way)
			assert.True(t, kept(c, "A"))
			assert.Equal(t, before, c.metrics.known()[0].counts.passed.Load())
		})
	}
}

// deafen has c follow a stream that nobody is heard on.
func deafen(t *testing.T, c *Cache) {
	t.Helper()
	follows := c.news
	t.Cleanup(func() { c.news = follows })
	c.news = &news{table: c.tags, began: time.Now()}
}

func open(b *breaker) {
	for range breakAfter {
		b.done(time.Now(), false)
	}
}

// Between its landing and its arrival in Redis nobody loads an answer again, however many
// ask for it; then memory keeps it, since it was asked for twice.
func TestC1_WhatIsOnItsWayToRedisIsNotLoadedAgain(t *testing.T) {
	t.Parallel()
	c, upstream := spentNode(t, urlOf(newRedis(t))), &source{value: numbered}
	port, held := over(c, upstream), holdStores(c)
	product(t, port, "A")
	<-held.begun
	require.False(t, kept(c, "A"))
	var askers sync.WaitGroup
	for range 50 {
		askers.Go(func() {
			name, way := product(t, port, "A")
			assert.Equal(t, "1", name)
			assert.Contains(t, []commerce.Way{commerce.WayJoined, commerce.WayMemory}, way)
		})
	}
	askers.Wait()
	close(held.goes)
	c.work.Wait()
	assert.True(t, kept(c, "A"))
	assert.Empty(t, c.flights.byKey)
	assert.Equal(t, 1, upstream.count())
}

// What Redis does not take, memory keeps.
func TestC15_WhatRedisDoesNotTakeIsKept(t *testing.T) {
	t.Parallel()
	c, upstream := spentNode(t, urlOf(newRedis(t))), &source{value: numbered}
	port, held := over(c, upstream), holdStores(c)
	held.err = errors.New("OOM command not allowed")
	close(held.goes)
	product(t, port, "A")
	c.work.Wait()
	assert.True(t, kept(c, "A"))
	assert.Empty(t, c.flights.byKey)
	assert.Zero(t, c.metrics.known()[0].counts.passed.Load(), "it did not pass after all")
}

// Of what is stored together some may be left out, or be out of date meanwhile.
func TestC15_WhatIsLeftOutIsKept(t *testing.T) {
	t.Parallel()
	c := newCache(t, realTime)
	p := policies[commerce.OpProducts]
	var list []write
	for _, name := range []string{"sent", "left out", "dead", "asked for", "another"} {
		f := &flight{leaves: true, entry: newEntry(name, time.Now(), p).of(&plan{policy: p}, name).tagged([]commerce.Tag{commerce.Tag(name)}, c.tags.stamp())}
		f.ends()
		c.flights.list(name, f, nil)
		list = append(list, write{entry: f.entry, leaving: f, sent: name == "sent"})
	}
	c.tags.strike([]commerce.Tag{"dead"}, false)
	require.Nil(t, c.leaving(&plan{policy: p}, c.flights.byKey["dead"]))
	require.NotNil(t, c.leaving(&plan{policy: p}, c.flights.byKey["asked for"]))
	c.flights.list("another", &flight{}, c.flights.byKey["another"])
	c.arrived(append(list, write{}), true)
	assert.Nil(t, c.memory.get("sent"))
	assert.Equal(t, "left out", c.memory.get("left out").value)
	assert.Nil(t, c.memory.get("dead"))
	assert.Equal(t, "asked for", c.memory.get("asked for").value)
	assert.Len(t, c.flights.byKey, 1, "another load of it is under way")
	assert.Equal(t, int64(2), c.memory.values.held.Load())
}

// What is invalidated on its way to Redis is given to nobody, before and after it is there.
func TestC13_WhatIsInvalidatedOnItsWayIsNotGiven(t *testing.T) {
	t.Parallel()
	c, upstream := spentNode(t, urlOf(newRedis(t))), &source{value: numbered}
	port, held := over(c, upstream), holdStores(c)
	product(t, port, "A")
	<-held.begun
	invalidate(t, c, commerce.TagProduct("A"))
	name, way := product(t, port, "A")
	assert.Equal(t, "2", name)
	assert.Equal(t, commerce.WayLoaded, way)
	close(held.goes)
	c.work.Wait()
	name, _ = product(t, port, "A")
	assert.Equal(t, "2", name)
	assert.True(t, kept(c, "A"))
	assert.Empty(t, c.flights.byKey)
}
