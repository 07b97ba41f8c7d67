package compiled

import (
	"context"
	"reflect"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// tree is an operation, compiled for one choice of what @skip and @include leave.
type tree struct {
	root      *node
	given     []*given     // arguments that are read anew for each request
	uncovered string       // why the operation is not covered; empty when it is
	fields    int          // all of them
	size      atomic.Int64 // of the last answer, in bytes
	constant  []byte       // the whole answer, when it is always the same; read-only
	collected map[selected]selection
	asked     map[string]bool // fields that stand anywhere in it, as Object.field
}

// selection is what a selection set comes to.
type selection struct {
	now    ast.SelectionSet // of it, what is answered at once
	fields []graphql.CollectedField
	later  []ast.SelectionSet
}

// selected tells selections apart: those of a tree are never changed.
type selected struct {
	first *ast.Selection
	n     int
}

func selectionOf(set ast.SelectionSet) selected { return selected{&set[0], len(set)} }

type treeKey struct{}

// Collect is [graphql.CollectFields] of all types for set, but for what is deferred. The selections of an operation
// that runs compiled were collected when it was compiled.
func Collect(ctx context.Context, oc *graphql.OperationContext, set ast.SelectionSet) []graphql.CollectedField {
	if len(set) == 0 {
		return nil
	}
	if t, ok := ctx.Value(treeKey{}).(*tree); ok {
		if found, ok := t.collected[selectionOf(set)]; ok {
			return found.fields
		}
	}
	return graphql.CollectFields(oc, set, nil)
}

// Later are the selections that are deferred in set, for what runs in ctx. [Collect] leaves
// their fields out.
func Later(ctx context.Context, set ast.SelectionSet) []ast.SelectionSet {
	if len(set) == 0 {
		return nil
	}
	if t, ok := ctx.Value(treeKey{}).(*tree); ok {
		return t.collected[selectionOf(set)].later
	}
	return nil
}

// Asks tells whether the operation that runs in ctx asks for a field of an object type, at
// once or in a part that comes later. Of one that does not run compiled it is not known,
// and true.
func Asks(ctx context.Context, object, field string) bool {
	t, ok := ctx.Value(treeKey{}).(*tree)
	return !ok || t.asked[object+"."+field]
}

// node is a selection of an object type.
type node struct {
	object string       // the object type
	typ    reflect.Type // the Go struct behind it; nil for Query
	fields []*field     // in the order of the answer
	ahead  []*field     // those that are resolved before anything is written
	apart  []*field     // those of them that may wait on their own
	later  []later      // fragments that are deferred
}

// later is a deferred fragment.
type later struct {
	label *string
	node  *node
	set   ast.SelectionSet
}

// grouped tells whether the objects of the selection are gathered before they are written.
func (n *node) grouped() bool { return n != nil && len(n.ahead)+len(n.later) > 0 }

// how says where a field's value comes from.
type how uint8

const (
	fromName     how = iota // __typename
	fromMember              // a field of the Go struct
	fromMethod              // a method of the Go type
	fromInline              // a resolver that is called while the answer is written
	fromResolver            // a resolver, called ahead
)

// field is a field of a selection.
type field struct {
	key       string // the response key, quoted and with its colon
	alias     string
	step      ast.PathElement // the alias in a path
	how       how
	member    int
	method    int
	resolver  *resolver
	inline    *Inline
	given     *given // the arguments; nil when there are none
	shape     shape
	slot      int // among the node's fields that are resolved ahead; -1: none of them
	collected graphql.CollectedField
}

// waits tells whether a resolver may wait for an upstream on its own, where batches
// were claimed by a plan before.
func (f *field) waits() bool {
	return f.how == fromResolver && !f.resolver.batch && !f.resolver.hint.Quick
}

// leaf is a kind of scalar.
type leaf uint8

const (
	noLeaf leaf = iota
	leafText
	leafInt
	leafBool
	leafFloat
	leafTime
	leafEnum
)

// shape is a field's type, or that of a list's elements.
type shape struct {
	nonNull bool
	pointer bool // the Go value is a pointer
	elem    *shape
	leaf    leaf
	values  map[string]bool // of an enum
	node    *node           // of an object
}
