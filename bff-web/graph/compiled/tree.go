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
	collected map[selected][]graphql.CollectedField
}

// selected tells selections apart: those of a tree are never changed.
type selected struct {
	first *ast.Selection
	n     int
}

func selectionOf(set ast.SelectionSet) selected { return selected{&set[0], len(set)} }

type treeKey struct{}

// Collect is [graphql.CollectFields] of all types for set. The selections of an operation
// that runs compiled were collected when it was compiled.
func Collect(ctx context.Context, oc *graphql.OperationContext, set ast.SelectionSet) []graphql.CollectedField {
	if len(set) == 0 {
		return nil
	}
	if t, ok := ctx.Value(treeKey{}).(*tree); ok {
		if fields, ok := t.collected[selectionOf(set)]; ok {
			return fields
		}
	}
	return graphql.CollectFields(oc, set, nil)
}

// node is a selection of an object type.
type node struct {
	object string       // the object type
	typ    reflect.Type // the Go struct behind it; nil for Query
	fields []*field     // in the order of the answer
	ahead  []*field     // those that are resolved before anything is written
	apart  []*field     // those of them that may wait on their own
}

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
