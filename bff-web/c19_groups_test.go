package bffweb

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What depends on who asks and where, within what may be shared at all.
const (
	priceQuery = `{product(sku:"MUG-RED"){price{unit{amount currency}}}}`
	retail     = `"amount":"12.50"`
	wholesale  = `"amount":"11.25"`
)

// Whoever pays another price is answered with it, be the same question's answer kept
// for others by its meaning or by its letters, and whoever asked first.
func TestC19_TheWholesalePriceIsNobodyElses(t *testing.T) {
	t.Parallel()
	pays := map[string]string{"": retail, "Bearer C1": retail, "Bearer C2": retail, "Bearer W1": wholesale, "Bearer W2": wholesale}
	for _, order := range [][]string{
		{"", "Bearer W1", "", "Bearer C1", "Bearer W2", "Bearer C2", "Bearer W1"},
		{"Bearer W1", "", "Bearer C1", "Bearer W2", "", "Bearer W1"},
	} {
		s, _ := keeping(t)
		for i, token := range order {
			var headers []header
			if token != "" {
				headers = append(headers, header{"Authorization", token})
			}
			// Equal letters, and equal questions in other letters.
			for way, a := range map[string]answer{
				"post":   s.query(t, priceQuery, nil, headers...),
				"blanks": s.post(t, `{"query":`+quote(priceQuery)+strings.Repeat(" ", i)+`}`, headers...),
				"get":    s.by(t, priceQuery, nil, headers...),
			} {
				require.Equal(t, http.StatusOK, a.Status, a.Raw)
				assert.Contains(t, a.Raw, pays[token], "%d: %q by %s", i, token, way)
			}
		}
		assert.Contains(t, s.log.String(), `"answer":"hit"`, "the members of a group share")
	}
}

// Those who wait for the same answer at once wait for that of their own group.
func TestC1_AFlightIsOfOnePriceGroup(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	gate := make(chan struct{})
	s.Hold(commerce.OpPrices, func(context.Context) { <-gate })
	answers := map[string]*answer{}
	var arrived, done sync.WaitGroup
	for _, token := range []string{"Bearer C1", "Bearer W1", "Bearer C2", "Bearer W2"} {
		got := &answer{}
		answers[token] = got
		arrived.Add(1)
		done.Go(func() {
			arrived.Done()
			*got = s.query(t, priceQuery, nil, header{"Authorization", token})
		})
	}
	arrived.Wait()
	close(gate)
	done.Wait()
	for token, a := range answers {
		want := retail
		if strings.HasPrefix(token, "Bearer W") {
			want = wholesale
		}
		assert.Contains(t, a.Raw, want, token)
	}
}

// Markets that differ in one thing only are different questions.
func TestC19_EachPartOfTheMarketTellsAnswersApart(t *testing.T) {
	t.Parallel()
	const query = `{product(sku:"MUG-RED"){name price{unit{amount currency formatted}} updatedAt}}`
	alone := open(t)
	s, _ := keeping(t)
	for _, headers := range [][]header{
		{},
		{{"X-Channel", "eu"}},
		{{"X-Channel", "eu"}, {"Accept-Language", "fr"}},
		{{"X-Channel", "eu"}, {"Accept-Language", "de"}},
		{{"X-Channel", "eu"}, {"X-Country", "FR"}},
		{{"X-Channel", "uk"}},
		{{"X-Channel", "us"}, {"X-Currency", "EUR"}},
		{},
	} {
		for range 2 {
			want, got := alone.by(t, query, nil, headers...), s.by(t, query, nil, headers...)
			assert.Equal(t, want.Raw, got.Raw, headers)
			for _, name := range []string{"Content-Language", "X-Channel", "X-Currency", "X-Country"} {
				assert.Equal(t, want.Header.Get(name), got.Header.Get(name), headers)
			}
		}
	}
}

// The tag of an answer is the market's and the form's; customers get none, since what they
// see is theirs, and are never told that nothing has changed.
func TestC24_NothingIsUnchangedForSomebodyElse(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	first := s.by(t, priceQuery, nil)
	tag := first.Header.Get("Etag")
	require.NotEmpty(t, tag)
	assert.Equal(t, http.StatusNotModified, s.by(t, priceQuery, nil, header{"If-None-Match", tag}).Status)
	for _, token := range []string{"Bearer C1", "Bearer W1"} {
		a := s.by(t, priceQuery, nil, header{"If-None-Match", tag}, header{"Authorization", token})
		assert.Equal(t, http.StatusOK, a.Status, token)
		assert.Empty(t, a.Header.Get("Etag"), token)
		assert.Equal(t, "private, no-store", a.Header.Get("Cache-Control"), token)
		assert.Empty(t, a.Header.Get("Surrogate-Key"), token)
	}
	assert.Equal(t, http.StatusOK, s.by(t, priceQuery, nil, header{"If-None-Match", tag}, header{"X-Channel", "eu"}).Status)
	assert.Equal(t, http.StatusOK, s.by(t, priceQuery, nil, header{"If-None-Match", tag}, header{"Accept", "application/graphql-response+json"}).Status)
}
