// Package ratelimit bounds what callers may ask for: by customer, by address, and apart
// from both for what is guessed, such as coupons. It knows neither net/http's nor fiber's
// routing; each channel wraps it thinly.
//
// Budgets refill evenly and may be spent at once (GCRA). Each node keeps accounts in
// memory, so that most requests wait for nothing, and settles what was spent with Redis in
// parts of a fortieth of the budget: all nodes together exceed it by no more than a part
// each. Without Redis, and while it cannot be asked, each node keeps to the budget alone; what
// was spent since it was last asked is settled once it answers.
package ratelimit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/redis/go-redis/v9"

	"github.com/portico-bff/portico/edge/clientip"
	"github.com/portico-bff/portico/schema/commerce"
)

const (
	window = time.Minute
	// parts a budget is settled in.
	parts = 40
	// accounts kept at once, of some 400 bytes. Who is forgotten begins anew on this node;
	// Redis remembers.
	accounts = 50_000
	// askTimeout bounds what a request waits for Redis.
	askTimeout = 10 * time.Millisecond
	// Redis is left alone after it could not be asked: shortly at first, since one late answer is
	// a busy moment, and twice as long each further time.
	firstPause = 20 * time.Millisecond
	mostPause  = time.Second
)

// budget is one of the things that are bounded.
type budget struct {
	name  string // in the header fields and in Redis
	most  int    // in a window
	every int    // what is spent is settled in parts of this size
}

// Deps is what a limiter works with.
type Deps struct {
	Redis  redis.UniversalClient // shared by all nodes; nil bounds each node alone
	Secret commerce.Secret       // hides addresses in the keys in Redis; the same on all nodes, may be empty
	Log    *slog.Logger
}

// Limiter keeps all accounts. A nil one limits nobody.
type Limiter struct {
	customer, address, customerCoupons, addressCoupons *budget // nil where there is none

	policies map[bool]string // the values of [PolicyField], by whether somebody signed in
	clients  *clientip.Resolver
	exempt   clientip.Networks
	accounts *lru.Cache[who, *account]
	redis    *redis_rate.Limiter
	secret   []byte
	log      *slog.Logger
	wait     time.Duration // for Redis
	retryAt  atomic.Int64  // Unix nanoseconds before which Redis is left alone
	pause    atomic.Int64  // nanoseconds for which it was last; 0 when it answered
}

// who has an account.
type who struct {
	budget  *budget
	person  commerce.PrincipalKey
	address netip.Addr
}

// New makes a limiter; it calls nothing. It answers nil when every budget is 0.
func New(cfg Config, deps Deps) (*Limiter, error) {
	l := &Limiter{secret: []byte(deps.Secret), log: deps.Log, wait: askTimeout}
	var errs [3]error
	l.clients, errs[0] = clientip.New(cfg.Proxies)
	l.exempt, errs[1] = clientip.Parse("RATE_LIMIT_EXEMPT", cfg.Exempt)
	l.accounts, errs[2] = lru.New[who, *account](accounts)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	if deps.Redis != nil {
		l.redis = redis_rate.NewLimiter(deps.Redis)
	}
	l.customer = newBudget("customer", cfg.Customer, parts)
	l.address = newBudget("address", cfg.Address, parts)
	// What is guessed is settled each time: a part more would be a part more guesses.
	l.customerCoupons = newBudget("customer-coupons", cfg.CustomerCoupons, cfg.CustomerCoupons)
	l.addressCoupons = newBudget("address-coupons", cfg.AddressCoupons, cfg.AddressCoupons)
	if l.customer == nil && l.address == nil && l.customerCoupons == nil && l.addressCoupons == nil {
		return nil, nil //nolint:nilnil // a nil limiter limits nobody
	}
	l.policies = map[bool]string{true: policyOf(l.customer, l.address), false: policyOf(l.address)}
	return l, nil
}

func newBudget(name string, most, parts int) *budget {
	if most == 0 {
		return nil
	}
	return &budget{name: name, most: most, every: max(most/max(parts, 1), 1)}
}

// Client is who a request comes from, by its address. peer is the socket's other end, as
// host:port; forwarded are the values of X-Forwarded-For. Who is exempt is nil, which is never
// refused.
func (l *Limiter) Client(peer string, forwarded []string) *Client {
	if l == nil {
		return nil
	}
	at, _ := netip.ParseAddrPort(peer) // what is none is an unknown address, which has a budget as well
	return l.ClientAt(at, forwarded)
}

// ClientAt is [Limiter.Client] where the socket's other end is known as an address.
func (l *Limiter) ClientAt(peer netip.AddrPort, forwarded []string) *Client {
	addr, limited := l.addressOf(peer, forwarded)
	if !limited {
		return nil
	}
	return &Client{limiter: l, address: addr}
}

// Address spends n of the budget of the address that a request comes from, as
// [Client.Address] does, for callers of whom nothing else is asked.
func (l *Limiter) Address(ctx context.Context, peer netip.AddrPort, forwarded []string, n int) *Refused {
	addr, limited := l.addressOf(peer, forwarded)
	if !limited {
		return nil
	}
	return l.spend(ctx, who{budget: l.address, address: addr}, n)
}

// Trusts tells whether what the socket's other end says in X-Forwarded-For is believed.
func (l *Limiter) Trusts(peer netip.AddrPort) bool { return l != nil && l.clients.Trusts(peer) }

// addressOf is where a request comes from, as its account has it; not limited when it is exempt.
func (l *Limiter) addressOf(peer netip.AddrPort, forwarded []string) (addr netip.Addr, limited bool) {
	if l == nil {
		return netip.Addr{}, false
	}
	addr = l.clients.Of(peer, forwarded)
	return neighborhood(addr), !l.exempt.Contain(addr)
}

// spend takes n from an account, if there is such a budget.
func (l *Limiter) spend(ctx context.Context, w who, n int) *Refused {
	if w.budget == nil || n <= 0 {
		return nil
	}
	wait, ok := l.account(w).spend(ctx, l, n)
	if ok {
		return nil
	}
	return &Refused{Budget: w.budget.name, Most: w.budget.most, Wait: wait}
}

// account finds or opens the account of one who has a budget.
func (l *Limiter) account(w who) *account {
	if a, ok := l.accounts.Get(w); ok {
		return a
	}
	a := newAccount(w.budget, l.key(w))
	if earlier, ok, _ := l.accounts.PeekOrAdd(w, a); ok {
		return earlier
	}
	return a
}

// key names an account in Redis. It tells nobody who has it.
func (l *Limiter) key(w who) string {
	mac := hmac.New(sha256.New, l.secret)
	for _, part := range []string{w.person.Tenant, w.person.Subject, w.address.String()} {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	return strings.Join([]string{"portico", w.budget.name, hex.EncodeToString(mac.Sum(nil)[:16])}, ":")
}

// settle takes n from the account that all nodes share, as far as it has so much. Who does not
// answer may have heard: asked tells that from a Redis that is left alone. The result is nil then.
func (l *Limiter) settle(ctx context.Context, a *account, n int, now time.Time) (result *redis_rate.Result, asked bool) {
	until := l.retryAt.Load()
	if now.UnixNano() < until {
		return nil, false
	}
	// Not the request's own end: what it spent is spent even if nobody waits any more.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.wait)
	defer cancel()
	limit := redis_rate.Limit{Rate: a.budget.most, Burst: a.budget.most, Period: window}
	result, err := l.redis.AllowAtMost(ctx, a.key, limit, n)
	if err != nil {
		l.leaveAlone(ctx, until, err)
		return nil, true
	}
	l.pause.Store(0)
	return result, true
}

// leaveAlone begins a pause, once for all who met the same trouble after the last one, until.
func (l *Limiter) leaveAlone(ctx context.Context, until int64, err error) {
	pause := min(max(2*l.pause.Load(), int64(firstPause)), int64(mostPause))
	if !l.retryAt.CompareAndSwap(until, time.Now().UnixNano()+pause) {
		return
	}
	l.pause.Store(pause)
	l.log.LogAttrs(ctx, slog.LevelWarn, "rate limits are this node's own for now", slog.String("error", err.Error()))
}
