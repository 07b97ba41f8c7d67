package cache

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pair is two processes with one Redis in a bubble, whose keys end as time passes there.
type pair struct {
	a, b  *Cache
	toA   *wire
	redis *miniredis.Miniredis
}

// inPair plays with two processes that hear each other.
func inPair(t *testing.T, play func(t *testing.T, p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := miniredis.NewMiniRedis()
		p := &pair{toA: &wire{server: server}, redis: server}
		var err error
		p.a, err = onWire(p.toA)
		require.NoError(t, err)
		p.b, err = onWire(&wire{server: server})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		var clock sync.WaitGroup
		clock.Go(func() {
			const tick = 5 * time.Millisecond
			for ctx.Err() == nil {
				time.Sleep(tick)
				server.FastForward(tick)
			}
		})
		time.Sleep(time.Second)
		play(t, p)
		p.toA.set(false)
		time.Sleep(2 * time.Second) // until go-redis has seen it
		stop()
		clock.Wait()
		require.NoError(t, p.a.Close())
		require.NoError(t, p.b.Close())
		server.Close()
	})
}

// The connection of the holder breaks while it loads, or the holder is killed: who waits
// in the other process is given an answer, and long before their time is up.
func TestC2_AHolderThatIsCutOffFailsNobodyElse(t *testing.T) {
	t.Parallel()
	for name, mends := range map[string]bool{"reset": true, "killed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inPair(t, func(t *testing.T, p *pair) {
				upstream := &source{takes: 150 * time.Millisecond}
				here := askLater(t.Context(), over(p.a, upstream), "A")
				time.Sleep(120 * time.Millisecond) // it has renewed its lease, and has yet to store
				p.toA.set(true)
				begun := time.Now()
				there := askLater(t.Context(), over(p.b, upstream), "A")
				if mends {
					time.Sleep(200 * time.Millisecond)
					p.toA.set(false)
				}
				res := <-there
				require.NoError(t, res.err)
				assert.NotNil(t, res.product)
				assert.LessOrEqual(t, time.Since(begun), leaseLife+leaseLook+leasePlay+upstream.takes+10*time.Millisecond)
				assert.Less(t, time.Since(begun), defaultHardTimeout*2/3)
				assert.Equal(t, 2, upstream.count())
				require.NoError(t, (<-here).err)
			})
		})
	}
}

// A load that takes far longer than a lease lasts is one for all nevertheless.
func TestC2_OneLoadLongerThanItsLease(t *testing.T) {
	t.Parallel()
	inPair(t, func(t *testing.T, p *pair) {
		p.a.hardTimeout, p.b.hardTimeout = loadTimeout, loadTimeout
		upstream := &source{takes: 8 * leaseLife}
		assert.Empty(t, stampede(t, over(p.a, upstream), over(p.b, upstream)))
		assert.Equal(t, 1, upstream.count())
		p.a.work.Wait()
		p.b.work.Wait()
		assert.Empty(t, leasesAt(p.redis), "given back")
	})
}
