package cache

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	peer "github.com/alicebob/miniredis/v2/server"
	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/commerce"
)

// A full Redis takes no invalidation: the others drop everything instead, once, and hear
// again by themselves when it takes more.
func TestC15_AFullRedisStopsNoInvalidation(t *testing.T) {
	t.Parallel()
	for name, begins := range map[string]bool{"the stream cannot be begun anew": false, "it can, and then is full again": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			upstream := &catalogAt{}
			a, b := newNode(t, urlOf(server)), newNode(t, urlOf(server))
			here, there := over(a, upstream), over(b, upstream)
			skus, tags := manySKUs(3)
			olderThan(t, here, skus, 0)
			olderThan(t, there, skus, 0)
			a.work.Wait()
			b.work.Wait()
			var full atomic.Bool
			var refused, ended atomic.Int64
			full.Store(true)
			server.Server().SetPreHook(func(p *peer.Peer, command string, args ...string) bool {
				if command == "DEL" && args[0] == newsStream {
					ended.Add(1)
				}
				first := command == "XADD" && !slices.Contains(args, "*") // of a stream begun anew
				stores := command == "XADD" || command == "SET" || (command == "EVAL" && strings.Contains(args[0], "'set'"))
				if !full.Load() || !stores || (first && begins) {
					return false
				}
				if command == "XADD" {
					refused.Add(1)
				}
				p.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
				return true
			})
			for round := range int64(2) {
				least := upstream.now.Add(1)
				assert.ErrorIs(t, a.Invalidate(t.Context(), tags...), commerce.ErrUnavailable)
				assert.Zero(t, olderThan(t, here, skus, least), "at once where it was said")
				if begins || round == 0 {
					settles(t, "the other follows", func() bool { return olderThan(t, there, skus, least) == 0 })
				} else {
					assert.False(t, b.news.current.Load(), "it hears nobody, and is bound by that")
				}
				tried := refused.Load()
				settles(t, "it is tried again", func() bool { return refused.Load() > tried+5 })
				times := int64(1)
				if begins {
					times += round
				}
				assert.Equal(t, times, ended.Load(), "once for each that others would have missed")
			}

			full.Store(false)
			settles(t, "all is told", func() bool { return !pending(a.tags) })
			knows(t, b, a.Redis())
			least := upstream.now.Add(1)
			invalidate(t, a, tags...)
			knows(t, b, a.Redis())
			assert.Zero(t, olderThan(t, there, skus, least), "as before")
			assert.True(t, a.news.current.Load())
		})
	}
}
