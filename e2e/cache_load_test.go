//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// load is asked at a constant rate, whatever the answers take.
type load struct {
	rps    int
	length time.Duration
}

// asked is when something was asked for, since the beginning, what that took, and what came.
type asked struct {
	at, took time.Duration
	glance
	ok bool
}

// at asks a node for what key says and answers everything that came, in the order of asking.
func (l load) at(ctx context.Context, node *cacheNode, key func(i int) string) []asked {
	list := make([]asked, int(l.length.Seconds()*float64(l.rps)))
	tick := time.NewTicker(time.Second / time.Duration(l.rps))
	defer tick.Stop()
	var wg sync.WaitGroup
	begun := time.Now()
	for i := range list {
		<-tick.C
		sku := key(i)
		wg.Go(func() {
			asking := time.Now()
			seen, ok := node.look(ctx, sku)
			list[i] = asked{at: asking.Sub(begun), took: time.Since(asking), glance: seen, ok: ok}
		})
	}
	wg.Wait()
	return list
}

// times are what those took that were asked for from a time on.
func times(list []asked, from time.Duration) []time.Duration {
	var took []time.Duration
	for _, one := range list {
		if one.at >= from {
			took = append(took, one.took)
		}
	}
	return took
}

// nothings counts those that came to nothing from a time on.
func nothings(list []asked, from time.Duration) int {
	n := 0
	for _, one := range list {
		if one.at >= from && !one.ok {
			n++
		}
	}
	return n
}

// A system fails for a minute while five hundred requests a second want what it said
// before: all are answered, and it is hardly asked.
func TestC5_AFailingSystemIsAnsweredForAndLeftAlone(t *testing.T) {
	t.Parallel()
	const keys, throttle, soft = 50, 5 * time.Second, 100 * time.Millisecond
	l := load{rps: 200, length: 6 * time.Second}
	if *cacheFull {
		l = load{rps: 500, length: time.Minute}
	}
	r := newCatalogue(t)
	node := newNode(t, build(t, "./e2e/cachenode"), "", r, "LIFETIME=200ms")
	key := func(i int) string { return fmt.Sprint("sku-", i%keys) }
	for i := range keys {
		r.rename(key(i), "name")
		require.Equal(t, "name", node.name(key(i)))
	}
	time.Sleep(200 * time.Millisecond) // their lifetimes
	r.set(func(r *catalogue) { r.fails = true })
	before := r.total()
	began := time.Now()
	list := l.at(t.Context(), node, key)
	attempts, allowed := r.total()-before, keys*int((time.Since(began)+throttle-1)/throttle) // a busy machine asks more slowly
	marked, took := 0, times(list, 0)
	for _, one := range list {
		if one.state == "stale" && one.name == "name" {
			marked++
		}
	}
	figure(t, "C5", "%d requests in %v: %d answered, %d marked as stale, p99 %v; %d attempts, %d allowed", len(list), l.length, len(list)-nothings(list, 0), marked, quantile(took, 0.99), attempts, allowed)
	assert.Zero(t, nothings(list, 0), "all are answered")
	assert.Equal(t, len(list), marked, "all are marked")
	assert.LessOrEqual(t, attempts, allowed)
	if *cacheFull {
		assert.LessOrEqual(t, quantile(took, 0.99), soft+5*time.Millisecond+tolerance)
	}
}

// A process starts with nothing under a thousand requests a second for ten thousand
// products: the system is never asked for more at a time than it is allowed to be.
func TestC23_AColdProcessUnderLoad(t *testing.T) {
	t.Parallel()
	const takes = 20 * time.Millisecond
	keys, limit, l, calm := 500, 2, load{rps: 200, length: 6 * time.Second}, 5*time.Second
	if *cacheFull {
		keys, limit, l, calm = 10_000, 12, load{rps: 1000, length: 40 * time.Second}, 30*time.Second
	}
	r := newCatalogue(t)
	r.slow(takes)
	node := newNode(t, build(t, "./e2e/cachenode"), "", r, fmt.Sprint("MAX_CONCURRENT=", limit))
	popular := rand.NewZipf(rand.New(rand.NewPCG(23, 23)), 1.2, 20, uint64(keys-1))
	list := l.at(t.Context(), node, func(int) string { return fmt.Sprint("sku-", popular.Uint64()) })
	first := times(list, 0)[:l.rps]
	last := times(list, calm)
	figure(t, "C23", "%d keys, %d requests a second: p99 %v in the first second, %v from %v on; %d of %d refused, %d of them from then on; upstream concurrency %d at most, limit %d",
		keys, l.rps, quantile(first, 0.99), quantile(last, 0.99), calm, nothings(list, 0), len(list), nothings(list, calm), r.most, limit)
	assert.Equal(t, limit, r.most, "it was felt, and kept")
	assert.Zero(t, nothings(list, calm))
	if *cacheFull {
		assert.LessOrEqual(t, quantile(last, 0.99), takes+5*tolerance)
	}
}

// Whatever Redis does, a system behind the cache is asked for no more at a time than
// without one, nobody is refused, and nobody waits for Redis.
func TestC15_ASickRedisUnderLoad(t *testing.T) {
	if !*cacheFull { // at full length times are compared
		t.Parallel()
	}
	const limit, takes = 4, 20 * time.Millisecond
	l, opening := load{rps: 100, length: 600 * time.Millisecond}, 400*time.Millisecond
	if *cacheFull {
		l, opening = load{rps: 150, length: 5 * time.Second}, time.Second
	}
	w := &weathered{server: newRedis(t)}
	w.server.start()
	w.client = w.server.client()
	t.Cleanup(func() { _ = w.client.Close() })
	w.link = newLink(t, linksOnly(t), "redis", "127.0.0.1:"+w.server.port)
	bin, most := build(t, "./e2e/cachenode"), fmt.Sprint("MAX_CONCURRENT=", limit)
	without, with := newCatalogue(t), newCatalogue(t)
	plain, ill, other := newNode(t, bin, "", without, most), newNode(t, bin, w.link.url(), with, most), newNode(t, bin, w.server.url(), with)
	without.slow(takes)
	with.slow(takes)
	shared(t, with, ill, other)
	for n, now := range redisWeathers {
		w.begin(t, now)
		key := func(i int) string { return fmt.Sprint("weather-", n, "-", i) }
		var alone, sick []asked
		var wg sync.WaitGroup
		wg.Go(func() { alone = l.at(t.Context(), plain, key) })
		wg.Go(func() { sick = l.at(t.Context(), ill, key) })
		wg.Wait()
		added := quantile(times(sick, 0), 0.99) - quantile(times(alone, 0), 0.99)
		late := quantile(times(sick, opening), 0.99) - quantile(times(alone, opening), 0.99)
		middle := quantile(times(sick, 0), 0.5) - quantile(times(alone, 0), 0.5)
		w.end(t, now)
		well := time.Now()
		shared(t, with, ill, other)
		took := time.Since(well)
		figure(t, "C15", "%s: added %v at p50, %v at p99, %v once open; %d of %d refused; upstream concurrency %d at most, limit %d; used again after %v",
			now.name, middle, added, late, nothings(sick, 0), len(sick), with.most, limit, took.Round(time.Millisecond))
		assert.Zero(t, nothings(sick, 0), now.name)
		assert.LessOrEqual(t, with.most, limit, now.name)
		if *cacheFull {
			assert.LessOrEqual(t, took, 2*time.Second+50*tolerance, now.name)
			assert.LessOrEqual(t, added, 20*time.Millisecond+tolerance, "%s: added p99", now.name)
			assert.LessOrEqual(t, late, time.Millisecond+tolerance, "%s: added p99 once the breaker is open", now.name)
		}
	}
}
