package cache

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	peer "github.com/alicebob/miniredis/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// ages makes all that c holds, and Redis for it, older by d.
func ages(t *testing.T, c *Cache, server *miniredis.Miniredis, d time.Duration) {
	t.Helper()
	c.memory.each(func(key string, e *entry) {
		e.began = e.began.Add(-d)
		raw, err := server.Get(address(key))
		require.NoError(t, err)
		s, err := c.remote.packer.unpack(key, []byte(raw))
		require.NoError(t, err)
		s.began, s.redis = s.began.Add(-d), s.redis.Add(-d)
		require.NoError(t, server.Set(address(key), string(c.remote.packer.pack(key, s))))
	})
}

// wholeLives makes what the next load brings live as long as its policy says.
func wholeLives(c *Cache) { c.phases.dealt.Store(math.MaxUint64) }

func absentNow(s *source) {
	s.value = func(int, commerce.SKU) *commerce.Product { return nil }
}

// What a system said is gone does not come back once that is forgotten: neither as
// fresh, nor when the system fails. A full Redis lets go of it, too.
func TestC5_WhatIsGoneDoesNotComeBackFromRedis(t *testing.T) {
	t.Parallel()
	for name, full := range map[string]bool{"Redis stores": false, "Redis is full": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			c := newNode(t, urlOf(server))
			upstream := &source{}
			port := over(c, upstream)
			wholeLives(c)
			_, _, err := ask(t.Context(), port, "A")
			require.NoError(t, err)
			c.work.Wait()
			if full {
				runsFull(server)
				for i := range 2 * breakAfter { // the breaker opens
					_, _, err = ask(t.Context(), port, commerce.SKU(strings.Repeat("B", i+1)))
					require.NoError(t, err)
					c.work.Wait()
				}
				c.memory.values.InvalidateAll()
				openFor(c, time.Now().Add(time.Hour)) // nor is it tried again
				wholeLives(c)
				_, _, err = ask(t.Context(), port, "A") // from Redis
				require.NoError(t, err)
			}
			ages(t, c, server, 290*time.Second)
			upstream.set(absentNow)
			_, _, err = ask(t.Context(), port, "A") // has it renewed
			require.NoError(t, err)
			c.work.Wait()
			p, _, err := ask(t.Context(), port, "A")
			require.NoError(t, err)
			require.Nil(t, p, "it is known to be gone")

			c.memory.absent.InvalidateAll() // five seconds pass
			wholeLives(c)
			p, at, err := ask(t.Context(), port, "A")
			require.NoError(t, err)
			assert.Nil(t, p, "given as %s, %v old", at.State, at.Age)
			c.memory.absent.InvalidateAll()
			wholeLives(c)
			upstream.set(func(s *source) { s.err = errDown })
			p, at, err = ask(t.Context(), port, "A")
			require.Error(t, err, "given as %s, %v old", at.State, at.Age)
			assert.Nil(t, p)
		})
	}
}

// runsFull makes server a Redis without memory for anything more.
func runsFull(server *miniredis.Miniredis) {
	server.Server().SetPreHook(func(p *peer.Peer, command string, args ...string) bool {
		script := command == "EVAL" && strings.Contains(args[0], "'set'")
		if command != "XADD" && command != "SET" && !script {
			return false
		}
		p.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
		return true
	})
}
