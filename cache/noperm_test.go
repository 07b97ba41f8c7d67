package cache

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	peer "github.com/alicebob/miniredis/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What Redis does not allow is a miss and a WARN: reads are answered, and
// invalidations hold here.
func TestC15_WhatRedisForbidsIsAMiss(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		forbidden []string
		warning   string
	}{
		{[]string{"EVAL", "EVALSHA"}, `"cache goes on without Redis" call=lease`},
		{[]string{"GET", "MGET"}, `"cache goes on without Redis" call=get`},
		{[]string{"SET"}, `"cache goes on without Redis" call=put`},
		{[]string{"XADD"}, `"cache goes on without Redis" call=invalidate`},
		{[]string{"XREAD"}, `"cache is not told of invalidations and asks for them"`},
		{[]string{"XRANGE"}, `"cache does not hear of other processes' invalidations"`},
		{[]string{"CLIENT"}, `"cache does not hear of other processes' invalidations"`}, // no connection is made at all
	} {
		t.Run(tc.forbidden[0], func(t *testing.T) {
			t.Parallel()
			// No answer of Redis is late here: on a busy machine a timeout would be the reason that is logged.
			synctest.Test(t, func(t *testing.T) { forbids(t, tc.forbidden, tc.warning) })
		})
	}
}

func forbids(t *testing.T, forbidden []string, warning string) {
	t.Helper()
	server, refused := refusing(t, forbidden)
	var logged bytes.Buffer
	c, err := onWire(&wire{server: server}, slog.New(slog.NewTextHandler(&logged, nil)))
	require.NoError(t, err)
	upstream := &source{}
	port := over(c, upstream)
	asked, begun := 0, time.Now()
	for asked < 2*breakAfter || refused.Load() < 2*breakAfter {
		require.Less(t, time.Since(begun), time.Minute, "%d refused", refused.Load())
		sku := commerce.SKU(fmt.Sprint("A", asked))
		asked++
		p, _, err := ask(t.Context(), port, sku)
		require.NoError(t, err)
		require.NotNil(t, p)
		c.work.Wait()
		if refused.Load() >= breakAfter {
			openFor(c, time.Now()) // what is kept away may try again
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = c.Invalidate(t.Context(), commerce.TagAll) // told later, where XADD is forbidden
	calls := upstream.count()
	_, _, err = ask(t.Context(), port, "A0")
	require.NoError(t, err)
	assert.Greater(t, upstream.count(), calls, "it holds here")
	require.NoError(t, c.Close())
	time.Sleep(2 * time.Second) // until go-redis has seen it
	server.Close()
	lines := logged.String()
	assert.Contains(t, lines, "msg="+warning+" reason=NOPERM")
	assert.LessOrEqual(t, strings.Count(lines, " of "), 1, "once, and not every time: %s", lines)
	assert.NotContains(t, lines, "of invalidations again", "nothing was well in between")
}

// refusing is a Redis that refuses the commands forbidden, and how many it refused.
func refusing(t *testing.T, forbidden []string) (server *miniredis.Miniredis, refused *atomic.Int64) {
	t.Helper()
	server, refused = miniredis.NewMiniRedis(), &atomic.Int64{}
	first, err := server.Dial() // with which it begins
	require.NoError(t, err)
	require.NoError(t, first.Close())
	server.Server().SetPreHook(func(p *peer.Peer, command string, _ ...string) bool {
		if !slices.Contains(forbidden, command) {
			return false
		}
		refused.Add(1)
		p.WriteError("NOPERM this user has no permissions to run the '" + strings.ToLower(command) + "' command")
		return true
	})
	return server, refused
}

// openFor lets every open breaker of c try at now.
func openFor(c *Cache, now time.Time) {
	for _, b := range []*breaker{&c.remote.reads, &c.remote.writes, &c.remote.leases} {
		b.mu.Lock()
		b.next = now
		b.mu.Unlock()
	}
}
