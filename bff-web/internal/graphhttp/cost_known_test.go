package graphhttp

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/internal/documents"
)

// TestW10_AKnownCostIsWhatItWouldBeFoundToBe asks for one document with many variables, in an
// order in which a cost that is kept for too much would be another's.
func TestW10_AKnownCostIsWhatItWouldBeFoundToBe(t *testing.T) {
	t.Parallel()
	es := generated.NewExecutableSchema(generated.Config{})
	exec := executor.New(es)
	number := func(n int) json.Number { return json.Number(strconv.Itoa(n)) }
	for _, c := range []struct {
		query string
		sets  []map[string]any
		kept  bool // whether all but the last set are found again
		costs int  // that are kept for them
	}{
		{`query($sku: String!) { product(sku: $sku) { name price { unit { amount } } } }`, []map[string]any{{"sku": "A"}, {"sku": "B"}, {"sku": "C"}}, true, 1},
		{
			`query($first: Int!, $min: String) { search(first: $first, filter: {priceMin: $min}) { nodes { price { unit { amount } } } } }`,
			[]map[string]any{{"first": number(1), "min": "1"}, {"first": number(100), "min": "1"}, {"first": number(1), "min": "2"}, {"first": int64(100)}},
			true, 2,
		},
		{
			`query($skus: [String!]!) { products(skus: $skus) { name availability { inStock } } }`,
			[]map[string]any{{"skus": []any{"A"}}, {"skus": many(101)}, {"skus": []any{"A", "B"}}, {"skus": "A"}},
			true, 4,
		},
		{
			`query($a: Int!, $b: Int!) { product(sku: "A") { price(quantity: $a) { unit { amount } } other: price(quantity: $b) { unit { amount } } } }`,
			[]map[string]any{{"a": number(1), "b": number(1)}, {"a": number(1), "b": number(2)}},
			true, 2,
		},
		{
			`query($with: Boolean!, $not: Boolean!) { product(sku: "A") { ...F @include(if: $with) reviews @skip(if: $not) { count } } } fragment F on Product { related { price(quantity: 2) { unit { amount } } } }`,
			[]map[string]any{{"with": true, "not": true}, {"with": false, "not": true}, {"with": true, "not": false}, {"with": false, "not": false}},
			true, 4,
		},
	} {
		tree := loaded(t, es.Schema(), c.query)
		d := &documents.Document{Text: c.query, AST: tree}
		r := documents.Asked(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), d)
		exec.SetQueryCache(Queries{})
		seen := map[*Cost]bool{}
		for range 2 {
			for _, set := range c.sets {
				oc, errs := exec.CreateOperationContext(graphql.StartOperationTrace(r.Context()), &graphql.RawParams{Query: c.query, Variables: set})
				require.Empty(t, errs, c.query)
				want := costOf(oc)
				cost, known := knownCost(r.Context(), oc)
				assert.Equal(t, c.kept, known, c.query)
				assert.Equal(t, &want, cost, "%s %v", c.query, set)
				again, _ := knownCost(r.Context(), oc)
				assert.Same(t, cost, again, c.query)
				assert.Equal(t, &want, priceOf(r.Context(), oc))
				seen[cost] = true
			}
		}
		assert.Len(t, seen, c.costs, c.query)
	}
}

func many(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = "SKU" + strconv.Itoa(i)
	}
	return list
}

// What is kept of one document is bounded, and of a client's own text there is none.
func TestW10_KnownCostsAreBounded(t *testing.T) {
	t.Parallel()
	es := generated.NewExecutableSchema(generated.Config{})
	exec := executor.New(es)
	const query = `query($first: Int!) { search(first: $first) { totalCount } }`
	d := &documents.Document{Text: query, AST: loaded(t, es.Schema(), query)}
	r := documents.Asked(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), d)
	exec.SetQueryCache(Queries{})
	known := 0
	for first := range 2 * maxKnown {
		oc, errs := exec.CreateOperationContext(graphql.StartOperationTrace(r.Context()), &graphql.RawParams{Query: query, Variables: map[string]any{"first": first}})
		require.Empty(t, errs)
		oc.Variables["first"] = json.Number(strconv.Itoa(first))
		if _, ok := knownCost(r.Context(), oc); ok {
			known++
		}
		_, own := knownCost(t.Context(), oc)
		assert.False(t, own)
	}
	assert.Equal(t, maxKnown, known)

	long := costs{decisive: []string{"a", "b"}}
	part := strings.Repeat("x", maxKnownKey/2)
	for _, variables := range []map[string]any{{"a": part + part + "x"}, {"a": part, "b": part}} {
		_, ok := long.key(variables)
		assert.False(t, ok, "what costs are found by is bounded, too")
	}
	_, ok := long.key(map[string]any{"a": part})
	assert.True(t, ok)
}

func loaded(t *testing.T, schema *ast.Schema, query string) *ast.QueryDocument {
	t.Helper()
	tree, errs := gqlparser.LoadQueryWithRules(schema, query, nil)
	require.Empty(t, errs)
	return tree
}
