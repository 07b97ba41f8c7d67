package cache

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What was to go to Redis when a neighbour fell over is kept: nothing waits for it for ever.
func TestC15_WhatLandedBeforeAPanicStaysInNoList(t *testing.T) {
	t.Parallel()
	c, upstream := spentNode(t, urlOf(newRedis(t))), &source{value: numbered}
	port := unkeepable(t, over(c, upstream))
	found, err := port.Products(t.Context(), us, []commerce.SKU{"A", "poison"})
	require.Error(t, err)
	assert.Equal(t, "1", found["A"].Name)
	c.work.Wait()
	assert.Empty(t, c.flights.byKey)
	assert.True(t, kept(c, "A"))
}

// A value that cannot be written stays in memory, in no list; its neighbours are stored, and
// the leases of all are given back.
func TestC15_WhatCannotBeWrittenIsKept(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c, upstream := spentNode(t, urlOf(server)), &source{value: numbered}
	own, ok := over(c, upstream).(catalog)
	require.True(t, ok)
	write := own.op.plan.codec.write
	own.op.plan.codec.write = func(to *sheet, value any) {
		if p, ok := value.(*commerce.Product); ok && p.SKU == "poison" {
			panic("fell over")
		}
		write(to, value)
	}
	found, err := own.Products(t.Context(), us, []commerce.SKU{"A", "poison", "B"})
	require.NoError(t, err)
	assert.Len(t, found, 3)
	c.work.Wait()
	assert.Empty(t, c.flights.byKey)
	assert.True(t, kept(c, "poison"))
	assert.Len(t, entriesOf(server), 2)
	for _, key := range server.Keys() {
		if strings.HasPrefix(key, leasePrefix) {
			token, err := server.Get(key)
			require.NoError(t, err)
			assert.Len(t, token, 40, "nobody holds it: it only says that nothing will come")
		}
	}
}

// What is small when it is packed but too large to be unpacked stays in memory: nobody could
// read it from Redis.
func TestC15_WhatRedisCouldNotGiveIsKept(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := spentNode(t, urlOf(server))
	upstream := &source{value: func(_ int, sku commerce.SKU) *commerce.Product {
		return &commerce.Product{SKU: sku, Name: strings.Repeat("x", maxPayload)}
	}}
	_, _, err := ask(t.Context(), over(c, upstream), "A")
	require.NoError(t, err)
	c.work.Wait()
	assert.Empty(t, c.flights.byKey)
	assert.Empty(t, entriesOf(server))
}

// How long ago a flight began that is on its way to Redis shortens nobody's patience with a
// system that was only just asked for something else.
func TestC9_WhatHasLandedMakesNobodyImpatient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, upstream := newCache(t, Config{}), &source{value: numbered}
		port := over(c, upstream)
		product(t, port, "B")
		p := policies[commerce.OpProducts]
		time.Sleep(p.Fresh + p.StaleWhileRevalidate + time.Second)
		product(t, port, "A")
		for key, e := range c.memory.values.All() {
			if strings.HasSuffix(key, "A") {
				f := &flight{beginning: &beginning{began: e.began}, leaves: true, entry: e, stamp: &e.stamp, served: upstreamFresh}
				f.ends()
				c.flights.list(key, f, nil)
				c.memory.values.Invalidate(key)
			}
		}
		time.Sleep(2 * softTimeout)
		upstream.set(func(s *source) { s.takes = softTimeout / 2 })
		found, err := port.Products(t.Context(), us, []commerce.SKU{"A", "B"})
		require.NoError(t, err)
		assert.Equal(t, "2", found["A"].Name)
		assert.Equal(t, "3", found["B"].Name, "there was time to wait for it")
	})
}
