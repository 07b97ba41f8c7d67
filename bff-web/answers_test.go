package bffweb

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/schema/commerce"
)

// keeping is a shop behind the cache whose whole answers are kept; change may alter the
// backend before that.
func keeping(t testing.TB, change ...func(*edge.Backend)) (*shop, *cache.Cache) {
	t.Helper()
	return keepingOf(t, documents.Config{Open: true}, change...)
}

// keepingOf is keeping with other documents.
func keepingOf(t testing.TB, cfg documents.Config, change ...func(*edge.Backend)) (*shop, *cache.Cache) {
	t.Helper()
	var c *cache.Cache
	s := opened(t, cfg, append(change, func(b *edge.Backend) {
		cfg := cache.Config{AnswerBytes: 4 << 20, SurrogateKeyBytes: 3 << 10, HardTimeout: time.Minute} // the machine may be busy
		var err error
		c, err = cache.New(cfg, cache.Deps{Log: b.Log})
		require.NoError(t, err)
		b.Ports = c.Wrap(b.Ports)
		b.Answers, err = cache.NewAnswers(c, cfg, "web", b.Telemetry.Meter())
		require.NoError(t, err)
		t.Cleanup(func() {
			b.Answers.Close()
			require.NoError(t, c.Close())
		})
	})...)
	return s, c
}

const pageQuery = `query Page($sku: String!) {
  product(sku: $sku) { sku name price { unit { amount currency formatted } } availability { inStock } reviews { count } related { sku name } }
  categories { id name }
}`

// by sends a query with GET.
func (s *shop) by(t testing.TB, query string, variables map[string]any, headers ...header) answer {
	t.Helper()
	text, err := json.Marshal(variables)
	require.NoError(t, err)
	values := url.Values{"query": {query}, "variables": {string(text)}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://portico.test/graphql?"+values.Encode(), nil)
	for _, h := range headers {
		r.Header.Set(h[0], h[1])
	}
	return s.send(t, r)
}

func red() map[string]any { return map[string]any{"sku": "MUG-RED"} }

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

func TestTheSameQueryTwiceCostsNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	first := s.ok(t, pageQuery, red())
	require.Equal(t, "miss", s.how(t))
	golden(t, "answer-page", first.Raw)
	s.ResetCalls()
	second := s.ok(t, pageQuery, red())
	require.Equal(t, "hit", s.how(t))
	require.Equal(t, first.Raw, second.Raw)
	require.Zero(t, s.TotalCalls())
	for _, name := range []string{"Content-Type", "Content-Language", "Vary", "Cache-Control", "X-Channel", "X-Content-Type-Options"} {
		require.Equal(t, first.Header.Values(name), second.Header.Values(name), name)
	}
	require.Equal(t, "max-age=0", second.Header.Get("Cache-Control"), "answers to POST say what they always said")
	require.Empty(t, second.Header.Get("Age"))
	require.Contains(t, s.log.String(), `"operation":"Page"`)

	// The order of variables and the way the request came make no difference.
	s.ResetCalls()
	require.Equal(t, first.Raw, s.by(t, pageQuery, red()).Raw)
	require.Equal(t, "hit", s.how(t))
	require.Zero(t, s.TotalCalls())
}

func TestQueriesAtOnceAskEachSystemOnce(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	const askers = 100
	gate := make(chan struct{})
	s.Hold(commerce.OpProducts, func(context.Context) { <-gate })
	var arrived, done sync.WaitGroup
	answers := make([]answer, askers)
	for i := range askers {
		arrived.Add(1)
		done.Go(func() {
			arrived.Done()
			answers[i] = s.ok(t, pageQuery, red())
		})
	}
	arrived.Wait()
	close(gate)
	done.Wait()
	for _, a := range answers {
		require.Equal(t, answers[0].Raw, a.Raw)
	}
	for _, op := range []commerce.Operation{commerce.OpPrices, commerce.OpAvailability, commerce.OpReviews, commerce.OpRelated, commerce.OpCategoryTree} {
		require.LessOrEqual(t, s.Calls(op), 2, op) // one for the product, one for what goes with it
	}
	require.LessOrEqual(t, s.Calls(commerce.OpProducts), 2)
}

func TestAnInvalidatedProductIsAnsweredAnew(t *testing.T) {
	t.Parallel()
	s, c := keeping(t)
	s.ok(t, pageQuery, red())
	s.ok(t, pageQuery, map[string]any{"sku": "BOWL-1"})
	require.NoError(t, c.Invalidate(t.Context(), commerce.TagStock("MUG-RED")))
	s.ResetCalls()
	s.ok(t, pageQuery, red())
	require.Equal(t, "miss", s.how(t))
	require.Equal(t, 1, s.Calls(commerce.OpAvailability))
	require.Equal(t, 1, s.TotalCalls(), "the rest is still known")
	s.ok(t, pageQuery, map[string]any{"sku": "BOWL-1"})
	require.Equal(t, "hit", s.how(t))
}

func TestC24_AnswersToGetSayHowLongTheyLast(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	for _, how := range []string{"miss", "hit"} {
		a := s.by(t, pageQuery, red())
		require.Equal(t, how, s.how(t))
		var life, age int
		_, err := fmt.Sscanf(a.Header.Get("Cache-Control"), "public, max-age=%d", &life)
		require.NoError(t, err, a.Header)
		_, err = fmt.Sscan(a.Header.Get("Age"), &age)
		require.NoError(t, err, a.Header)
		require.Greater(t, life, 3)
		require.LessOrEqual(t, life, 10, "stock is good for ten seconds")
		require.LessOrEqual(t, age, life)
		keys := strings.Fields(a.Header.Get("Surrogate-Key"))
		require.Subset(t, keys, []string{"product:MUG-RED", "price:MUG-RED", "stock:MUG-RED", "reviews:MUG-RED", "categories", "all"})
		require.Contains(t, strings.Join(a.Header.Values("Vary"), ", "), "Authorization")
	}
	mine := s.by(t, pageQuery, red(), header{"Authorization", "Bearer C1"})
	require.Equal(t, "private, no-store", mine.Header.Get("Cache-Control"))
	require.Empty(t, mine.Header.Get("Surrogate-Key"))
	require.Empty(t, mine.Header.Get("Age"))
	require.Equal(t, "no-store", s.by(t, `{`, nil).Header.Get("Cache-Control"))
}

func TestC20_NoAnswerWithAnythingAmissIsKept(t *testing.T) {
	t.Parallel()
	const fails = `{product(sku:"MUG-RED"){name reviews@freshness(onError:NULL){count}}}`
	for name, c := range map[string]struct {
		query  string
		with   func(*shop)
		how    string
		signed bool
	}{
		"an error":             {fails, func(s *shop) { s.Fail(commerce.OpReviews, commerce.ErrUnavailable) }, "miss", false},
		"a filler":             {`{product(sku:"MUG-RED"){name related{name}}}`, func(s *shop) { s.Fail(commerce.OpRelated, commerce.ErrUnavailable) }, "miss", false},
		"an unknown error":     {fails, func(s *shop) { s.Fail(commerce.OpReviews, fmt.Errorf("detail")) }, "miss", false},
		"a private root":       {`{product(sku:"MUG-RED"){name} cart(id:"g_00000000000000000000000000001001"){id}}`, nil, "bypass", false},
		"a customer's root":    {`{product(sku:"MUG-RED"){name} me{profile{email}}}`, nil, "bypass", true},
		"private in fragments": {`query{...A} fragment A on Query{...on Query{me{profile{email}}} product(sku:"MUG-RED"){name}}`, nil, "bypass", true},
		"an alias of private":  {`{product:me{profile{email}}}`, nil, "bypass", true},
		"a mutation":           {`mutation{cartCreate{cart{id}}}`, nil, "bypass", false},
		"nothing at all":       {`{__typename}`, nil, "bypass", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := keeping(t)
			if c.with != nil {
				c.with(s)
			}
			var headers []header
			if c.signed {
				headers = append(headers, header{"Authorization", "Bearer C1"})
			}
			for range 2 {
				a := s.query(t, c.query, nil, headers...)
				require.Equal(t, http.StatusOK, a.Status)
				require.Equal(t, c.how, s.how(t))
			}
			if c.how == "bypass" {
				return
			}
			get := s.by(t, c.query, nil)
			require.Equal(t, "no-store", get.Header.Get("Cache-Control"))
			require.Empty(t, get.Header.Get("Surrogate-Key"))
		})
	}
	// What a directive leaves out does no harm; what a variable lets in does.
	s, _ := keeping(t)
	const optional = `query($me:Boolean!){product(sku:"MUG-RED"){name} me@include(if:$me){profile{email}}}`
	for want, me := range map[string]bool{"miss": false, "bypass": true} {
		s.ok(t, optional, map[string]any{"me": me}, header{"Authorization", "Bearer C1"})
		require.Equal(t, want, s.how(t))
	}
}

// Those who waited for an answer that failed are each told their own request.
func TestSharedErrorsNameEachRequest(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	s.Fail(commerce.OpAvailability, commerce.ErrUnavailable)
	gate, arrived := make(chan struct{}), make(chan struct{}, 2)
	s.Hold(commerce.OpAvailability, func(context.Context) { <-gate })
	var done sync.WaitGroup
	for _, id := range []string{"one", "two"} {
		done.Go(func() {
			arrived <- struct{}{}
			a := s.query(t, `{product(sku:"MUG-RED"){name availability{quantity}}}`, nil, header{requestid.Header, id})
			if assert.Len(t, a.Errors, 1, a.Raw) {
				assert.Equal(t, id, a.Errors[0].Extensions["requestId"])
			}
			assert.Len(t, a.Extensions.Freshness, 1)
		})
	}
	<-arrived
	<-arrived
	close(gate)
	done.Wait()
}

// Everyone asks for public and private things at once: each answer is the asker's own.
func TestC19_AnswersAreNeverSomeoneElses(t *testing.T) {
	t.Parallel()
	s, c := keeping(t)
	const queries = `query($sku:String!,$me:Boolean!){product(sku:$sku){sku price{unit{amount currency}}} me@include(if:$me){profile{email}}}`
	emails := map[string]string{"": "", "Bearer C1": s.Fixture().Customer.Email, "Bearer C2": s.Fixture().Neighbor.Email}
	markets := map[string]string{"us": "USD", "eu": "EUR", "uk": "GBP"}
	leaks := make(chan string, 10) // the first of them
	leak := func(a answer, what string) {
		select {
		case leaks <- what + ": " + a.Raw:
		default:
		}
	}
	var wg sync.WaitGroup
	const workers, each = 4, 1_500
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 11))
			for range each {
				token := []string{"", "Bearer C1", "Bearer C2"}[r.IntN(3)]
				channel := []string{"us", "eu", "uk"}[r.IntN(3)]
				sku, me := []string{"MUG-RED", "BOWL-1"}[r.IntN(2)], r.IntN(3) == 0
				a := s.query(t, queries, map[string]any{"sku": sku, "me": me}, header{"Authorization", token}, header{"X-Channel", channel})
				if token == "" {
					a = s.query(t, queries, map[string]any{"sku": sku, "me": me}, header{"X-Channel", channel})
				}
				for who, email := range emails {
					if email != "" && strings.Contains(a.Raw, email) && (!me || who != token) {
						leak(a, "mail of "+who+" for "+token)
					}
				}
				for name, currency := range markets {
					if name != channel && strings.Contains(a.Raw, `"`+currency+`"`) {
						leak(a, currency+" for "+channel)
					}
				}
				if told := strings.Count(a.Raw, `"sku":`); told > strings.Count(a.Raw, `"sku":"`+sku+`"`) {
					leak(a, "another product than "+sku)
				} else if told == 0 && len(a.Errors) == 0 { // a busy machine's may be late
					leak(a, "nothing of "+sku)
				}
				if r.IntN(50) == 0 {
					_ = c.Invalidate(context.Background(), commerce.TagProduct(commerce.SKU(sku)))
				}
			}
		})
	}
	wg.Wait()
	close(leaks)
	for told := range leaks {
		t.Error(told)
	}
	require.Greater(t, strings.Count(s.log.String(), `"answer":"hit"`), workers*each/4)
}

// A customer of a price group of their own, and strangers, each see their prices.
func TestAnswersKeepPriceGroupsApart(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	const query = `{product(sku:"MUG-RED"){price{unit{amount}}}}`
	alone := open(t)
	for _, token := range []string{"Bearer C1", "Bearer C2", "Bearer C1"} {
		signed := header{"Authorization", token}
		require.Equal(t, alone.ok(t, query, nil, signed).Raw, s.ok(t, query, nil, signed).Raw)
		require.Equal(t, alone.ok(t, query, nil).Raw, s.ok(t, query, nil).Raw)
	}
}

func TestRepresentationsAreKeptApart(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	for range 2 {
		for _, form := range []string{"application/json", "application/graphql-response+json"} {
			a := s.by(t, pageQuery, red(), header{"Accept", form})
			require.Equal(t, form+"; charset=utf-8", a.Header.Get("Content-Type"))
		}
	}
	require.Equal(t, "hit", s.how(t))
}

func TestMadeUpParametersAreTheSameQuestion(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	s.ok(t, pageQuery, red())
	s.ok(t, pageQuery, map[string]any{"sku": "MUG-RED", "made": "up"})
	assert.Equal(t, "hit", s.how(t), "no such variable is declared")
	body, err := json.Marshal(map[string]any{"query": pageQuery, "variables": red(), "extensions": map[string]any{"a": 1}})
	require.NoError(t, err)
	require.Empty(t, s.post(t, string(body)).Errors)
	assert.Equal(t, "hit", s.how(t), "no extension changes an answer")
	s.ok(t, pageQuery, map[string]any{"sku": "MUG-BLUE"})
	assert.Equal(t, "miss", s.how(t))
}

func TestWhatCachesMayShareTellsNobodysBudget(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t, func(b *edge.Backend) {
		var err error
		b.RateLimit, err = ratelimit.New(ratelimit.Config{Customer: 1000, Address: 1000}, ratelimit.Deps{Log: b.Log})
		require.NoError(t, err)
	})
	for range 2 { // made, and kept
		a := s.by(t, pageQuery, red())
		require.Contains(t, a.Header.Get("Cache-Control"), "public")
		assert.Empty(t, a.Header.Values("RateLimit"))
		assert.Empty(t, a.Header.Values("RateLimit-Policy"))
	}
	assert.NotEmpty(t, s.ok(t, pageQuery, red()).Header.Values("RateLimit"), "nobody shares what POST is answered")
}
