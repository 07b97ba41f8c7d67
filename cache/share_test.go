package cache

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	peer "github.com/alicebob/miniredis/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/portico-bff/portico/schema/commerce"
)

// gate is an upstream that answers when it is told to.
type gate struct {
	asked   chan []commerce.SKU // each call, as it begins
	proceed chan struct{}       // closed: answers at once
	name    string
	err     error
	absent  bool
}

func newGate(name string) *gate {
	return &gate{asked: make(chan []commerce.SKU, 100), proceed: make(chan struct{}), name: name}
}

func (g *gate) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	name := g.name
	g.asked <- skus
	select {
	case <-g.proceed:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if g.err != nil {
		return nil, g.err
	}
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		if !g.absent {
			found[sku] = &commerce.Product{SKU: sku, Name: name}
		}
	}
	return found, nil
}

// newNode is a process that is patient with a busy machine.
func newNode(t testing.TB, url commerce.Secret) *Cache {
	t.Helper()
	return newCache(t, Config{RedisURL: url})
}

// leasesAt are the leases that Redis holds.
func leasesAt(server *miniredis.Miniredis) []string {
	var list []string
	for _, key := range server.Keys() {
		if strings.HasPrefix(key, "portico:lease:") {
			list = append(list, key)
		}
	}
	return list
}

// later is what ask brings, when it does.
type later struct {
	product *commerce.Product
	err     error
}

func askLater(ctx context.Context, port commerce.Catalog, sku commerce.SKU) <-chan later {
	got := make(chan later, 1)
	go func() {
		p, _, err := ask(ctx, port, sku)
		got <- later{p, err}
	}()
	return got
}

// waitsAt waits until c was seen to leave n keys to another process.
func waitsAt(t *testing.T, reader *metric.ManualReader, n int64) {
	t.Helper()
	settles(t, "it waits for another process", func() bool { return leaseCount(t, reader, "held") == n })
}

func leaseCount(t *testing.T, reader *metric.ManualReader, result string) int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.WithoutCancel(t.Context()), &all))
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if m.Name != "portico.cache.leases" || !ok {
				continue
			}
			for _, point := range sum.DataPoints {
				if v, _ := point.Attributes.Value("result"); v.AsString() == result {
					return point.Value
				}
			}
		}
	}
	return 0
}

// newCounted is a node whose leases a test reads.
func newCounted(t *testing.T, url commerce.Secret) (*Cache, *metric.ManualReader) {
	t.Helper()
	c, reader := countedNode(t, url)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c, reader
}

// countedNode is one that the test closes.
func countedNode(t *testing.T, url commerce.Secret) (*Cache, *metric.ManualReader) {
	t.Helper()
	reader := metric.NewManualReader()
	c, err := New(Config{RedisURL: url, HardTimeout: 30 * time.Second}, Deps{Log: slog.New(slog.DiscardHandler), Meter: metric.NewMeterProvider(metric.WithReader(reader))})
	require.NoError(t, err)
	patient(c)
	hear(t, c)
	return c, reader
}

// stampede asks each port 500 times at once and answers what failed.
func stampede(t *testing.T, ports ...commerce.Catalog) (failed []error) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, port := range ports {
		for range 500 {
			wg.Go(func() {
				p, _, err := ask(t.Context(), port, "A")
				if err == nil && p == nil {
					err = errors.New("no value")
				}
				if err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, err)
				}
			})
		}
	}
	wg.Wait()
	return failed
}

func TestC2_OneLoadForTwoProcesses(t *testing.T) {
	t.Parallel()
	for name, scheme := range map[string]string{"standalone": "redis://", "cluster": "redis+cluster://"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			upstream := &source{takes: 400 * time.Millisecond}
			url := commerce.Secret(scheme + server.Addr())
			a, b := newNode(t, url), newNode(t, url)
			assert.Empty(t, stampede(t, over(a, upstream), over(b, upstream)))
			assert.Equal(t, 1, upstream.count())
			a.work.Wait()
			b.work.Wait()
			assert.Empty(t, leasesAt(server), "given back")
		})
	}
}

// The holder is cut off for good while it loads: its lease ends, the next one loads.
func TestC2_AKilledHolderIsReplaced(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	near := newLink(t, server.Addr())
	hung, upstream := newGate("hung"), &source{}
	a := newNode(t, near.url())
	b, counts := newCounted(t, urlOf(server))
	hear(t, a)
	lost := askLater(t.Context(), over(a, hung), "A")
	<-hung.asked
	hear(t, b)
	got := askLater(t.Context(), over(b, upstream), "A")
	waitsAt(t, counts, 1)
	require.Len(t, leasesAt(server), 1)
	assert.LessOrEqual(t, server.TTL(leasesAt(server)[0]), leaseLife)
	assert.NotContains(t, leasesAt(server)[0], "product")

	near.point("")
	server.FastForward(leaseLife) // no process's clock counts
	begun := time.Now()
	res := <-got
	require.NoError(t, res.err)
	assert.NotNil(t, res.product)
	assert.Less(t, time.Since(begun), 10*time.Second, "not as late as a load ends")
	assert.Equal(t, 1, upstream.count())
	b.work.Wait()
	assert.Equal(t, int64(1), leaseCount(t, counts, "taken-over"))
	close(hung.proceed)
	require.NoError(t, (<-lost).err, "it was not dead after all")
}

func TestC2_ALivingHolderKeepsItsLease(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	slow, upstream := newGate("slow"), &source{}
	a := newNode(t, urlOf(server))
	b, counts := newCounted(t, urlOf(server))
	hear(t, a)
	first := askLater(t.Context(), over(a, slow), "A")
	<-slow.asked
	hear(t, b)
	second := askLater(t.Context(), over(b, upstream), "A")
	waitsAt(t, counts, 1)
	for range 8 { // for 2.8 s by Redis's clock
		server.FastForward(leaseLife * 7 / 8)
		settles(t, "the lease is renewed", func() bool {
			list := leasesAt(server)
			return len(list) == 1 && server.TTL(list[0]) > leaseLife*7/8
		})
	}
	close(slow.proceed)
	for _, got := range []<-chan later{first, second} {
		res := <-got
		require.NoError(t, res.err)
		assert.Equal(t, "slow", res.product.Name)
	}
	assert.Zero(t, upstream.count())
}

func TestC2_WithoutRedisEachProcessLoadsOnce(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"down", "failing", "without scripts", "reading only"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			upstream := &source{takes: 300 * time.Millisecond}
			a, b := newNode(t, urlOf(server)), newNode(t, urlOf(server))
			switch how {
			case "down":
				server.Close()
			case "failing":
				server.SetError("LOADING Redis is loading the dataset in memory")
			case "without scripts":
				refuse(server, "NOPERM this user has no permissions to run the 'eval' command", "EVAL")
			case "reading only":
				refuse(server, "READONLY You can't write against a read only replica.", "EVAL", "SET")
			}
			assert.Empty(t, stampede(t, over(a, upstream), over(b, upstream)))
			assert.LessOrEqual(t, upstream.count(), 2)
			a.work.Wait()
			if how == "without scripts" {
				assert.Len(t, entriesOf(server), 1, "it is stored all the same")
				assert.Zero(t, a.remote.writes.failures)
			}
		})
	}
}

func refuse(server *miniredis.Miniredis, answer string, commands ...string) {
	server.Server().SetPreHook(func(p *peer.Peer, command string, _ ...string) bool {
		for _, c := range commands {
			if command == c {
				p.WriteError(answer)
				return true
			}
		}
		return false
	})
}

// Redis dies while one process loads and the other waits.
func TestC2_WhoWaitsLoadsWhenRedisDies(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	slow, upstream := newGate("slow"), &source{}
	a := newNode(t, urlOf(server))
	b, counts := newCounted(t, urlOf(server))
	hear(t, a)
	first := askLater(t.Context(), over(a, slow), "A")
	<-slow.asked
	hear(t, b)
	second := askLater(t.Context(), over(b, upstream), "A")
	waitsAt(t, counts, 1)
	server.Close()
	require.NoError(t, (<-second).err)
	assert.Equal(t, 1, upstream.count())
	assert.Empty(t, slow.asked)
	close(slow.proceed)
	require.NoError(t, (<-first).err)
}

func TestC2_AFailedLoadLetsTheNextTryOnce(t *testing.T) {
	t.Parallel()
	for name, quits := range map[string]bool{"error": false, "goexit": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			failing := newGate("failing")
			failing.err = errDown
			upstream := &source{err: errDown}
			a := newNode(t, urlOf(server))
			b, counts := newCounted(t, urlOf(server))
			port, want := over(a, failing), errDown.Kind
			if quits {
				port, want = over(a, quitsAfter{failing}), errPanic
			}
			hear(t, a)
			first := askLater(t.Context(), port, "A")
			<-failing.asked
			hear(t, b)
			second := askLater(t.Context(), over(b, upstream), "A")
			waitsAt(t, counts, 1)
			close(failing.proceed)
			require.ErrorIs(t, (<-first).err, want)
			require.ErrorIs(t, (<-second).err, errDown.Kind)
			assert.Equal(t, 1, upstream.count(), "the lease was given back at once, not left to end")
			b.work.Wait()
			assert.Empty(t, failing.asked)
			assert.Empty(t, leasesAt(server))
		})
	}
}

type quitsAfter struct{ *gate }

func (q quitsAfter) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	_, _ = q.gate.Products(ctx, m, skus)
	runtime.Goexit()
	return map[commerce.SKU]*commerce.Product{}, nil
}

// The connection breaks as the holder stores what it loaded: the next one does not wait
// for the end of a lease that nobody renews.
func TestC2_AFailedPutGivesTheLeaseBack(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	var broken atomic.Bool
	server.Server().SetPreHook(func(p *peer.Peer, command string, args ...string) bool {
		if command != "SET" || !strings.HasPrefix(args[0], "portico:c1:") || !broken.CompareAndSwap(false, true) {
			return false
		}
		p.Close()
		return true
	})
	upstream := &source{}
	a := newNode(t, urlOf(server))
	_, _, err := ask(t.Context(), over(a, upstream), "A")
	require.NoError(t, err)
	a.work.Wait()
	require.True(t, broken.Load())
	assert.Empty(t, leasesAt(server))
	_, _, err = ask(t.Context(), over(newNode(t, urlOf(server)), upstream), "A")
	require.NoError(t, err)
	assert.Equal(t, 2, upstream.count())
}

// What cannot be shared is not waited for one process after the other.
func TestC2_NobodyWaitsForWhatCannotBeShared(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	empty := newGate("")
	empty.absent = true
	a := newNode(t, urlOf(server))
	b, counts := newCounted(t, urlOf(server))
	hear(t, a)
	first := askLater(t.Context(), over(a, empty), "A")
	<-empty.asked
	hear(t, b)
	second := askLater(t.Context(), over(b, empty), "A")
	waitsAt(t, counts, 1)
	close(empty.proceed)
	require.NoError(t, (<-first).err)
	require.NoError(t, (<-second).err)
	assert.Len(t, empty.asked, 1, "it asked itself")
	b.work.Wait()
	require.Len(t, leasesAt(server), 1, "which says that nothing will come")
	c, late := newCounted(t, urlOf(server))
	_, _, err := ask(t.Context(), over(c, empty), "A")
	require.NoError(t, err)
	assert.Zero(t, leaseCount(t, late, "granted")+leaseCount(t, late, "held"))
	server.FastForward(leaseLife)
	assert.Empty(t, leasesAt(server))
}

// Some keys are leased by one process, some by the other, and each wants all.
func TestC2_PartialBatches(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	slow, quick := newGate("slow"), newGate("quick")
	a := newNode(t, urlOf(server))
	b, counts := newCounted(t, urlOf(server))
	var wg sync.WaitGroup
	wg.Go(func() {
		found, err := over(a, slow).Products(t.Context(), us, []commerce.SKU{"1", "2", "3"})
		assert.NoError(t, err)
		assert.Len(t, found, 3)
	})
	<-slow.asked
	wg.Go(func() {
		found, err := over(b, quick).Products(t.Context(), us, []commerce.SKU{"2", "3", "4"})
		assert.NoError(t, err)
		assert.Len(t, found, 3)
		assert.Equal(t, "slow", found["2"].Name)
		assert.Equal(t, "quick", found["4"].Name)
	})
	assert.Equal(t, []commerce.SKU{"4"}, <-quick.asked)
	close(quick.proceed)
	settles(t, "it holds nothing while it waits", func() bool { return len(leasesAt(server)) == 3 })
	assert.Equal(t, int64(2), leaseCount(t, counts, "held"))
	close(slow.proceed)
	wg.Wait()
	assert.Empty(t, quick.asked)
}

// Batches that overlap in every way end, and each key is loaded once.
func TestC2_CrossingBatchesEnd(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	skus, _ := manySKUs(60)
	var mu sync.Mutex
	loads := map[commerce.SKU]int{}
	upstream := &source{takes: 5 * time.Millisecond, value: func(_ int, sku commerce.SKU) *commerce.Product {
		mu.Lock()
		defer mu.Unlock()
		loads[sku]++
		return &commerce.Product{SKU: sku}
	}}
	ports := []commerce.Catalog{over(newNode(t, urlOf(server)), upstream), over(newNode(t, urlOf(server)), upstream)}
	var wg sync.WaitGroup
	for n := range 40 {
		order := rand.New(rand.NewPCG(uint64(n), 2)).Perm(len(skus))
		wg.Go(func() {
			for chunk := range 6 {
				var asked []commerce.SKU
				for _, i := range order[chunk*10 : chunk*10+10] {
					asked = append(asked, skus[i])
				}
				found, err := ports[n%2].Products(t.Context(), us, asked)
				assert.NoError(t, err)
				assert.Len(t, found, 10)
			}
		})
	}
	wg.Wait()
	for _, sku := range skus {
		assert.Equal(t, 1, loads[sku], sku)
	}
}

// Who only wants to have it newer leaves that to the process that loads it.
func TestC2_ARefreshGivesUpWhereAnotherLoads(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &source{}
	b, counts := newCounted(t, urlOf(server))
	port := over(b, upstream)
	_, _, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	b.work.Wait()
	e := onlyEntry(t, b)
	e.fresh = time.Nanosecond // stale, and worth loading anew
	key := entriesOf(server)[0]
	require.NoError(t, server.Set(leaseAddress(key), version{1 << 60, 0}.order()+"another"))
	server.SetTTL(leaseAddress(key), leaseLife) // which never passes here
	server.Del(key)
	p, at, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	assert.NotNil(t, p)
	assert.Equal(t, commerce.StateStale, at.State)
	b.work.Wait() // it does not wait for the lease's end
	assert.Equal(t, 1, upstream.count())
	assert.Equal(t, int64(1), leaseCount(t, counts, "held"))
	assert.Empty(t, b.flights.byKey)
	assert.Nil(t, onlyEntry(t, b).onHold(time.Now()), "which is no failure of the system")
}

// What is invalidated while Redis is asked is known to the load that follows: what it
// brings is kept, and nobody has to load it again.
func TestC2_ALoadKnowsOfWhatWasInvalidatedBeforeIt(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newNode(t, urlOf(server))
	upstream := &source{}
	port := over(c, upstream)
	var asked sync.Once
	server.Server().SetPreHook(func(_ *peer.Peer, command string, _ ...string) bool {
		if command == "EVAL" {
			asked.Do(func() { c.tags.strike([]commerce.Tag{commerce.TagProduct("A")}, false) })
		}
		return false
	})
	for range 3 {
		_, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		c.work.Wait()
	}
	assert.Equal(t, 1, upstream.count())
}

// Where nothing can be stored no leases are asked for.
func TestC2_WhoCannotStoreTakesNoLease(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newNode(t, urlOf(server))
	for range breakAfter {
		c.remote.writes.done(time.Now(), false)
	}
	trips := watchTrips(c)
	replies, _, ok := c.remote.lease(t.Context(), version{1, 1}.order()+"me", wanted{berths: []*berth{{entry: "e", lease: leaseAddress("e")}}})
	assert.False(t, ok)
	assert.Empty(t, replies)
	assert.Empty(t, trips.list())
	assert.Empty(t, leasesAt(server))
}

func onlyEntry(t *testing.T, c *Cache) *entry {
	t.Helper()
	for _, k := range c.memory.values.All() {
		return k
	}
	require.Fail(t, "memory is empty")
	return nil
}

// A holder is stopped for longer than its lease, hears nothing of an invalidation
// meanwhile, and stores what it has: nobody is ever given it.
func TestC2_AStoppedHolderStoresNothingThatIsGiven(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	old, fresh := newGate("old"), newGate("new")
	close(fresh.proceed)
	a, err := New(Config{RedisURL: urlOf(server), HardTimeout: 30 * time.Second}, Deps{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	patient(a)
	hear(t, a)
	b := newNode(t, urlOf(server))
	hear(t, a)
	first := askLater(t.Context(), over(a, old), "A")
	<-old.asked
	require.NoError(t, a.news.reader.Close()) // stopped: it hears nothing
	loses(t, a)

	invalidate(t, b, "product:A")
	knows(t, b, b.Redis())
	// The lease still stands, but for a load that knows too little: it is not waited for.
	p, _, err := ask(t.Context(), over(b, fresh), "A")
	require.NoError(t, err)
	assert.Equal(t, "new", p.Name)
	b.work.Wait()

	close(old.proceed)
	require.NoError(t, (<-first).err)
	a.work.Wait()
	text, err := server.Get(entriesOf(server)[0])
	require.NoError(t, err)
	require.Contains(t, text, "old", "it did store it, over what is newer")
	for range 2 { // by who has heard of the invalidation, and by who started later
		b.memory.values.InvalidateAll()
		for _, c := range []*Cache{b, newNode(t, urlOf(server))} {
			p, _, err := ask(t.Context(), over(c, fresh), "A")
			require.NoError(t, err)
			assert.Equal(t, "new", p.Name)
			c.work.Wait()
		}
	}
	require.Error(t, a.Close(), "its reader was closed")
}

func TestC2_ClosingGivesLeasesBack(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	a, hung := newNode(t, urlOf(server)), newGate("hung")
	c, err := New(Config{RedisURL: urlOf(server)}, Deps{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	patient(c)
	hear(t, c)
	lost := askLater(t.Context(), over(c, hung), "A")
	<-hung.asked
	require.Len(t, leasesAt(server), 1)
	upstream := &source{}
	waits := askLater(t.Context(), over(a, upstream), "A")
	require.NoError(t, c.Close())
	require.Error(t, (<-lost).err)
	require.NoError(t, (<-waits).err)
	assert.Equal(t, 1, upstream.count())
}

// A waiting load ends when its time does, and with the cache.
func TestC2_WaitingEndsWithTheLoad(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &source{}
	c, counts := countedNode(t, urlOf(server))
	port := over(c, upstream)
	_, _, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	c.work.Wait()
	key := entriesOf(server)[0]
	server.Del(key)
	c.memory.values.InvalidateAll()
	require.NoError(t, server.Set(leaseAddress(key), version{1 << 60, 0}.order()+"another"))
	server.SetTTL(leaseAddress(key), leaseLife) // which never passes here
	waits := askLater(t.Context(), port, "A")
	waitsAt(t, counts, 1)
	require.NoError(t, c.Close())
	require.ErrorIs(t, (<-waits).err, commerce.ErrUnavailable)
	assert.Equal(t, 1, upstream.count(), "only the one before")
}

// What Redis holds is as old as what memory does: it is loaded anew nevertheless.
func TestWhatAgesInBothTiersIsLoadedAnew(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &source{}
	c := newNode(t, urlOf(server))
	port := over(c, upstream)
	_, _, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	c.work.Wait()
	e := onlyEntry(t, c)
	fresh := policies[commerce.OpProducts].Fresh
	e.fresh, e.began = fresh, e.began.Add(-fresh*(refreshAt+1)/100)
	s, _ := c.remote.get(t.Context(), []string{onlyKey(t, c)}, []string{address(onlyKey(t, c))})
	old := s[0]
	old.began = e.began
	c.remote.put(t.Context(), []write{writeOf(onlyKey(t, c), old, time.Hour)}, nil)
	for want := range 3 { // once, not with each read
		_, at, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		assert.Equal(t, commerce.StateFresh, at.State)
		c.work.Wait()
		assert.Equal(t, 2, upstream.count(), want)
	}
}

func onlyKey(t *testing.T, c *Cache) string {
	t.Helper()
	for k := range c.memory.values.All() {
		return k
	}
	require.Fail(t, "memory is empty")
	return ""
}
