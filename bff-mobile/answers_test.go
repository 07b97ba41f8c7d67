package bffmobile

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// keeping is a shop behind the cache whose whole screens are kept.
func keeping(t testing.TB, change ...func(*edge.Backend)) (*shop, *cache.Cache) {
	t.Helper()
	return keepingLate(t, lateFrom(t), change...)
}

// keepingLate is keeping with [openLate].
func keepingLate(t testing.TB, lateFrom time.Duration, change ...func(*edge.Backend)) (*shop, *cache.Cache) {
	t.Helper()
	var c *cache.Cache
	s := openLate(t, lateFrom, append(change, func(b *edge.Backend) {
		cfg := cache.Config{AnswerBytes: 4 << 20, SurrogateKeyBytes: 3 << 10, HardTimeout: time.Minute} // the machine may be busy
		var err error
		c, err = cache.New(cfg, cache.Deps{Log: b.Log})
		require.NoError(t, err)
		b.Ports = c.Wrap(b.Ports)
		b.Answers, err = cache.NewAnswers(c, cfg, "mobile", b.Telemetry.Meter())
		require.NoError(t, err)
		t.Cleanup(func() {
			b.Answers.Close()
			require.NoError(t, c.Close())
		})
	})...)
	return s, c
}

// how the answer cache was used, by the log's last line of a request.
func (s *shop) how(t testing.TB) string {
	t.Helper()
	how := ""
	for line := range strings.Lines(s.log.String()) {
		var entry struct{ Msg, Answer string }
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		if entry.Msg == "request" {
			how = entry.Answer
		}
	}
	return how
}

func TestTheSameScreenTwiceCostsNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ first, again string }{
		"home":     {"/v1/screens/home", "/v1/screens/home"},
		"category": {"/v1/screens/categories/kitchen?first=20&sort=PRICE_ASC", "/v1/screens/categories/kitchen?sort=PRICE_ASC"},
		"search":   {"/v1/screens/search?q=mug&facet=color:Red&facet=color:Blue", "/v1/screens/search?inStock=false&facet=color:Blue&facet=color:Red&q=%20mug"},
		"product":  {"/v1/screens/products/MUG-RED", "/v1/screens/products/MUG-RED?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := keeping(t)
			first := s.checked(t, get(c.first))
			require.Equal(t, 200, first.Status, first.Raw)
			require.Equal(t, "miss", s.how(t))
			require.JSONEq(t, open(t).ok(t, get(c.first)).Raw, first.Raw, "the same as without the cache")
			s.ResetCalls()
			second := s.checked(t, get(c.again))
			require.Equal(t, "hit", s.how(t))
			require.Equal(t, first.Raw, second.Raw)
			require.Zero(t, s.TotalCalls())
			for _, h := range []string{"Content-Type", "Content-Language", "Vary", "Cache-Control", "Surrogate-Key", "X-Channel"} {
				require.Equal(t, first.Header.Values(h), second.Header.Values(h), h)
			}
			require.Equal(t, 200, s.send(t, call{method: "HEAD", path: c.first}).Status)
			require.Equal(t, "hit", s.how(t))
		})
	}
}

func TestScreensAtOnceAskEachSystemOnce(t *testing.T) {
	t.Parallel()
	s, _ := keepingLate(t, 0)
	const askers = 100
	gate := make(chan struct{})
	s.Hold(commerce.OpSearch, func(context.Context) { <-gate })
	var arrived, done sync.WaitGroup
	answers := make([]answer, askers)
	for i := range askers {
		arrived.Add(1)
		done.Go(func() {
			arrived.Done()
			answers[i] = s.ok(t, get("/v1/screens/search?q=mug"))
		})
	}
	arrived.Wait()
	close(gate)
	done.Wait()
	for _, a := range answers {
		require.Equal(t, answers[0].Raw, a.Raw)
	}
	for _, op := range []commerce.Operation{commerce.OpSearch, commerce.OpProducts, commerce.OpPrices, commerce.OpAvailability} {
		require.Equal(t, 1, s.Calls(op), op)
	}
}

func TestAnInvalidatedProductIsShownAnew(t *testing.T) {
	t.Parallel()
	s, c := keeping(t)
	s.ok(t, get("/v1/screens/products/MUG-RED"))
	s.ok(t, get("/v1/screens/products/BOWL-1"))
	require.NoError(t, c.Invalidate(t.Context(), commerce.TagStock("MUG-RED")))
	s.ResetCalls()
	s.ok(t, get("/v1/screens/products/MUG-RED"))
	require.Equal(t, "miss", s.how(t))
	require.Equal(t, 1, s.TotalCalls(), "the rest is still known")
	require.Equal(t, 1, s.Calls(commerce.OpAvailability))
}

func TestC24_ScreensSayHowLongTheyLast(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	const path = "/v1/screens/products/MUG-RED"
	for _, how := range []string{"miss", "hit"} {
		a := s.ok(t, get(path))
		require.Equal(t, how, s.how(t))
		var life, age int
		_, err := fmt.Sscanf(a.Header.Get("Cache-Control"), "public, max-age=%d", &life)
		require.NoError(t, err, a.Header)
		_, err = fmt.Sscan(a.Header.Get("Age"), &age)
		require.NoError(t, err, a.Header)
		require.Greater(t, life, 3)
		require.LessOrEqual(t, life, 10, "stock is good for ten seconds")
		require.LessOrEqual(t, age, life)
		require.Subset(t, strings.Fields(a.Header.Get("Surrogate-Key")), []string{"product:MUG-RED", "price:MUG-RED", "stock:MUG-RED", "categories"})
		require.Contains(t, strings.Join(a.Header.Values("Vary"), ", "), "Authorization")
	}
	mine := s.ok(t, get(path, "Authorization", "Bearer C1"))
	require.Equal(t, "private, no-cache", mine.Header.Get("Cache-Control"))
	require.Empty(t, mine.Header.Get("Surrogate-Key"))
	require.Empty(t, mine.Header.Get("Age"))
}

func TestC20_NoScreenWithAnythingAmissIsKept(t *testing.T) {
	t.Parallel()
	ann := []string{"Authorization", "Bearer C1"}
	for name, c := range map[string]struct {
		call
		fails commerce.Operation
		how   string
	}{
		"a part missing":   {get("/v1/screens/products/MUG-RED"), commerce.OpReviews, "miss"},
		"the screen fails": {get("/v1/screens/search?q=mug"), commerce.OpSearch, "miss"},
		"not found":        {get("/v1/screens/products/NO-SUCH"), "", "miss"},
		"an account":       {get("/v1/screens/account", ann...), "", "bypass"},
		"orders":           {get("/v1/orders", ann...), "", "bypass"},
		"an order":         {get("/v1/orders/000000007", ann...), "", "bypass"},
		"bad input":        {get("/v1/screens/search?first=0"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := keeping(t)
			s.Fail(c.fails, commerce.ErrUnavailable)
			for range 2 {
				a := s.send(t, c.call)
				require.Equal(t, c.how, s.how(t), a.Raw)
				if c.how == "bypass" {
					require.Equal(t, "private, no-cache", a.Header.Get("Cache-Control"))
				} else {
					require.Contains(t, a.Header.Get("Cache-Control"), "no-store")
					require.Empty(t, a.Header.Get("Etag"))
				}
				require.Empty(t, a.Header.Get("Surrogate-Key"))
				require.Empty(t, a.Header.Get("Age"))
			}
		})
	}
}

// Everyone looks at screens at once: each sees their own market and prices, and what
// is somebody's own is never in what others get.
func TestC19_ScreensAreNeverSomeoneElses(t *testing.T) {
	t.Parallel()
	s, c := keeping(t)
	own := map[string]string{"Bearer C1": s.Fixture().Customer.Email, "Bearer C2": s.Fixture().Neighbor.Email}
	markets := map[string]string{"us": "USD", "eu": "EUR", "uk": "GBP"}
	var leaks atomic.Int64
	var wg sync.WaitGroup
	const workers, each = 4, 1_000
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 13))
			for range each {
				token, channel := []string{"", "Bearer C1", "Bearer C2"}[r.IntN(3)], []string{"us", "eu", "uk"}[r.IntN(3)]
				path := []string{"/v1/screens/products/MUG-RED", "/v1/screens/home", "/v1/screens/search?q=mug", "/v1/screens/account"}[r.IntN(4)]
				headers := []string{"X-Channel", channel}
				if token != "" {
					headers = append(headers, "Authorization", token)
				}
				a := s.send(t, get(path, headers...))
				for who, email := range own {
					if email != "" && strings.Contains(a.Raw, email) && (who != token || path != "/v1/screens/account") {
						leaks.Add(1)
					}
				}
				for name, currency := range markets {
					if name != channel && path != "/v1/screens/account" && strings.Contains(a.Raw, `"`+currency+`"`) { // orders keep their money
						leaks.Add(1)
					}
				}
				if token != "" && a.Status == 200 && a.Header.Get("Cache-Control") != "private, no-cache" {
					leaks.Add(1)
				}
				if r.IntN(50) == 0 {
					_ = c.Invalidate(context.Background(), commerce.TagProduct("MUG-RED"))
				}
			}
		})
	}
	wg.Wait()
	require.Zero(t, leaks.Load())
	require.Greater(t, strings.Count(s.log.String(), `"answer":"hit"`), workers*each/4)
}

func TestScreensKeepPriceGroupsApart(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	alone := open(t)
	const path = "/v1/screens/products/MUG-RED"
	for _, token := range []string{"Bearer C1", "Bearer C2", "Bearer C1"} {
		signed := get(path, "Authorization", token)
		assert.Equal(t, alone.ok(t, signed).Raw, s.ok(t, signed).Raw)
		assert.Equal(t, alone.ok(t, get(path)).Raw, s.ok(t, get(path)).Raw)
	}
}
