package graphhttp

import (
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/schema/commerce"
)

// An answer with an error, a gap or a part to come is not whole, although each of its
// sources proves that it may be kept: what went wrong need not have been a source.
func TestC20_NothingWithAnErrorOrAGapIsWhole(t *testing.T) {
	t.Parallel()
	oc := &graphql.OperationContext{Operation: &ast.OperationDefinition{Name: "Page"}}
	more := true
	for name, c := range map[string]struct {
		change func(*outcome)
		whole  bool
	}{
		"whole":                  {func(*outcome) {}, true},
		"an error":               {func(o *outcome) { o.response.Errors = gqlerror.List{{Message: "amiss"}} }, false},
		"a gap":                  {func(o *outcome) { o.freshness = []load.Report{{State: commerce.StateMissing}} }, false},
		"a filler":               {func(o *outcome) { o.freshness = []load.Report{{State: commerce.StateFiller}} }, false},
		"a stale part":           {func(o *outcome) { o.freshness = []load.Report{{State: commerce.StateStale}} }, false},
		"a part to come":         {func(o *outcome) { o.response.HasNext = &more }, false},
		"nothing, out of time":   {func(o *outcome) { o.response = nil }, false},
		"more than may be given": {func(o *outcome) { o.response.Data = make([]byte, 6<<20) }, false},
	} {
		o := outcome{response: &graphql.Response{Data: []byte(`{"product":null}`)}}
		o.sources = append(o.sources, []commerce.Source{{
			System: "pim", Operation: commerce.OpProducts, State: commerce.StateFresh, Scope: commerce.ScopePublic,
			Fresh: time.Minute, Tags: []commerce.Tag{"product:A"},
		}})
		c.change(&o)
		proven := cache.Prove(o.produced(t.Context(), oc, jsonType), time.Now(), 0)
		require.Equal(t, c.whole, proven.Whole, name)
		assert.Equal(t, c.whole, proven.Public(), name)
		assert.Equal(t, c.whole, proven.Entity != nil, name)
	}
}

// Equal bytes of two markets, or in two forms, are two representations, if they differ in
// one word of it only.
func TestEntityTagsTellMarketsApart(t *testing.T) {
	t.Parallel()
	market := commerce.Market{Channel: "eu", Locale: "fr", Currency: "EUR", Country: "FR"}
	body := []byte(`{"data":{"categories":[]}}`)
	first := entityOf(market, jsonType, body)
	assert.Equal(t, first, entityOf(market, jsonType, body))
	for name, change := range map[string]func(*commerce.Market){
		"channel":  func(m *commerce.Market) { m.Channel = "us" },
		"locale":   func(m *commerce.Market) { m.Locale = "de" },
		"currency": func(m *commerce.Market) { m.Currency = "CHF" },
		"country":  func(m *commerce.Market) { m.Country = "BE" },
		"shifted":  func(m *commerce.Market) { m.Channel, m.Locale = "euf", "r" },
	} {
		other := market
		change(&other)
		assert.NotEqual(t, first, entityOf(other, jsonType, body), name)
	}
	assert.NotEqual(t, first, entityOf(market, graphType, body))
	assert.NotEqual(t, first, entityOf(market, jsonType, body[1:]))
}
