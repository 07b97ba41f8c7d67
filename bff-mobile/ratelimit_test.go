package bffmobile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/schema/commerce"
)

// limited gives callers budgets. Requests without a socket come from 0.0.0.0, which is
// believed what it forwards.
func limited(t testing.TB, cfg ratelimit.Config) func(*edge.Backend) {
	t.Helper()
	if cfg.Proxies == nil {
		cfg.Proxies = []string{"0.0.0.0"}
	}
	return func(b *edge.Backend) {
		var err error
		b.RateLimit, err = ratelimit.New(cfg, ratelimit.Deps{Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
	}
}

const (
	someone   = "203.0.113.1"
	elsewhere = "198.51.100.1"
)

// from is c as it comes from an address.
func (c call) from(address string) call {
	c.headers = append([]string{"X-Forwarded-For", address}, c.headers...)
	return c
}

// still runs a test in a bubble, where time stands still: what is left is exactly what was not
// spent.
func still(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	open(t).send(t, get("/")) // starts fasthttp's clock for Date, which would not leave the bubble
	synctest.Test(t, test)
}

func TestW10_AScreenIsChargedWhatItCanCost(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T) {
		s := open(t, limited(t, ratelimit.Config{Address: 6_000, Customer: 600}))
		s.filled(t)
		a := s.ok(t, get("/v1/screens/cart/"+guestCart).from(someone))
		assert.Equal(t, `"address";q=6000;w=60`, a.Header.Get("RateLimit-Policy"))
		assert.Equal(t, `"address";r=5996;t=0`, a.Header.Get("RateLimit"), "1, the cart, its pictures and their stock")
		a = s.ok(t, get("/v1/orders", "Authorization", "Bearer C1").from(elsewhere))
		assert.Equal(t, `"customer";q=600;w=60, "address";q=6000;w=60`, a.Header.Get("RateLimit-Policy"))
		assert.Equal(t, `"customer";r=597;t=0, "address";r=5997;t=0`, a.Header.Get("RateLimit"))
		for i, refused := range []call{
			get("/v1/orders", "Authorization", "Bearer forged"), get("/v1/nothing"), get("/v1/orders?first=x"),
			{"POST", "/v1/carts/" + guestCart + "/lines", `{"sku":1}`, keyed(longKey)},
		} {
			a = s.send(t, refused.from("192.0.2.7"))
			assert.GreaterOrEqual(t, a.Status, 400)
			assert.Equal(t, fmt.Sprintf(`"address";r=%d;t=0`, 5999-i), a.Header.Get("RateLimit"), "who guesses pays for it, and for no call: %s", refused.path)
		}
	})
}

// What a screen costs is no less than what it comes to.
func TestW10_NoScreenMakesMoreCallsThanItsCost(t *testing.T) {
	t.Parallel()
	cart := "/v1/carts/" + guestCart
	ann := []string{"Authorization", "Bearer C1"}
	for _, c := range []call{
		get("/v1/screens/home"), get("/v1/screens/categories/kitchen"), get("/v1/screens/search?q=mug"), get("/v1/screens/products/MUG-RED"),
		get("/v1/screens/cart/" + guestCart), get("/v1/screens/account", ann...), get("/v1/orders", ann...),
		get("/v1/orders/000000007", ann...), get("/v1/orders/000099999", ann...),
		get("/v1/screens/home?fields=categories"), get("/v1/screens/categories/kitchen?fields=description"), get("/v1/screens/search?fields=products(total)"),
		get("/v1/screens/products/MUG-RED?fields=price"), get("/v1/screens/cart/" + guestCart + "?fields=cart(coupon)"), get("/v1/screens/account?fields=loyalty", ann...),
		{"POST", "/v1/carts", `{}`, keyed(longKey)},
		{"POST", cart + "/lines", `{"sku":"BOWL-1","quantity":1}`, keyed("a")},
		{"PUT", cart + "/coupon", `{"code":"WELCOME10"}`, keyed("b")},
		{"POST", cart + "/merge", `{}`, keyed("d", ann...)},
		{"POST", cart + "/order", `{"paymentMethod":"checkmo"}`, keyed("c")},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			const budget = 6_000
			still(t, func(t *testing.T) {
				s := open(t, limited(t, ratelimit.Config{Address: budget}))
				s.filled(t)
				s.ok(t, call{"PUT", cart + "/shipping", `{"email":"g@example.test","shippingAddress":` + seattle + `,"methodCode":"post.ground"}`, keyed("s")})
				s.ResetCalls()
				a := s.send(t, c.from(someone))
				var left int
				_, err := fmt.Sscanf(a.Header.Get("RateLimit"), `"address";r=%d`, &left)
				require.NoError(t, err, "%d %s", a.Status, a.Raw)
				assert.LessOrEqual(t, s.TotalCalls(), budget-left-1, "%d %s", a.Status, a.Raw)
				more := 2 // a customer has no orders at the checkout, say
				if strings.Contains(c.path, "?fields=") {
					more = 0
				}
				assert.LessOrEqual(t, budget-left-1, s.TotalCalls()+more, "nor much more")
			})
		})
	}
}

func TestW10_TooMuchIs429WithRetryAfter(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T) {
		s := open(t, limited(t, ratelimit.Config{Address: 12, Customer: 600}))
		for _, c := range []call{{"POST", "/v1/carts", `{}`, nil}, {"POST", "/v1/carts/" + guestCart + "/lines", `{"sku":"MUG-RED","quantity":2}`, nil}} {
			s.ok(t, c.from("192.0.2.1"))
		}
		cart := get("/v1/screens/cart/" + guestCart) // costs 1 and 3
		for range 3 {
			require.Equal(t, http.StatusOK, s.checked(t, cart.from(someone)).Status)
		}
		s.ResetCalls()
		for _, c := range []call{
			cart, get("/v1/screens/home"), {"POST", "/v1/carts", `{}`, keyed(longKey)}, get("/v1/orders", "Authorization", "Bearer C1"), get("/no/such"),
		} {
			a := s.send(t, c.from(someone))
			require.Equal(t, http.StatusTooManyRequests, a.Status, a.Raw)
			assert.Equal(t, "application/problem+json", a.Header.Get("Content-Type"))
			assert.Contains(t, a.Raw, `"type":"/problems/rate-limited"`)
			assert.Contains(t, a.Raw, `the budget \"address\" of 12 a minute has not enough left; come back in 5 s`)
			assert.Equal(t, "5", a.Header.Get("Retry-After"), "one is back in 5 s")
			assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			assert.Contains(t, a.Header.Get("RateLimit"), `"address";r=0;t=`)
		}
		assert.Zero(t, s.TotalCalls())
		assert.Equal(t, http.StatusOK, s.send(t, cart.from(elsewhere)).Status)
		assert.NotContains(t, s.log.String(), someone)
	})
}

// TestW10_CouponsCannotBeGuessedInTheApp tries one code after the other, from one address and
// by one customer from many.
func TestW10_CouponsCannotBeGuessedInTheApp(t *testing.T) {
	t.Parallel()
	const tries, addressTries = 5, 20
	s := open(t, limited(t, ratelimit.Config{Address: 60_000, Customer: 60_000, CustomerCoupons: tries, AddressCoupons: addressTries}))
	s.filled(t)
	guess := func(cart string, i int, headers ...string) call {
		return call{"PUT", "/v1/carts/" + cart + "/coupon", fmt.Sprintf(`{"code":"GUESS-%d"}`, i), keyed(fmt.Sprintf("guess-%032d", i), headers...)}
	}
	guests := 0
	for i := range 100 {
		a := s.send(t, guess(guestCart, i).from(someone))
		if a.Status != http.StatusTooManyRequests {
			guests++
			continue
		}
		assert.Contains(t, a.Raw, `the budget \"address-coupons\" of 20 a minute has not enough left`)
		assert.NotEmpty(t, a.Header.Get("Retry-After"))
	}
	assert.LessOrEqual(t, addressTries, guests)
	assert.Less(t, guests, 2*addressTries, "some are back by now")
	assert.Equal(t, guests, s.Calls(commerce.OpCouponApply), "what is refused is not tried")

	kept := s.Calls(commerce.OpCouponApply)
	again := s.send(t, guess(guestCart, 0).from(someone))
	assert.Equal(t, http.StatusBadRequest, again.Status, again.Raw)
	assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"), "a try that was answered is told again, also to who has none left")
	assert.Equal(t, kept, s.Calls(commerce.OpCouponApply))

	own := s.ok(t, call{"POST", "/v1/carts", `{}`, keyed(longKey, "Authorization", "Bearer C1")}.from(elsewhere))
	ann := createdID(t, own)
	s.ResetCalls()
	for i := range 50 {
		s.send(t, guess(ann, i, "Authorization", "Bearer C1").from(fmt.Sprintf("198.51.100.%d", i)))
	}
	assert.LessOrEqual(t, tries, s.Calls(commerce.OpCouponApply))
	assert.Less(t, s.Calls(commerce.OpCouponApply), 3*tries, "an address for each try brings nothing")
	assert.Equal(t, http.StatusOK, s.send(t, get("/v1/screens/cart/"+ann, "Authorization", "Bearer C1").from(elsewhere)).Status, "they can still shop")
}

// A kept answer goes to whoever asks, also from caches on the way: one client's budget is not
// in it. What is the caller's own tells it.
func TestRateLimitFieldsAreNotShared(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t, limited(t, ratelimit.Config{Address: 6_000, Customer: 6_000}))
	shared := []string{"/v1/screens/home", "/v1/screens/categories/kitchen", "/v1/screens/search?q=mug", "/v1/screens/products/MUG-RED"}
	for _, path := range shared {
		for _, how := range []string{"miss", "hit"} {
			a := s.ok(t, get(path).from(someone))
			require.Equal(t, how, s.how(t))
			assert.Contains(t, a.Header.Get("Cache-Control"), "public", path)
			assert.Empty(t, a.Header.Values("RateLimit"), path)
			assert.Empty(t, a.Header.Values("RateLimit-Policy"), path)
		}
		a := s.ok(t, get(path, "Authorization", "Bearer C1").from(someone))
		assert.NotContains(t, a.Header.Get("Cache-Control"), "public", path)
		assert.Contains(t, a.Header.Get("RateLimit"), `"customer";r=`, path)
	}
	s.filled(t)
	s.Fail(commerce.OpReviews, commerce.ErrUnavailable)
	for what, c := range map[string]call{
		"degraded": get("/v1/screens/products/BOWL-1"), "problem": get("/v1/screens/products/NO-SUCH"), "account": get("/v1/screens/account", "Authorization", "Bearer C1"),
		"cart": get("/v1/screens/cart/" + guestCart), "write": {"POST", "/v1/carts", `{}`, keyed(longKey)}, "unmatched": get("/v2"),
	} {
		a := s.send(t, c.from(someone))
		assert.NotContains(t, a.Header.Get("Cache-Control"), "public", what)
		assert.NotEmpty(t, a.Header.Get("RateLimit"), "%s: %d %s", what, a.Status, a.Raw)
	}
	unlimited := open(t)
	unlimited.filled(t)
	assert.Empty(t, unlimited.ok(t, get("/v1/screens/cart/"+guestCart)).Header.Values("RateLimit"), "nobody is limited")
}

// A kept answer costs 1, whoever kept it and however it is asked for.
func TestW10_AKeptScreenCosts1(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t, limited(t, ratelimit.Config{Customer: 6}))
	ann := []string{"Authorization", "Bearer C1"}
	s.ok(t, get("/v1/screens/search?q=mug").from(someone))
	for _, path := range []string{"/v1/screens/search?q=mug", "/v1/screens/search?q=mug&inStock=false", "/v1/screens/search?q=%20mug"} {
		a := s.send(t, get(path, ann...).from(elsewhere))
		require.Equal(t, http.StatusOK, a.Status, "%s: %s", path, a.Raw)
		require.Equal(t, "hit", s.how(t))
	}
	a := s.send(t, get("/v1/screens/search?q=bowl", ann...).from(elsewhere))
	assert.Equal(t, http.StatusTooManyRequests, a.Status, "1 and 4 of 3: %s", a.Raw)
	assert.Contains(t, a.Raw, `the budget \"customer\" of 6`)
}

// TestM8_TheClientIsTheSocketUnlessAProxyIsListed sends one request over a socket for each
// row, which uses up the budget of whoever it is charged to, and looks who that was.
func TestM8_TheClientIsTheSocketUnlessAProxyIsListed(t *testing.T) {
	t.Parallel()
	const stranger, proxy = "127.0.0.2", "127.0.0.3"
	for name, c := range map[string]struct {
		peer    string
		headers []string
		want    string
	}{
		"nothing is said":                           {stranger, nil, stranger},
		"a stranger says it":                        {stranger, []string{"X-Forwarded-For: 203.0.113.1"}, stranger},
		"a stranger says it twice":                  {stranger, []string{"X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 203.0.113.1"}, stranger},
		"a stranger names a proxy":                  {stranger, []string{"X-Forwarded-For: 127.0.0.3"}, stranger},
		"a stranger behind a proxy of its own":      {stranger, []string{"X-Forwarded-For: 203.0.113.1, 127.0.0.3"}, stranger},
		"a stranger says Forwarded":                 {stranger, []string{"Forwarded: for=203.0.113.1"}, stranger},
		"a stranger says X-Real-IP":                 {stranger, []string{"X-Real-IP: 203.0.113.1"}, stranger},
		"a proxy says nothing":                      {proxy, nil, proxy},
		"a proxy says it":                           {proxy, []string{"X-Forwarded-For: 203.0.113.1"}, "203.0.113.1"},
		"in small letters":                          {proxy, []string{"x-forwarded-for: 203.0.113.1"}, "203.0.113.1"},
		"in a name that looks alike":                {proxy, []string{"X_Forwarded_For: 203.0.113.1"}, proxy},
		"in names of other proxies":                 {proxy, []string{"X-Real-IP: 203.0.113.1", "True-Client-IP: 203.0.113.1", "CF-Connecting-IP: 203.0.113.1", "X-Client-IP: 203.0.113.1"}, proxy},
		"Forwarded is not read":                     {proxy, []string{`Forwarded: for="[2001:db8::5]:4711";proto=https`}, proxy},
		"Forwarded beside it":                       {proxy, []string{"Forwarded: for=203.0.113.9", "X-Forwarded-For: 203.0.113.1"}, "203.0.113.1"},
		"the client wrote the first":                {proxy, []string{"X-Forwarded-For: 6.6.6.6, 203.0.113.1"}, "203.0.113.1"},
		"the client wrote a line":                   {proxy, []string{"X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 203.0.113.1"}, "203.0.113.1"},
		"the client wrote a line of a proxy":        {proxy, []string{"X-Forwarded-For: 127.0.0.3", "X-Forwarded-For: 203.0.113.1"}, "203.0.113.1"},
		"two proxies":                               {proxy, []string{"X-Forwarded-For: 6.6.6.6, 203.0.113.1, 10.1.2.3"}, "203.0.113.1"},
		"two proxies, a line each":                  {proxy, []string{"X-Forwarded-For: 6.6.6.6,203.0.113.1", "X-Forwarded-For: 10.1.2.3"}, "203.0.113.1"},
		"a proxy that is not listed in between":     {proxy, []string{"X-Forwarded-For: 6.6.6.6, 203.0.113.1, 10.1.2.3, 192.0.2.1"}, "192.0.2.1"},
		"proxies only":                              {proxy, []string{"X-Forwarded-For: 10.1.2.4, 10.1.2.3"}, "10.1.2.4"},
		"with a port":                               {proxy, []string{"X-Forwarded-For: 203.0.113.1:4711"}, "203.0.113.1"},
		"IPv6":                                      {proxy, []string{"X-Forwarded-For: 2001:db8::5"}, "2001:db8::5"},
		"IPv6 in brackets":                          {proxy, []string{"X-Forwarded-For: [2001:db8::5]"}, "2001:db8::5"},
		"IPv6 with a port":                          {proxy, []string{"X-Forwarded-For: [2001:db8::5]:4711"}, "2001:db8::5"},
		"IPv6 written out":                          {proxy, []string{"X-Forwarded-For: 2001:0DB8:0:0::0005"}, "2001:db8::5"},
		"IPv6 with a zone":                          {proxy, []string{"X-Forwarded-For: fe80::5%eth0"}, "fe80::5"},
		"IPv4 in the clothes of IPv6":               {proxy, []string{"X-Forwarded-For: ::ffff:203.0.113.1"}, "203.0.113.1"},
		"a proxy in the clothes of IPv6":            {proxy, []string{"X-Forwarded-For: 203.0.113.1, ::ffff:10.1.2.3"}, "203.0.113.1"},
		"no address":                                {proxy, []string{"X-Forwarded-For: unknown"}, proxy},
		"no address at the end":                     {proxy, []string{"X-Forwarded-For: 203.0.113.1, _hidden"}, proxy},
		"no address behind a proxy":                 {proxy, []string{"X-Forwarded-For: 203.0.113.1, nonsense, 10.1.2.3"}, "10.1.2.3"},
		"an empty value":                            {proxy, []string{"X-Forwarded-For:"}, proxy},
		"an empty line behind an address":           {proxy, []string{"X-Forwarded-For: 203.0.113.1", "X-Forwarded-For:"}, proxy},
		"a comma behind an address":                 {proxy, []string{"X-Forwarded-For: 203.0.113.1,"}, proxy},
		"a number that is no address":               {proxy, []string{"X-Forwarded-For: 3405803777"}, proxy},
		"an address with leading zeros":             {proxy, []string{"X-Forwarded-For: 203.000.113.001"}, proxy},
		"a network":                                 {proxy, []string{"X-Forwarded-For: 203.0.113.0/24"}, proxy},
		"as an option of the connection (RFC 9110)": {proxy, []string{"X-Forwarded-For: 203.0.113.1", "Connection: X-Forwarded-For"}, "203.0.113.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, limited(t, ratelimit.Config{Address: 1, Proxies: []string{proxy, "10.0.0.0/8"}}))
			addr, _ := s.serve(t)
			require.Equal(t, http.StatusNotFound, s.asked(t, addr, c.peer, c.headers))
			told := func(who string) int { return s.asked(t, addr, proxy, []string{"X-Forwarded-For: " + who}) }
			for _, other := range []string{"6.6.6.6", "203.0.113.9", "198.51.100.77"} {
				assert.Equal(t, http.StatusNotFound, told(other), "%s was not charged", other)
			}
			if c.want != stranger && c.want != proxy {
				assert.Equal(t, http.StatusTooManyRequests, told(c.want))
				assert.Equal(t, http.StatusNotFound, s.asked(t, addr, proxy, nil), "the proxy was not charged")
				return
			}
			assert.Equal(t, http.StatusTooManyRequests, s.asked(t, addr, c.want, nil))
			assert.Equal(t, http.StatusNotFound, told("203.0.113.1"), "nobody else was charged")
		})
	}
}

// createdID is the id of the cart that a write answered.
func createdID(t *testing.T, a answer) string {
	t.Helper()
	var cart struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &cart), a.Raw)
	return cart.ID
}

// asked asks for what is not there, which costs 1, over a socket from an address of this
// machine, and answers the status.
func (s *shop) asked(t *testing.T, addr, from string, headers []string) int {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	lines := append([]string{"GET /no/such HTTP/1.1", "Host: portico.test"}, headers...)
	_, err = io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}
