package compiled

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
)

// trees keeps what was compiled, by document.
type trees struct {
	keep      int // documents
	documents atomic.Pointer[lru.LRU[*document]]
	fields    atomic.Int64 // that were kept since the last time all were let go
}

// maxFields bounds what is kept, in fields of some half a kilobyte each: anyone may send
// documents where that is allowed, and fragments make large trees of small ones.
const maxFields = 100_000

func newTrees(keep int) *trees {
	t := &trees{keep: max(keep, 1)}
	t.documents.Store(lru.New[*document](t.keep))
	return t
}

// count notes that so many fields more are kept. When they are too many, all are let go:
// to compile what is still asked for again costs less than to keep account of each.
func (t *trees) count(fields int) {
	if t.fields.Add(int64(fields)) > maxFields {
		t.fields.Store(0)
		t.documents.Store(lru.New[*document](t.keep))
	}
}

// document is what was compiled of one document: a tree for each operation and each
// choice of what its conditions leave.
type document struct {
	conditions []string // variables of @skip and @include
	defers     []string // variables of @defer
	mu         sync.RWMutex
	trees      map[string]*tree
}

// maxTrees bounds what one document keeps: n conditions have 2ⁿ outcomes.
const maxTrees = 32

// tree is oc's operation, compiled now or before, where fragments are deferred if it is divided.
func (e *Executor) tree(oc *graphql.OperationContext, divided bool) *tree {
	ctx := context.Background() // the cache is in memory
	documents := e.trees.documents.Load()
	d, ok := documents.Get(ctx, oc.RawQuery)
	if !ok {
		d = survey(oc.Doc)
		documents.Add(ctx, oc.RawQuery, d)
	}
	key, ok := d.key(oc)
	if !ok {
		return &tree{uncovered: "a condition that is no boolean"}
	}
	if divided {
		key += d.deferring(oc)
	}
	d.mu.RLock()
	t := d.trees[key]
	d.mu.RUnlock()
	if t != nil {
		return t
	}
	t = e.compile(oc, divided)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.trees) < maxTrees {
		d.trees[key] = t
		e.trees.count(t.fields)
	}
	return t
}

// key names an operation of the document and what its conditions are this time.
func (d *document) key(oc *graphql.OperationContext) (string, bool) {
	if len(d.conditions) == 0 {
		return oc.Operation.Name, true
	}
	var b strings.Builder
	b.WriteString(oc.Operation.Name)
	for _, name := range d.conditions {
		value, declared := oc.Variables[name]
		holds, ok := value.(bool)
		switch {
		case !declared && oc.Operation.VariableDefinitions.ForName(name) == nil:
			b.WriteString(" -") // another operation's
		case !ok:
			return "", false
		case holds:
			b.WriteString(" 1")
		default:
			b.WriteString(" 0")
		}
	}
	return b.String(), true
}

// deferring says of a divided operation what is deferred this time. No other's key ends so.
func (d *document) deferring(oc *graphql.OperationContext) string {
	key := []byte(" @defer")
	for _, name := range d.defers {
		value, given := oc.Variables[name]
		key = fmt.Append(key, " ", value == true, " ", given)
	}
	return string(key)
}

// survey looks for the directives of a document.
func survey(doc *ast.QueryDocument) *document {
	d := &document{trees: map[string]*tree{}}
	for _, op := range doc.Operations {
		d.set(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		d.set(f.SelectionSet)
	}
	return d
}

func (d *document) set(set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			d.directives(sel.Directives)
			d.set(sel.SelectionSet)
		case *ast.InlineFragment:
			d.directives(sel.Directives)
			d.set(sel.SelectionSet)
		case *ast.FragmentSpread:
			d.directives(sel.Directives)
		}
	}
}

func (d *document) directives(list ast.DirectiveList) {
	for _, dir := range list {
		switch dir.Name {
		case "skip", "include":
			d.conditions = withVariable(d.conditions, dir)
		case "defer":
			d.defers = withVariable(d.defers, dir)
		}
	}
}

// withVariable is names with the variable that a directive depends on, if there is one.
func withVariable(names []string, dir *ast.Directive) []string {
	v := dir.Arguments.ForName("if")
	if v == nil || v.Value.Kind != ast.Variable || slices.Contains(names, v.Value.Raw) {
		return names
	}
	return append(names, v.Value.Raw)
}
