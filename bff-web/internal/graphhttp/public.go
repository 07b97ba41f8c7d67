package graphhttp

import (
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/schema/commerce"
)

// rootFields says of each field of Query whether its answer, with all that can be
// selected below it, is the same for everyone in a market and price group. What is not
// so is never kept, whatever else the operation asks for. A field needs its row.
var rootFields = map[string]bool{
	"product":    true,
	"products":   true,
	"search":     true,
	"categories": true,
	"category":   true,
	"page":       true,
	"pages":      true,

	"recommendations": false,
	"cart":            false,
	"shippingOptions": false,
	"me":              false,
	"order":           false,
}

// public tells whether an answer may be kept for everyone in the market and price
// group, as far as the operation says: a query, answered at once, of public root
// fields only, fragments and directives resolved.
func public(oc *graphql.OperationContext) bool {
	if oc.Operation.Operation != ast.Query || strings.Contains(oc.RawQuery, "@defer") || strings.Contains(oc.RawQuery, "@stream") {
		return false
	}
	asks := false
	for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, nil) {
		if f.Name == "__typename" {
			continue
		}
		if !rootFields[f.Name] {
			return false
		}
		asks = true
	}
	return asks
}

// private tells whether an answer is for its caller only.
func private(p commerce.Principal, oc *graphql.OperationContext) bool {
	if !p.Anonymous() || oc.Operation.Operation != ast.Query {
		return true
	}
	return slices.ContainsFunc(graphql.CollectFields(oc, oc.Operation.SelectionSet, nil), func(f graphql.CollectedField) bool {
		return !strings.HasPrefix(f.Name, "__") && !rootFields[f.Name]
	})
}
