package cache

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/portico-bff/portico/schema/commerce"
)

// catalogAt answers products whose name is what the upstream holds now.
type catalogAt struct{ now atomic.Int64 }

func (c *catalogAt) Products(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		found[sku] = &commerce.Product{SKU: sku, Name: fmt.Sprint(c.now.Load()), Categories: []commerce.CategoryRef{{ID: "bikes"}}}
	}
	return found, nil
}

func manySKUs(n int) ([]commerce.SKU, []commerce.Tag) {
	skus, tags := make([]commerce.SKU, n), make([]commerce.Tag, n)
	for i := range skus {
		skus[i] = commerce.SKU(fmt.Sprint("SKU-", i))
		tags[i] = commerce.TagProduct(skus[i])
	}
	return skus, tags
}

// olderThan counts the products that port answers older than least.
func olderThan(t *testing.T, port commerce.Catalog, skus []commerce.SKU, least int64) int {
	t.Helper()
	found, err := port.Products(t.Context(), us, skus)
	require.NoError(t, err)
	old := 0
	for _, p := range found {
		var at int64
		_, err := fmt.Sscan(p.Name, &at)
		require.NoError(t, err)
		if at < least {
			old++
		}
	}
	return old
}

// settles waits until ok holds, which someone else's goroutine makes so.
func settles(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 20*time.Second, 2*time.Millisecond, what)
}

// invalidate invalidates at c and waits until Redis was told, at the second attempt
// where a busy machine lets the first time out.
func invalidate(t *testing.T, c *Cache, tags ...commerce.Tag) {
	t.Helper()
	if err := c.Invalidate(t.Context(), tags...); err != nil {
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		settles(t, "Redis is told", func() bool { return !pending(c.tags) })
	}
}

func pending(table *tagTable) bool {
	table.mu.RLock()
	defer table.mu.RUnlock()
	for _, m := range table.marks {
		if m.pending > 0 {
			return true
		}
	}
	return false
}

// knows waits until c has taken all that the stream holds now.
func knows(t *testing.T, c *Cache, through redis.UniversalClient) {
	t.Helper()
	last, err := through.XRevRangeN(t.Context(), newsStream, "+", "-", 1).Result()
	require.NoError(t, err)
	require.Len(t, last, 1)
	at, ok := parseVersion(last[0].ID)
	require.True(t, ok)
	settles(t, "the stream is followed", func() bool { return c.news.current.Load() && !c.tags.stamp().global.before(at) })
}

func TestC12_InvalidationReachesEveryProcess(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &catalogAt{}
	skus, _ := manySKUs(50)
	a, b := newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, Config{RedisURL: urlOf(server)})
	here, there := over(a, upstream), over(b, upstream)
	for i, tag := range []commerce.Tag{"product:SKU-7", "category:bikes", commerce.TagOperation(commerce.OpProducts), "system:pim", commerce.TagAll} {
		asked := skus
		if i == 0 {
			asked = skus[7:8]
		}
		olderThan(t, here, skus, 0)
		olderThan(t, there, skus, 0)
		a.work.Wait()
		least := upstream.now.Add(1)
		invalidate(t, a, tag)
		assert.Zero(t, olderThan(t, here, asked, least), "%s: never again here", tag)
		knows(t, b, a.Redis())
		assert.Zero(t, olderThan(t, there, asked, least), "%s: nor there, once it is heard", tag)
		if i == 0 {
			assert.Equal(t, 49, olderThan(t, there, skus, least), "nothing else is dropped")
		}
	}
}

// What Redis holds from before an invalidation is not taken over by a process that started after it.
func TestC12_NewProcessesKnowWhatWasInvalidated(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &catalogAt{}
	skus, tags := manySKUs(10)
	a := newCache(t, Config{RedisURL: urlOf(server)})
	olderThan(t, over(a, upstream), skus, 0)
	a.work.Wait()
	least := upstream.now.Add(1)
	invalidate(t, a, tags[:4]...)
	late := over(newCache(t, Config{RedisURL: urlOf(server)}), upstream)
	assert.Equal(t, 6, olderThan(t, late, skus, least), "six are taken from Redis, four are not")

	// An empty stream beside old entries says nothing about them.
	server.Del(newsStream)
	later := over(newCache(t, Config{RedisURL: urlOf(server)}), upstream)
	assert.Zero(t, olderThan(t, later, skus, least))
}

func TestC12_AnAnswerUnderWayIsNotGivenToWhoAsksLater(t *testing.T) {
	t.Parallel()
	c := newCache(t, realTime)
	first, proceed := make(chan struct{}), make(chan struct{})
	var calls atomic.Int64
	slow := catalogFunc(func() string {
		if calls.Add(1) == 1 {
			close(first)
			<-proceed
			return "old"
		}
		return "new"
	})
	port := over(c, slow)
	var wg sync.WaitGroup
	wg.Go(func() { _, _, err := ask(t.Context(), port, "A"); assert.NoError(t, err) })
	<-first
	// Only the value tells that it is of this category: who asks now cannot know, and joins.
	require.NoError(t, c.Invalidate(t.Context(), commerce.TagCategory("bikes")))
	wg.Go(func() {
		p, _, err := ask(t.Context(), port, "A")
		assert.NoError(t, err)
		assert.Equal(t, "new", p.Name)
	})
	settles(t, "the second has joined", func() bool {
		c.flights.mu.Lock()
		defer c.flights.mu.Unlock()
		for _, f := range c.flights.byKey {
			return f.waiting == 2
		}
		return false
	})
	close(proceed)
	wg.Wait()
	p, at, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	assert.Equal(t, "new", p.Name)
	assert.Equal(t, commerce.ScopePublic, at.Scope)
	assert.Equal(t, []commerce.Tag{"product:A", "sku:A", "op:catalog.products", "system:pim", "all", "category:bikes"}, at.Tags)
}

type catalogFunc func() string

func (f catalogFunc) Products(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	name, found := f(), map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		found[sku] = &commerce.Product{SKU: sku, Name: name, Categories: []commerce.CategoryRef{{ID: "bikes"}}}
	}
	return found, nil
}

// Redis's clock is an hour behind, and who wrote the entries is ten minutes ahead
// or behind: only what their loads knew of counts.
func TestC13_NoClockDecides(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	server.SetTime(time.Now().Add(-time.Hour))
	c := newCache(t, Config{RedisURL: urlOf(server)})
	traits := map[commerce.Operation]commerce.Traits{commerce.OpProducts: {System: "pim", Scope: commerce.ScopePublic, Lifetime: time.Hour}}
	upstream := &catalogAt{}
	port := c.Wrap(commerce.Ports{Catalog: upstream, Traits: traits}).Catalog
	own := wrapper{c, traits}.plan(commerce.OpProducts, codecOf[*commerce.Product]())
	prefix, _ := own.prefix(inMarket(us))

	before := c.tags.stamp().global
	invalidate(t, c, commerce.TagProduct("A"))
	knows(t, c, c.Redis())
	after := c.tags.stamp().global
	require.True(t, before.before(after))
	for name, tc := range map[string]struct {
		skew time.Duration
		at   version
		want string
	}{
		"loaded before, clock ahead":        {10 * time.Minute, before, "0"},
		"loaded before, clock a bit ahead":  {time.Second, before, "0"},
		"loaded before, clock behind":       {-10 * time.Minute, before, "0"},
		"loaded after, clock behind":        {-10 * time.Minute, after, "theirs"},
		"loaded after, clocks alike":        {0, after, "theirs"},
		"loaded after, clock far ahead":     {10 * time.Minute, after, "0"}, // its age is unknown
		"loaded by who knew of nothing yet": {0, version{}, "0"},
	} {
		c.memory.values.InvalidateAll()
		theirs := stored{payload: payloadOf(t, codecOf[*commerce.Product](), &commerce.Product{SKU: "A", Name: "theirs"}), began: time.Now().Add(tc.skew), at: tc.at}
		c.remote.put(t.Context(), []write{writeOf(withArgs(prefix, "A"), theirs, 2*time.Hour)}, nil)
		p, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		assert.Equal(t, tc.want, p.Name, name)
		c.work.Wait()
	}
}

// link is the network between a process and Redis, which a test cuts and points elsewhere.
type link struct {
	mu    sync.Mutex
	to    string // empty: cut
	conns []net.Conn
	addr  string
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &link{to: to, addr: listener.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { l.carry(near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		l.point("")
		wg.Wait()
	})
	return l
}

func (l *link) carry(near net.Conn) {
	defer func() { _ = near.Close() }()
	l.mu.Lock()
	to := l.to
	if to == "" {
		l.mu.Unlock()
		return
	}
	far, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to)
	if err != nil {
		l.mu.Unlock()
		return
	}
	l.conns = append(l.conns, near, far)
	l.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
	_, _ = io.Copy(near, far)
	_ = near.Close()
	wg.Wait()
}

// point cuts every connection; new ones go to the address to, or nowhere.
func (l *link) point(to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func (l *link) url() commerce.Secret { return commerce.Secret("redis://" + l.addr) }

// loses waits until c has noticed that it hears nothing.
func loses(t *testing.T, c *Cache) {
	t.Helper()
	settles(t, "the loss is noticed", func() bool { return !c.news.current.Load() })
}

func TestC14_NothingIsMissedAcrossACut(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &catalogAt{}
	skus, tags := manySKUs(1000)
	near := newLink(t, server.Addr())
	var logged bytes.Buffer
	reader := metric.NewManualReader()
	b, err := New(Config{RedisURL: near.url(), HardTimeout: 30 * time.Second}, Deps{Log: slog.New(slog.NewTextHandler(&logged, nil)), Meter: metric.NewMeterProvider(metric.WithReader(reader))})
	require.NoError(t, err)
	patient(b)
	hear(t, b)
	a := newCache(t, Config{RedisURL: urlOf(server)})
	here, there := over(a, upstream), over(b, upstream)
	olderThan(t, here, skus, 0)
	olderThan(t, there, skus, 0)

	b.work.Wait() // it has given its leases back, which end by themselves in a real Redis only
	near.point("")
	loses(t, b)
	least := upstream.now.Add(1)
	for _, tag := range tags {
		invalidate(t, a, tag)
	}
	assert.Equal(t, 1000, olderThan(t, there, skus, least), "it cannot know")
	near.point(server.Addr())
	knows(t, b, a.Redis())
	assert.Zero(t, olderThan(t, there, skus, least))

	// The other way round: who is cut off tells them all when it is back.
	b.work.Wait()
	near.point("")
	loses(t, b)
	olderThan(t, here, skus, 0)
	least = upstream.now.Add(1)
	require.ErrorIs(t, b.Invalidate(t.Context(), tags...), commerce.ErrUnavailable)
	assert.Zero(t, olderThan(t, there, skus, least), "here it holds at once")
	near.point(server.Addr())
	settles(t, "they are told", func() bool { return olderThan(t, here, skus, least) == 0 })

	got := counts(t, reader, "portico.cache.invalidations", "by")
	assert.Equal(t, int64(1000), got["own"])
	assert.GreaterOrEqual(t, got["others"], int64(1000))
	require.NoError(t, b.Close())
	assert.LessOrEqual(t, 2, strings.Count(logged.String(), "cache does not hear of other processes' invalidations"), logged.String())
	assert.LessOrEqual(t, 2, strings.Count(logged.String(), "cache hears of invalidations again"))
}

// The stream no longer holds where the process was: it drops everything it had.
func TestC14_AStreamTrimmedTooFar(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &catalogAt{}
	skus, tags := manySKUs(20)
	near := newLink(t, server.Addr())
	a, b := newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, Config{RedisURL: near.url()})
	there := over(b, upstream)
	olderThan(t, there, skus, 0)
	b.work.Wait()
	near.point("")
	loses(t, b)
	least := upstream.now.Add(1)
	for _, tag := range tags {
		invalidate(t, a, tag)
	}
	require.NoError(t, a.Redis().XTrimMaxLen(t.Context(), newsStream, 1).Err())
	near.point(server.Addr())
	knows(t, b, a.Redis())
	assert.Zero(t, olderThan(t, there, skus, least), "neither from memory nor from Redis")
}

// Redis was emptied, and with it invalidations that nobody had read yet.
func TestC14_AnEmptiedRedis(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &catalogAt{}
	skus, tags := manySKUs(20)
	near := newLink(t, server.Addr())
	a, b := newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, Config{RedisURL: near.url()})
	there := over(b, upstream)
	olderThan(t, there, skus, 0)
	near.point("")
	loses(t, b)
	least := upstream.now.Add(1)
	invalidate(t, a, tags...)
	server.FlushAll()
	near.point(server.Addr())
	settles(t, "everything is dropped", func() bool { return olderThan(t, there, skus, least) == 0 })
	settles(t, "both go on", func() bool { return a.news.current.Load() && b.news.current.Load() })
	invalidate(t, a, tags[0])
	knows(t, b, a.Redis())
}

// A replica that lacks the last invalidations takes over. One process had seen
// them, another had not: the one tells, and versions rise above what was lost.
func TestC14_FailoverToAStaleReplica(t *testing.T) {
	t.Parallel()
	primary, replica := newRedis(t), newRedis(t)
	upstream := &catalogAt{}
	skus, tags := manySKUs(20)
	seen, behind := newLink(t, primary.Addr()), newLink(t, primary.Addr())
	a, b := newCache(t, Config{RedisURL: seen.url()}), newCache(t, Config{RedisURL: behind.url()})
	there := over(b, upstream)
	olderThan(t, there, skus, 0)
	copyStream(t, primary.Addr(), replica.Addr())
	replica.SetTime(time.Now().Add(-10 * time.Minute))

	behind.point("")
	loses(t, b)
	least := upstream.now.Add(1)
	invalidate(t, a, tags...)
	knows(t, a, a.Redis())
	lost := a.tags.stamp().global
	behind.point(replica.Addr())
	settles(t, "the one behind goes on from where it was", func() bool { return b.news.current.Load() })
	assert.Equal(t, 20, olderThan(t, there, skus, least), "it cannot know yet")
	seen.point(replica.Addr())
	settles(t, "it was told", func() bool { return olderThan(t, there, skus, least) == 0 })
	settles(t, "versions rise", func() bool { return lost.before(b.tags.stamp().global) })
}

// copyStream gives the server at to what the stream at from holds.
func copyStream(t *testing.T, from, to string) {
	t.Helper()
	source, target := redis.NewClient(&redis.Options{Addr: from}), redis.NewClient(&redis.Options{Addr: to})
	defer func() { require.NoError(t, source.Close()); require.NoError(t, target.Close()) }()
	list, err := source.XRange(t.Context(), newsStream, "-", "+").Result()
	require.NoError(t, err)
	for _, m := range list {
		require.NoError(t, target.XAdd(t.Context(), &redis.XAddArgs{Stream: newsStream, ID: m.ID, Values: m.Values}).Err())
	}
}

// What cannot be told is bounded: beyond that everything is dropped instead.
func TestC14_TooMuchUntoldBecomesEverything(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	near := newLink(t, server.Addr())
	c := newCache(t, Config{RedisURL: near.url()})
	near.point("")
	loses(t, c)
	_, tags := manySKUs(maxUntold + 1)
	require.ErrorIs(t, c.Invalidate(t.Context(), tags...), commerce.ErrUnavailable)
	assert.Equal(t, map[commerce.Tag]struct{}{commerce.TagAll: {}}, c.news.untold)
	near.point(server.Addr())
	settles(t, "Redis is told", func() bool {
		last, err := c.Redis().XRevRangeN(t.Context(), newsStream, "+", "-", 1).Result()
		return err == nil && len(last) == 1 && last[0].Values[fieldTags] == "all"
	})
	settles(t, "nothing is pending", func() bool { return !pending(c.tags) })
}
