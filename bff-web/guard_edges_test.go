package bffweb

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/schema/commerce"
)

// crossing is a well-formed request that a page of origins sent.
func crossing(t *testing.T, origins ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test/graphql", strings.NewReader(`{"query":"{__typename}"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-CSRF", "1")
	r.Header["Origin"] = origins
	return r
}

// An origin is ours as a whole: one, of a scheme that pages have, with the request's host
// in whatever case.
func TestW5_OurOwnOriginIsOneAndWhole(t *testing.T) {
	t.Parallel()
	s := open(t)
	const own, listed = "http://portico.test", "https://shop.example"
	for _, c := range []struct {
		host    string
		origins []string
		want    int
	}{
		{"portico.test", []string{own}, http.StatusOK},
		{"PORTICO.test", []string{own}, http.StatusOK},
		{"portico.test", []string{listed}, http.StatusOK},
		{"portico.test", []string{own, own}, http.StatusForbidden},
		{"portico.test", []string{own, "https://evil.example"}, http.StatusForbidden},
		{"portico.test", []string{listed, "https://evil.example"}, http.StatusForbidden},
		{"portico.test", []string{""}, http.StatusForbidden},
		{"portico.test", []string{"ftp://portico.test"}, http.StatusForbidden},
		{"portico.test", []string{"chrome-extension://portico.test"}, http.StatusForbidden},
		{"portico.test", []string{"//portico.test"}, http.StatusForbidden},
		{"", []string{"http://"}, http.StatusForbidden}, // HTTP/1.0 needs no Host
		{"", []string{"https://"}, http.StatusForbidden},
	} {
		r := crossing(t, c.origins...)
		r.Host = c.host
		assert.Equal(t, c.want, s.send(t, r).Status, "%+v", c)
	}
}

// A preflight is OPTIONS that asks for a method; nothing else is answered as one. What it
// was answered depends on all that it asked for.
func TestA14_OnlyPreflightsAreAnsweredAsPreflights(t *testing.T) {
	t.Parallel()
	s := open(t)
	for origin, want := range map[string]int{"https://shop.example": http.StatusNoContent, "https://evil.example": http.StatusForbidden} {
		r := crossing(t, origin)
		r.Method = http.MethodOptions
		r.Header.Set("Access-Control-Request-Method", "POST")
		a := s.send(t, r)
		require.Equal(t, want, a.Status)
		vary := strings.Join(a.Header.Values("Vary"), ", ")
		for _, name := range []string{"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"} {
			assert.Contains(t, vary, name, origin)
		}
	}
	asking := crossing(t, "https://shop.example")
	asking.Header.Set("Access-Control-Request-Method", "POST")
	assert.Equal(t, http.StatusOK, s.send(t, asking).Status, "POST is no preflight, whatever it says")
	plain := crossing(t, "https://shop.example")
	plain.Method = http.MethodOptions
	a := s.send(t, plain)
	assert.Equal(t, http.StatusMethodNotAllowed, a.Status)
	assert.Empty(t, a.Header.Get("Access-Control-Allow-Methods"))
}

// Everything that an answer which a cache may keep depends on is named in it: made, kept, not
// sent again, or refused, wherever that is.
func TestW11_EveryAnswerNamesWhatItDependsOn(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	made, kept := s.by(t, pageQuery, red()), s.by(t, pageQuery, red())
	require.Equal(t, "hit", s.how(t))
	for name, a := range map[string]answer{
		"made": made, "kept": kept,
		"not sent again":    s.by(t, pageQuery, red(), header{"If-None-Match", kept.Header.Get("Etag")}),
		"a customer's":      s.by(t, pageQuery, red(), header{"Authorization", "Bearer C1"}),
		"no such market":    s.by(t, pageQuery, red(), header{"X-Channel", "mars"}),
		"a bad token":       s.by(t, pageQuery, red(), header{"Authorization", "Bearer forged"}),
		"no such form":      s.by(t, pageQuery, red(), header{"Accept", "text/html"}),
		"no GraphQL":        s.by(t, `{`, nil),
		"from another page": s.by(t, pageQuery, red(), header{"X-CSRF", "1"}, header{"Origin", "https://evil.example"}),
	} {
		said := map[string]bool{}
		for _, line := range a.Header.Values("Vary") {
			for word := range strings.SplitSeq(line, ",") {
				said[strings.TrimSpace(word)] = true
			}
		}
		for _, word := range []string{"Origin", "Authorization", "X-Channel", "Accept-Language", "X-Currency", "X-Country", "Accept"} {
			assert.True(t, said[word], "%s: %s is not in %v", name, word, a.Header.Values("Vary"))
		}
	}
}

// No cache may keep an answer to POST: it names no place where GET had the same, nobody is
// told that it is public or lasts, and nothing is said that only who keeps it would read.
func TestW11_AnswersToPostAreKeptByNobody(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	made, kept := s.ok(t, pageQuery, red()), s.ok(t, pageQuery, red())
	require.Equal(t, "hit", s.how(t))
	for name, a := range map[string]answer{
		"made": made, "kept": kept,
		"a customer's":      s.ok(t, pageQuery, red(), header{"Authorization", "Bearer C1"}),
		"nothing read":      s.ok(t, `{__typename}`, nil),
		"no such market":    s.query(t, pageQuery, red(), header{"X-Channel", "mars"}),
		"a bad token":       s.query(t, pageQuery, red(), header{"Authorization", "Bearer forged"}),
		"no GraphQL":        s.query(t, `{`, nil),
		"from another page": s.send(t, crossing(t, "https://evil.example")),
	} {
		for _, field := range []string{"Content-Location", "Expires", "Age", "Etag", "Last-Modified", "Surrogate-Key", "Vary"} {
			assert.Empty(t, a.Header.Values(field), "%s: %s", name, field)
		}
		assert.Contains(t, []string{"max-age=0", "no-store", "private, no-store"}, a.Header.Get("Cache-Control"), name)
	}
}

// A page of somebody else's that makes a browser send requests spends nobody's budget.
func TestW5_WhatIsForgedIsChargedToNobody(t *testing.T) {
	t.Parallel()
	s := limited(t, ratelimit.Config{Address: 2}, ratelimit.Deps{})
	for range 10 {
		r := crossing(t, "https://evil.example")
		r.RemoteAddr = someone
		a := s.send(t, r)
		require.Equal(t, http.StatusForbidden, a.Status)
		assert.Empty(t, a.Header.Get("RateLimit"))
	}
	assert.Equal(t, http.StatusOK, s.from(t, someone, `{__typename}`).Status)
}

// Where a body ends that was not announced, the connection ends, whoever refused its request.
func TestW13_RefusedChunkedBodiesCloseTheConnection(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, change := range map[string]func(*http.Request){
		"answered":       func(*http.Request) {},
		"another page's": func(r *http.Request) { r.Header["Origin"] = []string{"https://evil.example"} },
		"a bad token":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer forged") },
		"no such market": func(r *http.Request) { r.Header.Set("X-Channel", "mars") },
		"no such form":   func(r *http.Request) { r.Header.Set("Accept", "text/html") },
		"a preflight": func(r *http.Request) {
			r.Method = http.MethodOptions
			r.Header.Set("Access-Control-Request-Method", "POST")
		},
		"not JSON": func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"not POST": func(r *http.Request) { r.Method = http.MethodPut },
	} {
		r := crossing(t, "https://shop.example")
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
		change(r)
		assert.Equal(t, "close", s.send(t, r).Header.Get("Connection"), name)
	}
}

// Whoever falls over before GraphQL begins is answered with 500 in GraphQL's form. One line
// says so, beside the request's own, which has the status and names the request alike; and
// the slot is free.
func TestW9_AStepMayPanic(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) {
		b.Config.Limits.MaxInFlight = 1
		b.Markets = nil // whoever looks for a market falls over
	})
	for n := range 2 {
		a := s.query(t, `{__typename}`, nil)
		require.Equal(t, http.StatusInternalServerError, a.Status, a.Raw)
		require.Equal(t, []string{"INTERNAL"}, a.codes())
		id := a.Header.Get("X-Request-Id")
		assert.Equal(t, id, a.Errors[0].Extensions["requestId"])
		said := map[string]float64{}
		for line := range strings.Lines(s.log.String()) {
			var entry struct {
				Msg, RequestID string
				Status         float64
			}
			require.NoError(t, json.Unmarshal([]byte(line), &entry))
			if entry.RequestID == id {
				said[entry.Msg] = entry.Status
			}
		}
		assert.Equal(t, map[string]float64{"panic": 0, "request": http.StatusInternalServerError}, said, "%d: %s", n, s.log.String())
	}
}

// hurried is an issuer that notes how long it may take.
type hurried struct{ left time.Duration }

func (h *hurried) Verify(ctx context.Context, _ string) (commerce.Principal, error) {
	end, _ := ctx.Deadline()
	h.left = time.Until(end)
	return commerce.Principal{}, commerce.ErrUnauthenticated
}

// Who asks is found out within the request's time, and before anything that is asked for
// is looked at.
func TestW12_TokensAreLookedAtInTimeAndFirst(t *testing.T) {
	t.Parallel()
	var b *edge.Backend
	s := open(t, func(own *edge.Backend) { b = own })
	issuer := &hurried{}
	s.handler = routes(stack{Backend: b, verifier: issuer, published: s.documents}, Config{Config: b.Config})
	a := s.query(t, `{`, nil, header{"Authorization", "Bearer any"}, header{"X-Channel", "mars"})
	assert.Equal(t, http.StatusUnauthorized, a.Status, a.Raw)
	assert.Positive(t, issuer.left)
	assert.LessOrEqual(t, issuer.left, b.Config.Limits.RequestTimeout)
}

// A bound is the most that there may be, and one more is refused.
func TestW2_BoundsAreTheMostThereMayBe(t *testing.T) {
	t.Parallel()
	s := open(t)
	const query = `query($n:Int!){a:search(first:92){nodes{related{related{sku}} variants{sku}}} b:search(first:$n){nodes{sku}}}`
	s.ok(t, query, map[string]any{"n": 16})
	a := s.query(t, query, map[string]any{"n": 17})
	assert.Equal(t, http.StatusBadRequest, a.Status)
	assert.Contains(t, a.Raw, "objects in the answer: 5002 exceeds 5000")

	var skus []string
	for i := range commerce.MaxBatch + 1 {
		skus = append(skus, "SKU-"+strconv.Itoa(i))
	}
	const list = `query($skus:[String!]!){products(skus:$skus){name}}`
	a = s.query(t, list, map[string]any{"skus": skus[1:]})
	assert.Equal(t, http.StatusOK, a.Status, a.Raw)
	assert.Equal(t, []string{"BAD_USER_INPUT"}, s.query(t, list, map[string]any{"skus": skus}).codes())
}
