package bffweb

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/schema/commerce"
)

// letters makes up requests: what is asked for in a few ways, so that the same is sent
// again and again, by whoever.
type letters struct{ *rand.Rand }

func (l letters) of(list ...string) string { return list[l.IntN(len(list))] }

// request is one that is made up; calls with the same numbers make up the same.
func (l letters) request(t *testing.T) *http.Request {
	t.Helper()
	query := l.of(
		`query($sku:String!){product(sku:$sku){sku price{unit{amount currency}}}}`,
		`query($sku:String!,$me:Boolean=false){product(sku:$sku){name price{unit{amount}}} me@include(if:$me){profile{email}}}`,
		`{categories{name}}`, `{me{profile{email}}}`, `{nothing}`, `{`,
	)
	variables := l.of(`{"sku":"MUG-RED"}`, `{"sku":"MUG-RED"}`, `{ "sku":"MUG-RED"}`, `{"sku":"MUG-RED","me":true}`, `{"sku":1}`, `{}`)
	var r *http.Request
	if l.IntN(2) == 0 {
		values := url.Values{"query": {query}, "variables": {variables}}
		r = httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://portico.test/graphql?"+values.Encode(), nil)
	} else {
		text, err := json.Marshal(query)
		require.NoError(t, err)
		r = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test/graphql",
			strings.NewReader(fmt.Sprintf(`{"query":%s,"variables":%s}`, text, variables)))
		r.Header.Set("Content-Type", l.of("application/json", "application/json", "application/json; charset=utf-8", "text/plain"))
	}
	r.Header.Set(requestid.Header, "the-same")
	for _, values := range [][]string{
		{"Authorization", "", "", "", "Bearer C1", "Bearer C1", "Bearer C2", "Bearer C2", "Bearer wrong"},
		{"X-Channel", "", "", "", "us", "eu", "mars"},
		{"X-Currency", "", "", "", "EUR"},
		{"Accept-Language", "", "", "fr"},
		{"Accept", "", "", "", "application/graphql-response+json", "text/html"},
		{"Cookie", "", "", "", "a=b"},
		{"Origin", "", "", "", "https://shop.example", "https://other.example"},
		{"Content-Encoding", "", "", "", "", "", "gzip"},
	} {
		if value := l.of(values[1:]...); value != "" {
			r.Header.Set(values[0], value)
		}
	}
	return r
}

// What is found by a request's letters is what the whole way from its token to its
// answer would have brought, whoever asked the same before.
func TestC19_LettersAnswerAsTheWholeWayDoes(t *testing.T) {
	t.Parallel()
	s, c := keeping(t)
	alone := open(t)
	seed := rand.Uint64()
	for i := range 10_000 {
		again := func() *http.Request { return letters{rand.New(rand.NewPCG(seed, uint64(i)))}.request(t) }
		want, got, r := alone.send(t, again()), s.send(t, again()), again()
		what := fmt.Sprintf("seed %d: %s %s %v", seed, r.Method, r.URL, r.Header)
		require.Equal(t, want.Status, got.Status, what)
		require.Equal(t, want.Raw, got.Raw, what)
		kept := strings.HasPrefix(got.Header.Get("Cache-Control"), "public")
		if kept {
			require.Equal(t, http.MethodGet, r.Method, what)
			require.Empty(t, r.Header.Get("Authorization"), what)
		}
		for _, name := range []string{"Age", "Etag", "Surrogate-Key"} {
			require.Equal(t, kept, got.Header.Get(name) != "", what)
			got.Header.Del(name)
		}
		if kept { // what is not kept may not say so
			got.Header.Del("Cache-Control")
			want.Header.Del("Cache-Control")
		}
		want.Header.Del("Content-Length")
		got.Header.Del("Content-Length")
		want.Header.Del("Server-Timing") // no two requests take equally long
		got.Header.Del("Server-Timing")
		require.Equal(t, want.Header, got.Header, what)
		if i%2_000 == 1_999 {
			require.NoError(t, c.Invalidate(t.Context(), commerce.TagAll))
		}
	}
	require.Greater(t, strings.Count(s.log.String(), `"answer":"hit"`), 200)
}

// A header that is too large for a proxy is a 502 for every shopper: with the largest
// Surrogate-Key that is given without being asked for, all of it is less than 4 KiB.
func TestHeadersFitAnUnconfiguredProxy(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true"})
	require.NoError(t, err)
	s, _ := keeping(t)
	a := s.by(t, pageQuery, red(), header{requestid.Header, strings.Repeat("i", 64)}, header{"Origin", "https://" + strings.Repeat("o", 253)},
		header{"X-CSRF", "1"}, header{"Sec-Fetch-Site", "none"})
	if a.Status == http.StatusForbidden { // whose origin is not ours is told less
		a = s.by(t, pageQuery, red(), header{requestid.Header, strings.Repeat("i", 64)})
	}
	require.NotEmpty(t, a.Header.Get("Surrogate-Key"))
	a.Header.Set("Surrogate-Key", strings.Repeat("k", cfg.Cache.SurrogateKeyBytes))
	a.Header.Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
	a.Header.Set("Access-Control-Allow-Origin", "https://"+strings.Repeat("o", 253))
	a.Header.Set("Access-Control-Expose-Headers", strings.Repeat("e", 128))
	var head strings.Builder
	require.NoError(t, a.Header.Write(&head))
	require.Less(t, len("HTTP/1.1 200 OK\r\n\r\n")+head.Len(), 4096, head.String())
}
