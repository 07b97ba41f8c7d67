package ratelimit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ann  = commerce.Principal{Tenant: "default", Subject: "ann"}
	abby = commerce.Principal{Tenant: "other", Subject: "ann"}
)

func limiter(t testing.TB, cfg Config, deps Deps) *Limiter {
	t.Helper()
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	l, err := New(cfg, deps)
	require.NoError(t, err)
	return l
}

// client is someone at an address, signed in unless p is anonymous.
func client(l *Limiter, peer string, p commerce.Principal) *Client {
	c := l.Client(peer, nil)
	c.As(p)
	return c
}

// spendAll spends until it is refused and answers how much that was.
func spendAll(t testing.TB, spend func() *Refused) (spent int, r *Refused) {
	t.Helper()
	for range 100_000 {
		if r = spend(); r != nil {
			return spent, r
		}
		spent++
	}
	t.Fatal("nothing is ever refused")
	return 0, nil
}

func TestW10_BudgetsRefillEvenly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, Config{Customer: 60}, Deps{})
		c := client(l, "203.0.113.1:1", ann)
		spent, refused := spendAll(t, func() *Refused { return c.Both(t.Context(), 1) })
		assert.Equal(t, 60, spent)
		assert.Equal(t, &Refused{Budget: "customer", Most: 60, Wait: time.Second}, refused)
		assert.Equal(t, 1, refused.Seconds())
		assert.NotNil(t, c.Both(t.Context(), 1), "who is refused is not let through by asking again")
		time.Sleep(10 * time.Second)
		spent, _ = spendAll(t, func() *Refused { return c.Both(t.Context(), 1) })
		assert.Equal(t, 10, spent)
		refused = c.Both(t.Context(), 30)
		require.NotNil(t, refused)
		assert.Equal(t, 30, refused.Seconds())
		time.Sleep(refused.Wait)
		assert.Nil(t, c.Both(t.Context(), 30), "after the time that was told it is there")
	})
}

func TestW10_CustomersAndAddressesAreApart(t *testing.T) {
	t.Parallel()
	l := limiter(t, Config{Customer: 10, Address: 25}, Deps{})
	spent, refused := spendAll(t, func() *Refused { return client(l, "203.0.113.1:1", ann).Both(t.Context(), 1) })
	assert.Equal(t, 10, spent)
	assert.Equal(t, "customer", refused.Budget)
	assert.Nil(t, client(l, "203.0.113.1:9", abby).Customer(t.Context(), 10), "the same subject of another tenant is someone else")
	assert.NotNil(t, client(l, "198.51.100.7:1", ann).Customer(t.Context(), 1), "another address is the same customer")

	spent, refused = spendAll(t, func() *Refused { return client(l, "203.0.113.9:1", commerce.Principal{}).Both(t.Context(), 1) })
	assert.Equal(t, 25, spent, "who is not signed in has the address's budget")
	assert.Equal(t, "address", refused.Budget)
	assert.Nil(t, client(l, "203.0.113.10:1", commerce.Principal{}).Both(t.Context(), 1))
}

func TestW10_TheNeighborhoodOfIPv6IsOneAddress(t *testing.T) {
	t.Parallel()
	l := limiter(t, Config{Address: 5}, Deps{})
	var n int
	_, _ = spendAll(t, func() *Refused {
		n++
		return client(l, fmt.Sprintf("[2001:db8:1:2::%x]:443", n), commerce.Principal{}).Address(t.Context(), 1)
	})
	assert.Equal(t, 6, n)
	assert.Nil(t, client(l, "[2001:db8:1:3::1]:443", commerce.Principal{}).Address(t.Context(), 1))
	require.Nil(t, client(l, "[::ffff:203.0.113.1]:1", commerce.Principal{}).Address(t.Context(), 5))
	assert.NotNil(t, client(l, "203.0.113.1:2", commerce.Principal{}).Address(t.Context(), 1), "an address of IPv4 is the same in the clothes of IPv6")
}

func TestW10_WhoIsExemptIsNotLimited(t *testing.T) {
	t.Parallel()
	l := limiter(t, Config{Address: 1, Customer: 1, AddressCoupons: 1, CustomerCoupons: 1, Exempt: []string{"127.0.0.0/8"}, Proxies: []string{"127.0.0.1"}}, Deps{})
	c := l.Client("127.0.0.1:5", nil)
	c.As(ann)
	for range 3 {
		assert.Nil(t, c.Both(t.Context(), 5))
		assert.Nil(t, c.Coupons(t.Context(), 5))
	}
	policy, state := c.Fields()
	assert.Empty(t, policy+state)
	c = l.Client("127.0.0.1:5", []string{"203.0.113.1"})
	assert.Nil(t, c.Address(t.Context(), 1))
	assert.NotNil(t, c.Address(t.Context(), 1), "a proxy's clients are not the proxy")

	none := limiter(t, Config{}, Deps{})
	assert.Nil(t, none)
	assert.Nil(t, none.Client("203.0.113.1:1", nil).Both(t.Context(), 1_000_000))
}

func TestW10_CouponsHaveTheirOwnBudget(t *testing.T) {
	t.Parallel()
	l := limiter(t, Config{Customer: 1000, Address: 1000, CustomerCoupons: 10, AddressCoupons: 15}, Deps{})
	c := client(l, "203.0.113.1:1", ann)
	assert.Nil(t, c.Coupons(t.Context(), 7))
	refused := c.Coupons(t.Context(), 7)
	require.NotNil(t, refused)
	assert.Equal(t, "customer-coupons", refused.Budget)
	assert.Nil(t, c.Both(t.Context(), 900), "whoever guessed can still shop")
	refused = client(l, "203.0.113.1:1", abby).Coupons(t.Context(), 9)
	require.NotNil(t, refused, "another account does not help to guess on")
	assert.Equal(t, "address-coupons", refused.Budget)
}

func TestW10_FieldsSayWhatIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, Config{Customer: 120, Address: 6000}, Deps{})
		c := client(l, "203.0.113.1:1", ann)
		require.Nil(t, c.Both(t.Context(), 20))
		policy, state := c.Fields()
		assert.Equal(t, `"customer";q=120;w=60, "address";q=6000;w=60`, policy)
		assert.Equal(t, `"customer";r=100;t=10, "address";r=5980;t=0`, state)
		policy, state = client(l, "203.0.113.2:1", commerce.Principal{}).Fields()
		assert.Equal(t, `"address";q=6000;w=60`, policy)
		assert.Equal(t, `"address";r=6000;t=0`, state)
	})
}

// shared opens so many nodes' limiters on one Redis.
func shared(t *testing.T, server *miniredis.Miniredis, nodes int, cfg Config) []*Limiter {
	t.Helper()
	var list []*Limiter
	for range nodes {
		rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1, DialTimeout: 100 * time.Millisecond, DialerRetries: 1})
		t.Cleanup(func() { _ = rdb.Close() }) // it may be cut
		l := limiter(t, cfg, Deps{Redis: rdb, Secret: "secret"})
		l.wait = 5 * time.Second // the machine may be busy
		list = append(list, l)
	}
	return list
}

func TestW10_NodesShareABudget(t *testing.T) {
	t.Parallel()
	const most, nodes = 4_000, 4
	list := shared(t, miniredis.RunT(t), nodes, Config{Customer: most})
	spent, begun := 0, time.Now()
	for i := 0; ; i++ {
		l := list[i%nodes]
		if client(l, "203.0.113.1:1", ann).Customer(t.Context(), 5) != nil {
			break
		}
		spent += 5
		require.Less(t, spent, 2*most, "each node lets through a budget of its own")
	}
	assert.GreaterOrEqual(t, spent, most)
	refilled := int(most * time.Since(begun).Minutes())
	assert.LessOrEqual(t, spent, most+nodes*most/parts+most/10+refilled, "beyond the budget go a part of each node, and what refills meanwhile")
}

func TestW10_GuessesAreSharedToTheLast(t *testing.T) {
	t.Parallel()
	list := shared(t, miniredis.RunT(t), 3, Config{CustomerCoupons: 10})
	spent := 0
	for i := range 60 {
		l := list[i%3]
		if client(l, "203.0.113.1:1", ann).Coupons(t.Context(), 1) == nil {
			spent++
		}
	}
	assert.GreaterOrEqual(t, spent, 10)
	assert.LessOrEqual(t, spent, 12, "a minute has not passed")
}

// TestW10_ACutRedisLeavesEachNodeItsBudget cuts Redis while it is used, and brings it back.
func TestW10_ACutRedisLeavesEachNodeItsBudget(t *testing.T) {
	t.Parallel()
	const most = 4_000
	server, begun := miniredis.RunT(t), time.Now()
	list := shared(t, server, 2, Config{Customer: most})
	one, other := client(list[0], "203.0.113.1:1", ann), client(list[1], "203.0.113.1:1", ann)
	for range 10 {
		require.Nil(t, one.Customer(t.Context(), 100))
		require.Nil(t, other.Customer(t.Context(), 100))
	}
	server.Close()
	spent, refused := spendAll(t, func() *Refused { return one.Customer(t.Context(), 100) })
	refilled := int(most * time.Since(begun).Minutes() / 100)
	assert.GreaterOrEqual(t, spent, 25, "what is left of the node's own budget")
	assert.LessOrEqual(t, spent, 35+refilled, "and what refills meanwhile")
	assert.NotNil(t, refused)
	require.NoError(t, server.Restart())
	list[1].retryAt.Store(0)
	assert.Nil(t, other.Customer(t.Context(), 100), "the other has not spent its own")
}

func TestW10_WhatIsSpentWhileRedisIsLeftAloneIsSettledLater(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	list := shared(t, miniredis.RunT(t), 2, Config{CustomerCoupons: 10})
	one, other := client(list[0], "203.0.113.1:1", ann), client(list[1], "203.0.113.1:1", ann)
	list[0].retryAt.Store(begun.Add(time.Hour).UnixNano())
	for range 8 {
		require.Nil(t, one.Coupons(t.Context(), 1))
	}
	list[0].retryAt.Store(0)
	require.Nil(t, one.Coupons(t.Context(), 1))
	spent, _ := spendAll(t, func() *Refused { return other.Coupons(t.Context(), 1) })
	refilled := int(time.Since(begun) / (6 * time.Second))
	assert.GreaterOrEqual(t, spent, 1, "what is left")
	assert.LessOrEqual(t, spent, 1+refilled)
}

// TestW10_WhatRefilledIsNotOwed has a customer who spends half of what refills, while Redis is away.
func TestW10_WhatRefilledIsNotOwed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", Dialer: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("asked while it is left alone")
		}})
		t.Cleanup(func() { assert.NoError(t, rdb.Close()) })
		l := limiter(t, Config{CustomerCoupons: 10}, Deps{Redis: rdb})
		l.retryAt.Store(time.Now().Add(time.Hour).UnixNano())
		for range 100 {
			require.Nil(t, client(l, "203.0.113.1:1", ann).Coupons(t.Context(), 1))
			time.Sleep(12 * time.Second)
		}
		assert.LessOrEqual(t, l.account(who{budget: l.customerCoupons, person: ann.Key()}).owed, 1)
	})
}

// TestW10_PausesGrowWhileRedisIsAway has many requests meet each trouble.
func TestW10_PausesGrowWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, Config{Customer: 1}, Deps{})
		for _, ms := range []int64{20, 40, 80, 160, 320, 640, 1000, 1000} {
			pause := time.Duration(ms) * time.Millisecond
			began := time.Now()
			for until := l.retryAt.Load(); began.UnixNano() >= l.retryAt.Load(); {
				for range 10 {
					l.leaveAlone(t.Context(), until, errors.New("i/o timeout"))
				}
			}
			assert.Equal(t, pause, time.Unix(0, l.retryAt.Load()).Sub(began))
			time.Sleep(pause)
		}
	})
}

// TestW10_AHungRedisIsNotWaitedFor answers nothing at all.
func TestW10_AHungRedisIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var dialed atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			dialed.Add(1)
			t.Cleanup(func() { _ = conn.Close() })
		}
	})
	t.Cleanup(func() { assert.NoError(t, ln.Close()); wg.Wait() })
	rdb := redis.NewClient(&redis.Options{Addr: ln.Addr().String(), ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = rdb.Close() })
	var log bytes.Buffer
	l := limiter(t, Config{Customer: 400}, Deps{Redis: rdb, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	c := client(l, "203.0.113.1:1", ann)
	began := time.Now()
	spent, _ := spendAll(t, func() *Refused { return c.Customer(t.Context(), 10) })
	assert.GreaterOrEqual(t, spent, 40)
	assert.Less(t, time.Since(began), time.Second, "each request would wait 10 ms, and this is 40 of them, many times over when machines are busy")
	assert.LessOrEqual(t, dialed.Load(), int64(4), "it is left alone for a while")
	assert.Contains(t, log.String(), "rate limits are this node's own for now")
	assert.NotContains(t, log.String(), "203.0.113")
}

func TestW10_KeysTellNobody(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	l := shared(t, server, 1, Config{Customer: 10, Address: 10, AddressCoupons: 10})[0]
	c := client(l, "203.0.113.1:1", ann)
	require.Nil(t, c.Both(t.Context(), 10))
	require.Nil(t, c.Coupons(t.Context(), 1))
	keys := server.Keys()
	assert.Len(t, keys, 3)
	for _, key := range keys {
		assert.Regexp(t, `^rate:portico:(customer|address|address-coupons):[0-9a-f]{32}$`, key)
		assert.NotZero(t, server.TTL(key), "%s stays for ever", key)
	}
	unlike := limiter(t, Config{Address: 1}, Deps{Secret: "another"})
	assert.NotContains(t, strings.Join(keys, " "), unlike.key(who{budget: unlike.address, address: neighborhood(netip.MustParseAddr("203.0.113.1"))}))
}

func TestW10_AccountsAreBounded(t *testing.T) {
	t.Parallel()
	l := limiter(t, Config{Address: 10}, Deps{})
	for i := range accounts + 1_000 {
		client(l, fmt.Sprintf("%d.%d.%d.1:1", i>>16+1, i>>8&255, i&255), commerce.Principal{}).Address(t.Context(), 1)
	}
	assert.Equal(t, accounts, l.accounts.Len())
}

func TestConfig(t *testing.T) {
	t.Parallel()
	assert.NoError(t, Config{Exempt: []string{"none"}}.Validate())
	err := Config{Customer: -1, AddressCoupons: maxBudget + 1, Proxies: []string{"x"}, Exempt: []string{"10.0.0.0/33"}}.Validate()
	for _, variable := range []string{"RATE_LIMIT_CUSTOMER ", "RATE_LIMIT_ADDRESS_COUPONS ", "TRUSTED_PROXIES:", "RATE_LIMIT_EXEMPT:"} {
		assert.ErrorContains(t, err, variable)
	}
	assert.NotContains(t, err.Error(), "RATE_LIMIT_ADDRESS ")
}

func TestConcurrentSpendersKeepTheBudget(t *testing.T) {
	t.Parallel()
	l := limiter(t, Config{Customer: 1_000}, Deps{})
	var through atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c := client(l, "203.0.113.1:1", ann)
			for range 500 {
				if c.Customer(t.Context(), 1) == nil {
					through.Add(1)
				}
			}
		})
	}
	wg.Wait()
	assert.InDelta(t, 1_000, through.Load(), 100)
}

// BenchmarkW10_Request is what a request costs whose caller has enough left: two budgets
// are spent and told of.
func BenchmarkW10_Request(b *testing.B) {
	server := miniredis.RunT(b)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
	b.Cleanup(func() { _ = rdb.Close() })
	for name, deps := range map[string]Deps{"alone": {}, "redis": {Redis: rdb}} {
		b.Run(name, func(b *testing.B) {
			l := limiter(b, Config{Customer: maxBudget, Address: maxBudget}, deps)
			b.ReportAllocs()
			for b.Loop() {
				c := client(l, "203.0.113.1:1", ann)
				if c.Both(b.Context(), 1) != nil {
					b.Fatal("refused")
				}
				_, _ = c.Fields()
			}
		})
	}
}
