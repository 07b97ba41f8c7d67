//go:build e2e

package e2e

import (
	"flag"
	"slices"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// cacheFull stretches the tests of the cache to their full length.
var cacheFull = flag.Bool("cache-full", false, "run the tests of the cache at full length")

// weather is one way for Redis to fail.
type weather struct {
	name   string
	toxics []toxic
	cut    bool
	script string                                   // the answer of a Redis that stands in
	ill    func(t *testing.T, client *redis.Client) // makes the real one ill …
	well   func(t *testing.T, client *redis.Client) // … and well again
}

func setting(t *testing.T, client *redis.Client, name, value string) {
	t.Helper()
	require.NoError(t, client.ConfigSet(t.Context(), name, value).Err())
}

// redisWeathers are all of them. Toxiproxy counts kilobytes: a byte a second is a slice of one byte, and a pause.
var redisWeathers = []weather{
	{name: "down", cut: true},
	{name: "5 s latency", toxics: []toxic{{"latency", "downstream", toxiproxy.Attributes{"latency": 5000}}}},
	{name: "1 byte a second", toxics: []toxic{{"slicer", "downstream", toxiproxy.Attributes{"average_size": 1, "size_variation": 0, "delay": 1_000_000}}}},
	{name: "reset", toxics: []toxic{{"reset_peer", "downstream", toxiproxy.Attributes{"timeout": 0}}}},
	{name: "sliced", toxics: []toxic{{"slicer", "downstream", toxiproxy.Attributes{"average_size": 8, "size_variation": 4, "delay": 5000}}}},
	{name: "truncated", toxics: []toxic{{"limit_data", "downstream", toxiproxy.Attributes{"bytes": 150}}}},
	{
		name: "OOM",
		ill:  func(t *testing.T, c *redis.Client) { setting(t, c, "maxmemory", "1") },
		well: func(t *testing.T, c *redis.Client) { setting(t, c, "maxmemory", "0") },
	},
	{
		name: "READONLY", // the replica of a master that is gone
		ill: func(t *testing.T, c *redis.Client) {
			require.NoError(t, c.ReplicaOf(t.Context(), "127.0.0.1", "1").Err())
		},
		well: func(t *testing.T, c *redis.Client) { require.NoError(t, c.ReplicaOf(t.Context(), "NO", "ONE").Err()) },
	},
	{
		name: "NOAUTH",
		ill: func(t *testing.T, c *redis.Client) {
			setting(t, c, "requirepass", "secret")
			require.NoError(t, c.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err())
		},
		well: func(t *testing.T, c *redis.Client) { setting(t, c, "requirepass", "") },
	},
	{name: "OOM to everything", script: "OOM command not allowed when used memory > 'maxmemory'."},
	{name: "LOADING", script: "LOADING Redis is loading the dataset in memory"},
	{name: "MOVED", script: "MOVED 3999 127.0.0.1:1"},
}

// weathered is two shops alike, one without a Redis and one with one that fails.
type weathered struct {
	server     *redisServer
	client     *redis.Client // never hurt
	link       *link
	plain, ill *stack.Stack
	looks      *looks
}

func (w *weathered) begin(t *testing.T, now weather) {
	for _, toxic := range now.toxics {
		_, err := w.link.proxy.AddToxic("", toxic.kind, toxic.stream, 1, toxic.attributes)
		require.NoError(t, err)
	}
	if now.cut {
		w.link.cut()
	}
	if now.script != "" {
		w.link.anew(scripted(t, now.script))
	}
	if now.ill != nil {
		now.ill(t, w.client)
	}
}

func (w *weathered) end(t *testing.T, now weather) {
	if now.well != nil {
		now.well(t, w.client)
		return
	}
	w.link.anew("127.0.0.1:" + w.server.port)
}

// Whatever Redis does, both channels answer reads in full and hardly later than
// without one, ask the systems no more often, and use it again once it is well.
// It runs by itself, since it compares times.
func TestC15_NoRedisFailureIsAShoppers(t *testing.T) {
	w := &weathered{server: newRedis(t)}
	w.server.start()
	w.client = w.server.client()
	t.Cleanup(func() { _ = w.client.Close() })
	w.link = newLink(t, linksOnly(t), "redis", "127.0.0.1:"+w.server.port)
	w.plain, w.ill = start(t, patient()...), start(t, append(patient(), "REDIS_URL="+w.link.url())...)
	w.looks = newLooks(w.plain)
	w.usedAgain(t, "at the start")
	for _, now := range redisWeathers {
		t.Run(now.name, func(t *testing.T) {
			w.begin(t, now)
			w.compare(t, now)
			w.end(t, now)
			w.usedAgain(t, now.name)
		})
	}
}

// compare reads from both shops in turn, so that what else the machine does slows both.
func (w *weathered) compare(t *testing.T, now weather) {
	rounds := 50
	if *cacheFull {
		rounds = 100
	}
	forgetCalls(t, w.plain)
	forgetCalls(t, w.ill)
	var plain, ill []time.Duration
	for range rounds {
		at := w.looks.one(t)
		plain = append(plain, at.web(t, w.plain), at.mobile(t, w.plain))
		ill = append(ill, at.web(t, w.ill), at.mobile(t, w.ill))
	}
	const opening = 20 // requests in which the breaker opens for sure
	late := quantile(slices.Clone(ill[opening:]), 0.99) - quantile(slices.Clone(plain[opening:]), 0.99)
	added := quantile(ill, 0.99) - quantile(plain, 0.99)
	asked, askedPlain := repliedBytes(t, w.ill), repliedBytes(t, w.plain)
	t.Logf("%s: added p99 %v, %v once open (%v at all); upstream bytes %d in %d calls, without Redis %d in %d", now.name, added, late, quantile(ill, 0.99),
		asked, total(calls(t, w.ill)), askedPlain, total(calls(t, w.plain)))
	// What else a busy machine does is in the p99 of both; the full run, on a quiet one, holds the figures themselves.
	assert.LessOrEqual(t, quantile(ill, 0.5)-quantile(plain, 0.5), 20*time.Millisecond, "added p50")
	if *cacheFull {
		assert.LessOrEqual(t, added, 20*time.Millisecond+tolerance, "added p99")
		assert.LessOrEqual(t, late, time.Millisecond+tolerance, "added p99 once the breaker is open")
	}
	// Not calls: parts of a page that begin at about one time share one, which what else the machine does decides.
	assert.LessOrEqual(t, asked, askedPlain*11/10, "bytes that the systems answered")
}

// repliedBytes is how many bytes the systems have answered, in as many calls as may be: what is asked for twice counts twice.
func repliedBytes(t *testing.T, s *stack.Stack) int64 {
	t.Helper()
	all := int64(0)
	for _, n := range s.Server().Bytes() {
		all += n
	}
	require.Positive(t, all)
	return all
}

// usedAgain waits until what the web channel loads is answered to the mobile one from Redis.
func (w *weathered) usedAgain(t *testing.T, after string) {
	t.Helper()
	before, begun := fromRedis(t, w.ill.MobileAdmin), time.Now()
	for fromRedis(t, w.ill.MobileAdmin) == before {
		require.Less(t, time.Since(begun), time.Minute, after)
		at := w.looks.one(t)
		at.web(t, w.ill)
		time.Sleep(20 * time.Millisecond) // it is stored behind the answer
		at.mobile(t, w.ill)
	}
	took := time.Since(begun)
	t.Logf("%s: used again after %v", after, took)
	if *cacheFull {
		assert.LessOrEqual(t, took, 2*time.Second+50*tolerance, "%s: two seconds, and what two busy cores take for the looks themselves", after)
	}
}

// A channel starts while Redis is down, and uses it once it is there.
func TestC15_RedisMayComeLater(t *testing.T) {
	t.Parallel()
	w := &weathered{server: newRedis(t)} // nothing listens there
	w.ill = start(t, append(patient(), "REDIS_URL="+w.server.url())...)
	w.looks = newLooks(w.ill)
	for range 10 {
		at := w.looks.one(t)
		at.web(t, w.ill)
		at.mobile(t, w.ill)
	}
	w.server.start()
	w.usedAgain(t, "a start without Redis")
}
