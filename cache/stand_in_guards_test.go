package cache

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	peer "github.com/alicebob/miniredis/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What is invalidated while somebody waits does not stand in for what they wait for.
func TestC12_WhatWasInvalidatedStandsInForNothing(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"at the soft timeout": softTimeout / 2, "at the failure": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				upstream := &source{value: numbered}
				c, port := expired(t, upstream)
				upstream.set(func(s *source) { s.err, s.takes = errDown, 20*time.Millisecond })
				if after > upstream.takes {
					upstream.set(func(s *source) { s.takes = time.Minute })
				}
				var asked sync.WaitGroup
				asked.Go(func() {
					p, _, err := ask(t.Context(), port, "A")
					assert.Error(t, err)
					assert.Nil(t, p)
				})
				time.Sleep(after)
				require.NoError(t, c.Invalidate(t.Context(), commerce.TagProduct("A")))
				asked.Wait()
			})
		})
	}
}

// A system that says what is wrong with a question is no system that fails: nothing old
// is given for a while instead of asking it.
func TestC5_AnAnswerIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{value: numbered}
		_, port := expired(t, upstream)
		upstream.set(func(s *source) {
			s.err = &commerce.CallError{System: "pim", Operation: commerce.OpProducts, Kind: commerce.ErrInvalid}
		})
		for n := range 3 {
			_, _, err := ask(t.Context(), port, "A")
			require.ErrorIs(t, err, commerce.ErrInvalid)
			assert.Equal(t, n+2, upstream.count())
		}
	})
}

// While the stream is not heard Redis is not read, however well it answers otherwise.
func TestC14_WhoIsDeafDoesNotReadRedis(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	a, b := newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, Config{RedisURL: urlOf(server)})
	upstream := &source{}
	here, there := over(a, upstream), over(b, upstream)
	_, _, err := ask(t.Context(), here, "A")
	require.NoError(t, err)
	a.work.Wait()
	require.Len(t, entriesOf(server), 1)
	server.Server().SetPreHook(func(p *peer.Peer, command string, _ ...string) bool {
		if command != "XRANGE" && command != "XREAD" {
			return false
		}
		p.WriteError("NOPERM this user has no permissions to read the stream")
		return true
	})
	loses(t, b)
	_, at, err := ask(t.Context(), there, "A")
	require.NoError(t, err)
	assert.Equal(t, 2, upstream.count())
	assert.Equal(t, commerce.StateFresh, at.State)
}
