package cache

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	peer "github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestC16_RedisNeverKeepsARequestWaiting(t *testing.T) {
	t.Parallel()
	c, err := New(Config{RedisURL: "rediss://user:secret@redis.example:6380/3"}, Deps{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	client, ok := c.remote.client.(*redis.Client)
	require.True(t, ok)
	o := client.Options()
	assert.True(t, o.ContextTimeoutEnabled)
	assert.LessOrEqual(t, o.MaxRetries, 0) // go-redis turns -1 into 0: none
	assert.LessOrEqual(t, o.DialTimeout, 500*time.Millisecond)
	assert.LessOrEqual(t, o.ReadTimeout, 50*time.Millisecond)
	assert.LessOrEqual(t, o.WriteTimeout, 50*time.Millisecond)
	assert.LessOrEqual(t, o.PoolTimeout, 20*time.Millisecond)
	assert.Equal(t, "redis.example:6380", o.Addr)
	assert.Equal(t, "user", o.Username)
	assert.Equal(t, "secret", o.Password)
	assert.Equal(t, 3, o.DB)
	require.NotNil(t, o.TLSConfig)
	assert.False(t, o.TLSConfig.InsecureSkipVerify)

	raw, err := redisOptions("redis://h")
	require.NoError(t, err)
	assert.Equal(t, -1, raw.MaxRetries)
	assert.Nil(t, raw.TLSConfig)

	// What is no shopper's read may wait, and has an end nevertheless.
	borrowed, ok := c.Redis().(*redis.Client)
	require.True(t, ok)
	b := borrowed.Options()
	assert.True(t, b.ContextTimeoutEnabled)
	assert.LessOrEqual(t, b.MaxRetries, 0)
	assert.LessOrEqual(t, b.DialTimeout, 500*time.Millisecond)
	for _, wait := range []time.Duration{b.ReadTimeout, b.WriteTimeout, b.PoolTimeout} {
		assert.Equal(t, 2*time.Second, wait)
	}
}

func TestRedisURLs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]redis.UniversalOptions{
		"redis://h":                                        {Addrs: []string{"h:6379"}},
		"redis://h:1/2":                                    {Addrs: []string{"h:1"}, DB: 2},
		"redis://:p%40ss@[::1]:1":                          {Addrs: []string{"[::1]:1"}, Password: "p@ss"},
		"redis+sentinel://u:p@a:1,b/main/4":                {Addrs: []string{"a:1", "b:6379"}, MasterName: "main", DB: 4, Username: "u", Password: "p"},
		"redis+cluster://a,b:2":                            {Addrs: []string{"a:6379", "b:2"}, IsClusterMode: true},
		"rediss+cluster://a.example:7000,b.example:7001":   {Addrs: []string{"a.example:7000", "b.example:7001"}, IsClusterMode: true},
		"rediss+sentinel://s1.example,s2.example/mymaster": {Addrs: []string{"s1.example:6379", "s2.example:6379"}, MasterName: "mymaster"},
	} {
		got, err := redisOptions(commerce.Secret(text))
		require.NoError(t, err, text)
		assert.Equal(t, want, redis.UniversalOptions{
			Addrs: got.Addrs, DB: got.DB, Username: got.Username, Password: got.Password, MasterName: got.MasterName, IsClusterMode: got.IsClusterMode,
		}, text)
		assert.Equal(t, strings.HasPrefix(text, "rediss"), got.TLSConfig != nil, text)
	}
	for _, bad := range []string{
		"h:1", "http://h", "redis://", "redis://,", "redis://a,b", "redis://h/x", "redis://h/-1", "redis://h?db=secret", "redis+sentinel://a", "redis+cluster://a/1",
		"redis+ring://a", "redis://u:sec ret@h:port",
	} {
		_, err := New(Config{RedisURL: commerce.Secret(bad)}, Deps{})
		require.ErrorContains(t, err, "REDIS_URL", bad)
		assert.NotContains(t, err.Error(), "sec", bad)
	}
}

func TestSettingsAreCheckedTogether(t *testing.T) {
	t.Parallel()
	_, err := New(Config{L1Bytes: 1, HardTimeout: -1, Unheard: 1, RedisURL: "nope"}, Deps{})
	for _, name := range []string{"CACHE_L1_BYTES", "CACHE_HARD_TIMEOUT", "CACHE_UNHEARD", "REDIS_URL"} {
		require.ErrorContains(t, err, name)
	}
	for _, unheard := range []time.Duration{-time.Second, hearing - 1} {
		_, err := New(Config{L1Bytes: leastL1Bytes, Unheard: unheard}, Deps{})
		require.ErrorContains(t, err, "CACHE_UNHEARD")
	}
}

func TestRedisIsSharedBetweenProcesses(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	shop := commercetest.NewShop()
	f := shop.Fixture()
	for range 2 { // a process each
		c := newCache(t, Config{RedisURL: urlOf(server)})
		p := c.Wrap(shop.Ports())
		_, err := p.Catalog.Products(t.Context(), f.Market, f.Products)
		require.NoError(t, err)
		_, err = p.Categories.Tree(t.Context(), f.Market)
		require.NoError(t, err)
		_, err = p.Pricing.Prices(t.Context(), f.Market, f.Group, []commerce.PriceKey{{SKU: f.Products[0], Quantity: 1}})
		require.NoError(t, err)
		_, err = p.Customers.Customer(t.Context(), f.Customer)
		require.NoError(t, err)
		c.work.Wait()
	}
	for _, op := range []commerce.Operation{commerce.OpProducts, commerce.OpCategoryTree, commerce.OpPrices} {
		assert.Equal(t, 1, shop.Calls(op), string(op))
	}
	assert.Equal(t, 2, shop.Calls(commerce.OpCustomer))
	keys := entriesOf(server)
	assert.Len(t, keys, len(f.Products)+2, "nothing private lies in Redis")
	for _, k := range keys {
		assert.Positive(t, server.TTL(k), "everything there ends")
		text, err := server.Get(k)
		require.NoError(t, err)
		assert.NotContains(t, text, f.Customer.Email)
	}
}

func TestBatchMissesAreOneRoundTrip(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	shop := commercetest.NewShop()
	f := shop.Fixture()
	c := newCache(t, Config{RedisURL: urlOf(server)})
	require.NoError(t, c.Ping(t.Context())) // connects
	trips := watchTrips(c)
	_, err := c.Wrap(shop.Ports()).Catalog.Products(t.Context(), f.Market, f.Products)
	require.NoError(t, err)
	c.work.Wait()
	assert.Equal(t, []string{"eval", strings.Repeat("set ", len(f.Products)) + "eval"}, trips.list(), "the entries and their leases; the answers, with the leases given back")
}

// What another process has stored comes with one round trip, however many keys are asked for.
func TestABatchFromRedisIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream := &source{}
	asked := make([]commerce.SKU, 50)
	for i := range asked {
		asked[i] = commerce.SKU(fmt.Sprint("SKU-", i))
	}
	first, second := newNode(t, urlOf(server)), newNode(t, urlOf(server))
	_, err := over(first, upstream).Products(t.Context(), us, asked)
	require.NoError(t, err)
	first.work.Wait()
	require.NoError(t, second.Ping(t.Context())) // connects
	trips := watchTrips(second)
	found, err := over(second, upstream).Products(t.Context(), us, asked)
	require.NoError(t, err)
	second.work.Wait()
	assert.Len(t, found, len(asked))
	assert.Equal(t, 1, upstream.count())
	assert.Equal(t, []string{"eval"}, trips.list())
}

// Whatever Redis does, a read answers what the system has.
func TestRedisFailingIsNoError(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"", "-OOM command not allowed\r\n", "-READONLY You can't write\r\n", "-LOADING Redis is loading\r\n", "-NOAUTH Authentication required.\r\n",
		"-MOVED 1 127.0.0.1:1\r\n", "garbage\r\n", "*1\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*1\r\n$5\r\nhello\r\n", "$-1\r\n",
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			c := newCache(t, Config{RedisURL: commerce.Secret("redis://" + parrot(t, answer))})
			c.remote.wait = remoteWait
			upstream := &source{}
			port := over(c, upstream)
			for i := range 5 {
				p, _, err := ask(t.Context(), port, commerce.SKU(strings.Repeat("A", i+1)))
				require.NoError(t, err)
				require.NotNil(t, p)
			}
			assert.Equal(t, 5, upstream.count())
		})
	}
}

// parrot is a Redis that answers everything alike; empty hangs up.
func parrot(t *testing.T, answer string) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				buf := make([]byte, 4096)
				for {
					if _, err := conn.Read(buf); err != nil || answer == "" {
						return
					}
					if _, err := conn.Write([]byte(answer)); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait()
	})
	return listener.Addr().String()
}

func TestBreakerKeepsAwayFromADeadRedis(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var b breaker
	for range breakAfter {
		require.True(t, b.allow(now))
		b.done(now, false)
	}
	for range 1000 {
		require.False(t, b.allow(now.Add(probeEvery-1)))
	}
	require.True(t, b.allow(now.Add(probeEvery)), "one probe a second")
	require.False(t, b.allow(now.Add(probeEvery)))
	assert.False(t, b.done(now.Add(probeEvery), false), "still open")
	require.True(t, b.allow(now.Add(2*probeEvery)))
	assert.True(t, b.done(now.Add(2*probeEvery), true), "closed")
	require.True(t, b.allow(now.Add(2*probeEvery)))
}

// A Redis that accepts and never answers costs a few waits, then nothing.
func TestHungRedisCostsNothingOnceKnown(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	var logged bytes.Buffer
	c, err := New(Config{RedisURL: commerce.Secret("redis://" + listener.Addr().String())}, Deps{Log: slog.New(slog.NewTextHandler(&logged, nil))})
	require.NoError(t, err)
	r := c.remote
	for range breakAfter {
		assert.Empty(t, found(t, r, "k"))
	}
	sent, begun := watchTrips(c), time.Now()
	for range 1000 {
		assert.Empty(t, found(t, r, "k"))
	}
	assert.LessOrEqual(t, len(sent.list()), 1+int(time.Since(begun)/probeEvery), "one probe a second waits")
	require.Error(t, c.Ping(t.Context()))
	require.NoError(t, c.Close())
	assert.Equal(t, 1, strings.Count(logged.String(), "cache goes on without Redis"))
}

func TestRedisComesBack(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newCache(t, Config{RedisURL: urlOf(server)})
	r := c.remote
	server.SetError("LOADING Redis is loading the dataset in memory")
	for range breakAfter {
		found(t, r, "k")
	}
	server.SetError("")
	before := server.CommandCount()
	assert.Empty(t, found(t, r, "k"))
	assert.Equal(t, before, server.CommandCount(), "not asked while open")
	r.reads.mu.Lock()
	r.reads.next = time.Now() // a second passes
	r.reads.mu.Unlock()
	r.put(t.Context(), []write{aWrite(time.Now())}, nil)
	assert.Equal(t, []byte("v"), found(t, r, "k")[0].payload)
}

// A Redis that is full refuses entries and still gives those it has.
func TestFullRedisIsStillRead(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	var logged bytes.Buffer
	c, err := New(Config{RedisURL: urlOf(server)}, Deps{Log: slog.New(slog.NewTextHandler(&logged, nil))})
	require.NoError(t, err)
	patient(c)
	r := c.remote
	entry := []write{aWrite(time.Now())}
	r.put(t.Context(), entry, nil)
	server.Server().SetPreHook(func(p *peer.Peer, command string, _ ...string) bool {
		if command != "SET" {
			return false
		}
		p.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
		return true
	})
	for range 2 * breakAfter {
		r.put(t.Context(), entry, nil)
		require.Equal(t, []byte("v"), found(t, r, "k")[0].payload)
	}
	require.NoError(t, c.Close())
	assert.Equal(t, 1, strings.Count(logged.String(), `"cache goes on without Redis" call=put reason=OOM`), logged.String())
	assert.NotContains(t, logged.String(), "call=get")
}

// Nothing was sent, so nothing is known: an entry that is left out is no sign of life.
func TestWhatIsNotSentDoesNotClose(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newCache(t, Config{RedisURL: urlOf(server)})
	r := c.remote
	server.SetError("READONLY You can't write against a read only replica.")
	for range breakAfter {
		r.put(t.Context(), []write{aWrite(time.Now())}, nil)
	}
	r.writes.mu.Lock()
	r.writes.next = time.Now()
	r.writes.mu.Unlock()
	r.put(t.Context(), []write{aWrite(time.Now().Add(-time.Hour))}, nil)
	assert.Equal(t, breakAfter, r.writes.failures)
}

func TestReasonsSayWhatToDoAndHoldNoData(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want string
	}{
		{proto("NOAUTH Authentication required."), "NOAUTH"},
		{proto("WRONGPASS invalid username-password pair or user is disabled."), "WRONGPASS"},
		{fmt.Errorf("dialing: %w", proto("NOPERM User bob has no permissions")), "NOPERM"},
		{proto("secret: something odd"), "unexpected answer"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "connection refused"},
		{context.DeadlineExceeded, "timeout"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "timeout"},
		{io.EOF, "connection"},
	} {
		assert.Equal(t, tc.want, redisReason(tc.err), "%v", tc.err)
	}
}

// found is what Redis has under key.
func found(t *testing.T, r *remote, key string) map[int]stored {
	t.Helper()
	entries, _ := r.get(t.Context(), []string{key}, []string{address(key)})
	return entries
}

// proto is an error that Redis answered.
type proto string

func (p proto) Error() string { return string(p) }
func (p proto) RedisError()   {}

func TestWithoutRedisThereIsNothingToFail(t *testing.T) {
	t.Parallel()
	c := newCache(t, realTime)
	assert.Nil(t, c.Redis())
	require.NoError(t, c.Ping(context.WithoutCancel(t.Context())))
}
