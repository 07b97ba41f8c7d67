package bffweb

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ratelimit"
)

// limited opens a shop whose callers have budgets.
func limited(t *testing.T, cfg ratelimit.Config, deps ratelimit.Deps) *shop {
	t.Helper()
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	return open(t, func(b *edge.Backend) {
		var err error
		b.RateLimit, err = ratelimit.New(cfg, deps)
		require.NoError(t, err)
	})
}

// from sends a query from an address.
func (s *shop) from(t *testing.T, peer, query string, headers ...header) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test/graphql", strings.NewReader(`{"query":`+quote(query)+`}`))
	r.RemoteAddr = peer
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		r.Header.Set(h[0], h[1])
	}
	return s.send(t, r)
}

func quote(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

const (
	someone   = "203.0.113.1:4711"
	elsewhere = "198.51.100.1:4711"
)

// Time stands still in a bubble: what is left is exactly what was not spent.
func TestW10_ARequestIsChargedWhatItCanCost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := limited(t, ratelimit.Config{Address: 6_000, Customer: 600}, ratelimit.Deps{})
		a := s.from(t, someone, `{product(sku:"MUG-RED"){name price{quantity} availability{quantity}}}`, header{"Authorization", "Bearer C1"})
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		assert.Equal(t, `"customer";q=600;w=60, "address";q=6000;w=60`, a.Header.Get("RateLimit-Policy"))
		assert.Equal(t, `"customer";r=595;t=0, "address";r=5995;t=0`, a.Header.Get("RateLimit"), "1, and 4 calls")
		a = s.from(t, elsewhere, `{__typename}`)
		assert.Equal(t, `"address";r=5999;t=0`, a.Header.Get("RateLimit"))
		a = s.from(t, elsewhere, `{__typename}`, header{"Authorization", "Bearer forged"})
		assert.Equal(t, http.StatusUnauthorized, a.Status)
		assert.Equal(t, `"address";r=5998;t=0`, a.Header.Get("RateLimit"), "who guesses tokens pays for it")
		a = s.from(t, "127.0.0.1:1", `{__typename}`)
		assert.NotEmpty(t, a.Header.Get("RateLimit"), "nobody is exempt where nobody is listed")
	})
}

func TestW10_TooMuchIs429WithRetryAfter(t *testing.T) {
	t.Parallel()
	s := limited(t, ratelimit.Config{Address: 12}, ratelimit.Deps{})
	const query = `{product(sku:"MUG-RED"){name price{quantity}}}` // costs 1 and 2
	for range 4 {
		require.Equal(t, http.StatusOK, s.from(t, someone, query).Status)
	}
	s.ResetCalls()
	a := s.from(t, someone, query)
	assert.Equal(t, http.StatusTooManyRequests, a.Status)
	assert.Equal(t, []string{"RATE_LIMITED"}, a.codes())
	assert.Equal(t, "5", a.Header.Get("Retry-After"), "one is back in 5 s")
	assert.Equal(t, `too many requests: the budget "address" of 12 a minute has not enough left; come back in 5 s`, a.Errors[0].Message)
	assert.Equal(t, "address", a.Errors[0].Extensions["limit"])
	assert.EqualValues(t, 12, a.Errors[0].Extensions["max"])
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	assert.Contains(t, a.Header.Get("RateLimit"), `"address";r=0;t=`)
	assert.Zero(t, s.TotalCalls())
	assert.Equal(t, http.StatusOK, s.from(t, elsewhere, query).Status)
	assert.NotContains(t, s.log.String(), "203.0.113.1")
}

// TestW10_EachAliasOfACouponCounts sends many guesses in one request.
func TestW10_EachAliasOfACouponCounts(t *testing.T) {
	t.Parallel()
	s := limited(t, ratelimit.Config{Address: 6_000, Customer: 6_000, CustomerCoupons: 5, AddressCoupons: 50}, ratelimit.Deps{})
	signedIn := header{"Authorization", "Bearer C1"}
	made := s.from(t, someone, `mutation{cartCreate{cart{id}}}`, signedIn)
	cart, _ := at(t, made.Data, "cartCreate", "cart", "id").(string)
	guess := func(aliases string) answer {
		var b strings.Builder
		for _, alias := range aliases {
			b.WriteString(string(alias) + `:cartCouponApply(input:{cartId:"` + cart + `" code:"X` + string(alias) + `"}){userErrors{code}} `)
		}
		return s.from(t, someone, "mutation{"+b.String()+"}", signedIn)
	}
	require.Equal(t, http.StatusOK, guess("abc").Status)
	s.ResetCalls()
	a := guess("def")
	assert.Equal(t, http.StatusTooManyRequests, a.Status, a.Raw)
	assert.Zero(t, s.TotalCalls(), "not one of them is tried")
	assert.Equal(t, http.StatusOK, guess("gh").Status)
	assert.Equal(t, http.StatusTooManyRequests, guess("i").Status)
	assert.Equal(t, http.StatusOK, s.from(t, someone, `{cart(id:"`+cart+`"){quantity}}`, signedIn).Status, "they can still shop")
}

// TestW10_TwoNodesShareABudget has two channels on one Redis, which is cut on the way.
func TestW10_TwoNodesShareABudget(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	var log bytes.Buffer
	node := func() *shop {
		rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1, DialTimeout: 100 * time.Millisecond})
		t.Cleanup(func() { _ = rdb.Close() })
		return limited(t, ratelimit.Config{CustomerCoupons: 4}, ratelimit.Deps{Redis: rdb, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	}
	nodes := []*shop{node(), node()}
	const guess = `mutation{cartCouponApply(input:{cartId:"c_none" code:"X"}){userErrors{code}}}`
	through := 0
	for i := range 8 {
		if nodes[i%2].from(t, someone, guess, header{"Authorization", "Bearer C1"}).Status == http.StatusOK {
			through++
		}
	}
	if !strings.Contains(log.String(), "this node's own") { // or the machine is too busy to ask within 10 ms
		assert.Equal(t, 4, through)
	}
	server.Close()
	assert.Equal(t, http.StatusOK, nodes[0].from(t, someone, guess, header{"Authorization", "Bearer C2"}).Status, "without Redis the node keeps its own books")
}
