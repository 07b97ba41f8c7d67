package cache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// knowsTheTime waits until c has read Redis's clock.
func knowsTheTime(t *testing.T, c *Cache) {
	t.Helper()
	settles(t, "Redis's clock is read", func() bool { return c.remote.clock.Load() != nil })
}

// The clock of who wrote an entry, of who reads it, or Redis's is set by an hour: nobody
// takes it for younger than it is.
func TestC8_StoredEntriesAreNotYoungerThanTheyAreHoweverClocksAreSet(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newCache(t, Config{RedisURL: urlOf(server)})
	knowsTheTime(t, c)
	r := &remote{packer: c.remote.packer, metrics: c.remote.metrics} // whose clock only this test reads
	now := time.Now()
	r.clock.Store(c.remote.clock.Load())
	const hour = time.Hour
	taken, missed := 0, 0
	for _, age := range []time.Duration{0, time.Minute, 3 * hour} {
		for _, writer := range []time.Duration{-hour, 0, hour} {
			for _, reader := range []time.Duration{-hour, 0, hour} {
				for _, there := range []time.Duration{-hour, 0, hour} {
					wrong := 0
					for _, step := range []time.Duration{reader - writer, there} {
						if step != 0 {
							wrong++
						}
					}
					if wrong == 2 {
						continue // nobody is left who knows
					}
					s := stored{
						payload: []byte("v"), at: version{1, 0}, began: now.Add(-age + writer).Round(0),
						redis: r.redisTime(now.Add(-age)).Add(-there),
					}
					at := stepped(t, now, reader)
					got, ok := r.open(t.Context(), "k", string(r.packer.pack("k", s)), at)
					if !ok {
						missed++
						continue
					}
					taken++
					assert.GreaterOrEqual(t, at.Sub(got.began), age, "writer %v, reader %v, Redis %v", writer, reader, there)
				}
			}
		}
	}
	assert.Positive(t, missed, "who seems to come from the future is not taken")
	assert.Greater(t, taken, missed)

	s := stored{payload: []byte("v"), began: now.Add(-2 * hour).Round(0)}
	at := stepped(t, now, -hour)
	got, ok := r.open(t.Context(), "k", string(r.packer.pack("k", s)), at)
	require.True(t, ok)
	assert.Equal(t, hour, at.Sub(got.began), "without Redis's clock nobody could know")
}

// What is stored says when its load began by Redis's clock, whatever the process's own says.
func TestC8_WhatIsStoredSaysItsTimeByRedissClock(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	there := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	server.SetTime(there)
	c := newCache(t, Config{RedisURL: urlOf(server)})
	knowsTheTime(t, c)
	begun := c.remote.redisTime(time.Now())
	_, _, err := ask(t.Context(), over(c, &source{}), "A")
	require.NoError(t, err)
	c.work.Wait()
	text, err := server.Get(entriesOf(server)[0])
	require.NoError(t, err)
	s, err := c.remote.packer.unpack(onlyKey(t, c), []byte(text))
	require.NoError(t, err)
	assert.WithinRange(t, s.redis, begun.Add(-time.Second), c.remote.redisTime(time.Now()).Add(time.Second))
	assert.WithinRange(t, s.redis, there, there.Add(time.Hour))
}
