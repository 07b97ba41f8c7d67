package cache

import (
	"context"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestMain(m *testing.M) {
	// go-redis looks for a server that is gone once a second, and sees only then that its client was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

var (
	us = commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}
	eu = commerce.Market{Channel: "eu", Locale: "fr", Currency: "EUR", Country: "FR"}
)

// realTime is for tests outside of bubbles: a busy machine is not a slow upstream.
var realTime = Config{HardTimeout: 30 * time.Second}

func newCache(t testing.TB, cfg Config) *Cache {
	t.Helper()
	if cfg.RedisURL != "" && cfg.HardTimeout == 0 {
		cfg.HardTimeout = realTime.HardTimeout
	}
	c, err := New(cfg, Deps{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	if c.remote != nil {
		patient(c)
		hear(t, c)
	}
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// patient makes c wait long for Redis, as nothing has asked it yet: a busy machine is not a dead Redis.
func patient(c *Cache) {
	const long = 30 * time.Second
	c.remote.wait = long
	switch client := c.remote.client.(type) {
	case *redis.Client:
		client.Options().ReadTimeout, client.Options().WriteTimeout = long, long
	case *redis.ClusterClient:
		client.Options().ReadTimeout, client.Options().WriteTimeout = long, long
	}
}

func newRedis(t testing.TB) *miniredis.Miniredis {
	t.Helper()
	server := miniredis.NewMiniRedis()
	require.NoError(t, server.Start())
	t.Cleanup(server.Close)
	return server
}

// hear waits until c knows what others invalidated, if there is a Redis to tell it.
func hear(t testing.TB, c *Cache) {
	t.Helper()
	if c.Ping(context.WithoutCancel(t.Context())) != nil {
		return
	}
	for !c.news.current.Load() {
		runtime.Gosched()
	}
}

// entriesOf are the keys in Redis that hold answers.
func entriesOf(server *miniredis.Miniredis) []string {
	return slices.DeleteFunc(server.Keys(), func(key string) bool { return key == newsStream || strings.HasPrefix(key, "portico:lease:") })
}

func aWrite(began time.Time) write {
	return writeOf("k", stored{payload: []byte("v"), began: began, at: version{1, 0}}, time.Minute)
}

// writeOf is what stores s, as it is, for life from when it began.
func writeOf(key string, s stored, life time.Duration) write {
	raw := codec{stored: reflect.TypeFor[[]byte](), write: func(to *sheet, _ any) { to.b = append(to.b, s.payload...) }}
	e := (&entry{value: s.payload, began: s.began, tags: s.tags, stamp: stamp{global: s.at}}).of(&plan{codec: raw, policy: Policy{Fresh: life}}, key)
	return write{address: address(key), entry: e}
}

func urlOf(server *miniredis.Miniredis) commerce.Secret {
	return commerce.Secret("redis://" + server.Addr())
}

func ann() commerce.Principal {
	return commerce.Principal{Tenant: "default", Subject: "C1", Email: "ann@example.test", EmailVerified: true}
}

func bob() commerce.Principal {
	return commerce.Principal{Tenant: "default", Subject: "C2", Email: "bob@example.test", EmailVerified: true}
}
