package graphhttp

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/internal/documents"
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

// reach is what an operation's root fields reach, fragments and directives resolved.
type reach struct {
	// reads says that anything is asked for beside the root type's name.
	reads bool
	// everyones says that the answer may be kept for everyone in the market and price
	// group, as far as the operation says: a query, answered at once, of public root
	// fields only.
	everyones bool
	// owners says that the answer is for its caller only, whoever that is.
	owners bool
}

// reachOf looks at an operation's root fields.
func reachOf(oc *graphql.OperationContext) reach {
	if oc.Operation.Operation != ast.Query {
		return reach{reads: true, owners: true}
	}
	found := reach{everyones: true}
	if !found.plainly(oc.Operation.SelectionSet) {
		found = reach{everyones: true}
		for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, nil) {
			found.add(f.Name)
		}
	}
	found.everyones = found.everyones && found.reads && compiled.Deferred(oc, 0) == 0
	return found
}

// nobodyElses tells whether a published document's operation is known to be of no use to
// anybody else, before its variables are: nobody looks for its answer among those kept.
func nobodyElses(ctx context.Context, operation string) bool {
	d := documents.From(ctx)
	if d == nil {
		return false
	}
	op := d.AST.Operations.ForName(operation)
	if op == nil || op.Operation != ast.Query {
		return true
	}
	found := reach{everyones: true}
	return found.plainly(op.SelectionSet) && (!found.reads || !found.everyones)
}

// plainly looks at root fields among which there is nothing to resolve; else it answers
// false.
func (r *reach) plainly(set ast.SelectionSet) bool {
	for _, selected := range set {
		f, ok := selected.(*ast.Field)
		if !ok || len(f.Directives) > 0 {
			return false
		}
		r.add(f.Name)
	}
	return true
}

func (r *reach) add(field string) {
	if field == "__typename" {
		return
	}
	r.reads = true
	r.everyones = r.everyones && rootFields[field]
	r.owners = r.owners || !strings.HasPrefix(field, "__") && !rootFields[field]
}

// private tells whether an answer is for its caller only.
func (r reach) private(p commerce.Principal) bool { return !p.Anonymous() || r.owners }
