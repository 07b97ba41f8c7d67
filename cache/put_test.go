package cache

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	peer "github.com/alicebob/miniredis/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// A load that stores what it brought goes on, however much others have stored meanwhile: it may
// have to take over what another process loads. What the others brought is stored all the same.
func TestC2_WhoStoresIsNotHeldByWhatOthersBring(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newCache(t, Config{RedisURL: urlOf(server)})
	var ends atomic.Bool
	server.Server().SetPreHook(func(_ *peer.Peer, command string, _ ...string) bool {
		if command == "SET" && !ends.Load() {
			c.remote.put(t.Context(), []write{aWrite(time.Now())}, nil) // while the one before is sent
		}
		return false
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.remote.put(t.Context(), []write{aWrite(time.Now())}, nil)
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		assert.Fail(t, "it is held for as long as others bring something")
	}
	last := writeOf("last", storedOf("last"), time.Hour)
	last.entry.began = time.Now()
	c.remote.put(t.Context(), []write{last}, nil)
	ends.Store(true)
	<-done
	c.work.Wait()
	assert.False(t, c.remote.puts.waits())
	require.Len(t, found(t, c.remote, "last"), 1)
}

// Whoever cannot be told that it was stored keeps nobody from being stored.
func TestWhatPanicsWhileStoringEndsNothingElse(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newCache(t, Config{RedisURL: urlOf(server)})
	falls := atomic.Bool{}
	falls.Store(true)
	arrived := c.remote.arrived
	c.remote.arrived = func(writes []write, stored bool) {
		if stored && falls.Swap(false) {
			panic("fell over")
		}
		arrived(writes, stored)
	}
	for range 2 {
		c.remote.put(t.Context(), []write{aWrite(time.Now())}, nil)
		assert.False(t, c.remote.puts.waits(), "nobody is thought to send")
	}
	assert.False(t, falls.Load())
	require.Len(t, found(t, c.remote, "k"), 1)
}

// Whoever enters a room finds nothing of who was there before, be it one that is kept or not.
func TestRoomsAreLeftEmpty(t *testing.T) {
	t.Parallel()
	free := rooms{kept: make(chan *room, 1)}
	kept, other := free.enter(), free.enter()
	require.NotSame(t, kept, other)
	for _, in := range []*room{kept, other} {
		in.take().address = "a"
		in.packed.b = append(in.packed.b, "packed"...)
		in.script(askScript, 1, 2)
		in.leave(&free)
		assert.Zero(t, in.taken)
		assert.Empty(t, in.sets[0].address)
		assert.Empty(t, in.packed.b)
		assert.Empty(t, in.words)
	}
	assert.Same(t, kept, free.enter())
}

// What a load brought is written for Redis at once, however long Redis takes for what was
// brought before: nobody has to write it a second time to know its version.
func TestVersionsAreKnownBeforeRedisHasWhatTheyAreOf(t *testing.T) {
	t.Parallel()
	c, upstream := spentNode(t, urlOf(newRedis(t))), &source{value: numbered}
	port, held := over(c, upstream), holdStores(c)
	product(t, port, "A")
	<-held.begun
	product(t, port, "B")
	assert.Eventually(t, func() bool {
		c.flights.mu.Lock()
		defer c.flights.mu.Unlock()
		for key, f := range c.flights.byKey {
			if strings.HasSuffix(key, "B") {
				return f.entry.version.Load() != unwritten
			}
		}
		return false
	}, 30*time.Second, time.Millisecond)
	close(held.goes)
	c.work.Wait()
	assert.Empty(t, c.flights.byKey)
}

// Where Redis is slower than those who load, what waits for it is written as it is sent, so
// that memory holds it once. All of it arrives.
func TestWhatWaitsForASlowRedisIsWrittenAsItIsSent(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c, upstream := spentNode(t, urlOf(server)), &source{value: numbered}
	port, held := over(c, upstream), holdStores(c)
	product(t, port, "A")
	<-held.begun
	const many = maxWritten + 500
	for i := range many {
		product(t, port, commerce.SKU(fmt.Sprintf("B%d", i)))
	}
	waiting := func() (written, unwritten int) {
		c.remote.puts.mu.Lock()
		defer c.remote.puts.mu.Unlock()
		for _, p := range c.remote.puts.waiting {
			if p.in == nil {
				unwritten += len(p.writes)
			} else {
				written += len(p.writes)
			}
		}
		return written, unwritten
	}
	assert.Eventually(t, func() bool {
		written, unwritten := waiting()
		return written >= maxWritten && unwritten > 0 && written+unwritten >= many-1
	}, 30*time.Second, time.Millisecond)
	close(held.goes)
	c.work.Wait()
	assert.Empty(t, c.flights.byKey)
	stored := 0
	for _, key := range server.Keys() {
		if strings.HasPrefix(key, "portico:") {
			stored++
		}
	}
	assert.GreaterOrEqual(t, stored, many)
}
