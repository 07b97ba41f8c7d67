package bffweb

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/schema/commerce"
)

// TestW11_WhatIsSomebodysOwnIsKeptByNobody asks for all that is bound to a customer, a
// cart or an order, alone and beside what is everyone's, hidden and shown.
func TestW11_WhatIsSomebodysOwnIsKeptByNobody(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"cart":            `{cart(id:"g_00000000000000000000000000001001"){id}}`,
		"shippingOptions": `{shippingOptions(cartId:"g_00000000000000000000000000001001",address:` + literalAddress + `){code}}`,
		"me":              `{me{profile{email}}}`,
		"order":           `{order(number:"000000007"){number}}`,
		"beside":          `{product(sku:"MUG-RED"){name} me{loyalty{points}}}`,
		"alias":           `{product:order(number:"000000007"){number}}`,
		"fragment":        `query{...A} fragment A on Query{...on Query{me{profile{email}}} categories{id}}`,
		"included":        `{me @include(if:true){profile{email}} categories{id}}`,
		"everyone's":      `{product(sku:"MUG-RED"){name}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := keeping(t)
			for range 2 { // nothing is kept on the way, either
				for _, token := range []string{"Bearer C1", ""} {
					var headers []header
					if token != "" {
						headers = append(headers, header{"Authorization", token})
					}
					for _, a := range []answer{s.query(t, query, nil, headers...), s.by(t, query, nil, headers...)} {
						require.Equal(t, http.StatusOK, a.Status, a.Raw)
						if name == "everyone's" && token == "" {
							assert.NotContains(t, a.Header.Get("Cache-Control"), "private")
							continue
						}
						assert.Equal(t, "private, no-store", a.Header.Get("Cache-Control"))
						assert.Empty(t, a.Header.Get("ETag")+a.Header.Get("Age")+a.Header.Get("Surrogate-Key"))
					}
				}
			}
		})
	}
}

const literalAddress = `{firstName:"Ann",lastName:"Lee",street:["1 Main St"],city:"Seattle",postcode:"98101",country:"US"}`

// endless is a catalogue with much to say.
type endless struct {
	commerce.Catalog
	bytes int
}

func (c endless) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	found, err := c.Catalog.Products(ctx, m, skus)
	for sku, p := range found {
		long := *p
		long.Description = strings.Repeat("x", c.bytes)
		found[sku] = &long
	}
	return found, err
}

// TestW11_AnAnswerIsAtMostFiveMebibytes takes answers right below and above the bound, by
// either method, kept or not.
func TestW11_AnAnswerIsAtMostFiveMebibytes(t *testing.T) {
	t.Parallel()
	const query = `{product(sku:"MUG-RED"){description}}`
	around := len(`{"data":{"product":{"description":""}}}`)
	for _, answers := range []int64{0, 16 << 20} {
		for size, status := range map[int]int{limits.MaxResponseBytes: 200, limits.MaxResponseBytes + 1: 500} {
			t.Run(fmt.Sprint(answers, " ", size), func(t *testing.T) {
				t.Parallel()
				s := open(t, func(b *edge.Backend) {
					b.Ports.Catalog = endless{b.Ports.Catalog, size - around}
					b.Config.Limits.RequestTimeout = time.Minute // under the race detector, five mebibytes take their time
					c, err := cache.New(cache.Config{AnswerBytes: answers, HardTimeout: time.Minute}, cache.Deps{Log: b.Log})
					require.NoError(t, err)
					b.Ports = c.Wrap(b.Ports)
					b.Answers, err = cache.NewAnswers(c, cache.Config{AnswerBytes: answers}, "web", b.Telemetry.Meter())
					require.NoError(t, err)
					t.Cleanup(func() {
						b.Answers.Close()
						require.NoError(t, c.Close())
					})
				})
				for _, a := range []answer{s.query(t, query, nil), s.by(t, query, nil), s.by(t, query, nil, header{"Authorization", "Bearer C1"})} {
					assert.Equal(t, status, a.Status)
					assert.LessOrEqual(t, len(a.Raw), limits.MaxResponseBytes)
					if status == http.StatusOK {
						assert.Len(t, a.Raw, size)
						continue
					}
					assert.Equal(t, []string{"ANSWER_TOO_LARGE"}, a.codes(), "%.200s", a.Raw)
					assert.Contains(t, []string{"no-store", "private, no-store"}, a.Header.Get("Cache-Control"), "nobody keeps a refusal")
				}
			})
		}
	}
}

// TestW11_TheStrictestPartDecides reads Cache-Control on GET off what the answer holds:
// the shortest life, one price group, one market, and 304 to nobody else.
func TestW11_TheStrictestPartDecides(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	life := func(fields string) (n int) {
		a := s.by(t, `{product(sku:"LAMP-1"){`+fields+`}}`, nil)
		_, err := fmt.Sscanf(a.Header.Get("Cache-Control"), "public, max-age=%d", &n)
		require.NoError(t, err, "%s: %v", fields, a.Header)
		return n
	}
	assert.Greater(t, life("name"), 10)
	assert.LessOrEqual(t, life("name price{unit{amount}}"), 60, "a price is good for a minute")
	assert.LessOrEqual(t, life("name price{unit{amount}} availability{quantity}"), 10, "stock for ten seconds")

	const query = `{product(sku:"LAMP-1"){name price{unit{amount}}}}`
	first := s.by(t, query, nil)
	tag := first.Header.Get("ETag")
	require.NotEmpty(t, tag)
	for _, asked := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		same := s.by(t, query, nil, header{"If-None-Match", asked})
		assert.Equal(t, http.StatusNotModified, same.Status, asked)
		assert.Empty(t, same.Raw)
		for _, name := range []string{"ETag", "Cache-Control", "Surrogate-Key", "Vary", "Content-Language"} {
			assert.Equal(t, first.Header.Values(name), same.Header.Values(name), name)
		}
		assert.NotEmpty(t, same.Header.Get("Age"))
		assert.Empty(t, same.Header.Get("Content-Type")+same.Header.Get("Content-Length"))
	}
	for _, asked := range []string{`"other"`, strings.Trim(tag, `"`), "", `"` + tag} {
		assert.Equal(t, http.StatusOK, s.by(t, query, nil, header{"If-None-Match", asked}).Status, asked)
	}
	assert.Equal(t, http.StatusOK, s.query(t, query, nil, header{"If-None-Match", tag}).Status, "POST is not conditional")
	for _, other := range []header{{"Authorization", "Bearer C1"}, {"Authorization", "Bearer C2"}, {"X-Channel", "eu"}, {"X-Currency", "EUR"}, {"Accept-Language", "fr"}, {"Accept", "application/graphql-response+json"}} {
		a := s.by(t, query, nil, other, header{"If-None-Match", tag})
		assert.Equal(t, http.StatusOK, a.Status, other)
		assert.NotEmpty(t, a.Raw)
	}
	vary := strings.Join(first.Header.Values("Vary"), ", ")
	for _, name := range []string{"Authorization", "X-Channel", "Accept-Language", "X-Currency", "X-Country", "Accept", "Origin"} {
		assert.Contains(t, vary, name)
	}
}

// TestW11_EveryAnswerSaysHowLongItIs takes answers around what net/http counts by itself,
// made and kept, by either method: none comes in chunks.
func TestW11_EveryAnswerSaysHowLongItIs(t *testing.T) {
	t.Parallel()
	const query = `{product(sku:"MUG-RED"){description}}`
	around := len(`{"data":{"product":{"description":""}}}`)
	for _, size := range []int{2047, 2048, 2049, 4096, 10_000} {
		s, _ := keeping(t, func(b *edge.Backend) { b.Ports.Catalog = endless{b.Ports.Catalog, size - around} })
		server := httptest.NewServer(s.handler)
		t.Cleanup(server.Close)
		for _, method := range []string{http.MethodPost, http.MethodPost, http.MethodGet} {
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/graphql?query="+url.QueryEscape(query), nil)
			if method == http.MethodPost {
				r, err = http.NewRequestWithContext(t.Context(), method, server.URL+"/graphql", strings.NewReader(`{"query":`+strconv.Quote(query)+`}`))
			}
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/json")
			res, err := server.Client().Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusOK, res.StatusCode, "%.200s", body)
			assert.Len(t, body, size)
			assert.Equal(t, []string{strconv.Itoa(size)}, res.Header.Values("Content-Length"), method)
			assert.Empty(t, res.TransferEncoding, "%d by %s", size, method)
		}
		assert.Equal(t, "hit", s.how(t))
	}
}

// A header of more than eight fields is a map of several pieces, twice, since net/http copies
// it: what is told by POST of what is kept stays below.
func TestW11_AKeptAnswerToPostTellsNoMoreThanItHasTo(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	s.ok(t, pageQuery, red())
	kept := s.ok(t, pageQuery, red())
	require.Equal(t, "hit", s.how(t))
	assert.Equal(t, []string{
		"Cache-Control", "Content-Language", "Content-Type", "X-Channel", "X-Content-Type-Options", "X-Country", "X-Currency", "X-Request-Id",
	}, slices.Sorted(maps.Keys(kept.Header)))
}
