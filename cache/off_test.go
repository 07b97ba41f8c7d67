package cache

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestOff_EveryReadAsksItsSystemAndNothingIsKept(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	cfg := Config{Off: true, RedisURL: commerce.Secret("redis://" + server.Addr()), AnswerBytes: 1 << 20}
	c := newCache(t, cfg)
	system := &source{}
	port := over(c, system)
	for range 2 {
		p, at, err := ask(t.Context(), port, "HAT")
		require.NoError(t, err)
		assert.Equal(t, commerce.SKU("HAT"), p.SKU)
		assert.Equal(t, commerce.StateFresh, at.State)
		assert.Zero(t, at.Fresh, "nobody else may keep it either")
	}
	assert.Equal(t, 2, system.count())
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { require.NoError(t, client.Close()) }()
	entries, err := client.Keys(t.Context(), "*HAT*").Result()
	require.NoError(t, err)
	assert.Empty(t, entries)
	system.set(func(s *source) { s.err = errDown })
	_, at, err := ask(t.Context(), port, "HAT")
	require.ErrorIs(t, err, commerce.ErrUnavailable, "nothing stale stands in")
	assert.Equal(t, commerce.StateMissing, at.State)
	answers, err := NewAnswers(c, cfg, "web", nil)
	require.NoError(t, err)
	assert.Nil(t, answers)
}

func TestOff_ReadsAtATimeShareACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, Config{Off: true})
		system := &source{takes: time.Second}
		port := over(c, system)
		for range 5 {
			go func() {
				_, _, err := ask(t.Context(), port, "HAT")
				assert.NoError(t, err)
			}()
		}
		time.Sleep(2 * time.Second)
		assert.Equal(t, 1, system.count())
	})
}
