package compiled

import (
	"context"
	"reflect"
	"slices"
	"sort"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// group is all objects that one selection is for: those of every list on the way
// to it, flattened.
type group struct {
	node   *node
	ctx    context.Context // holds the fields that lead here, without list indexes
	apart  context.Context // of a part that comes later; nil: nothing of the kind
	up     *group          // nil for the root
	via    *field          // the field of up that leads here
	starts []int           // where the list of each of up's objects starts; nil: each has one object
	objs   reflect.Value   // []*T, nil where there is none; not set for the root
	n      int
	read   []result // by slot, of resolvers
	below  []*group // by slot
}

// result is what a resolver answered for each object of a group.
type result struct {
	values reflect.Value // a slice
	failed []bool        // whose error was reported; nil: none
}

// parentOf finds the object of up that leads to object i, and i's place in its list.
func (g *group) parentOf(i int) (parent, index int) {
	if g.starts == nil {
		return i, -1
	}
	parent = sort.SearchInts(g.starts, i+1) - 1
	return parent, i - g.starts[parent]
}

// path is where object i stands in the answer. There is room for one element more.
func (g *group) path(i int) ast.Path { return g.room(i, 1) }

func (g *group) room(i, more int) ast.Path {
	if g.up == nil {
		return make(ast.Path, 0, more)
	}
	parent, index := g.parentOf(i)
	if index < 0 {
		return append(g.up.room(parent, more+1), g.via.step)
	}
	return append(g.up.room(parent, more+2), g.via.step, ast.PathIndex(index))
}

// alone tells whether the group is of one object, and no list leads to it: its ctx says
// exactly where it is.
func (g *group) alone() bool {
	return g.up == nil || g.starts == nil && g.up.alone()
}

// exact is a context that says where object i is, as that of a resolver does.
func (g *group) exact(i int) context.Context {
	if g.alone() {
		return g.ctx
	}
	parent, index := g.parentOf(i)
	ctx := within(g.up.exact(parent), g.via.context(g.up.node))
	if index >= 0 {
		ctx = within(ctx, graphql.FieldContext{Index: &index})
	}
	if g.apart != nil {
		return &apart{Context: g.apart, fields: ctx}
	}
	return ctx
}

// context is what resolvers find of the field that is resolved.
func (f *field) context(of *node) graphql.FieldContext {
	return graphql.FieldContext{Object: of.object, Field: f.collected, IsResolver: f.resolver != nil, IsMethod: f.resolver != nil || f.how == fromMethod}
}

// has tells whether there is an object i.
func (g *group) has(i int) bool { return g.up == nil || !g.objs.Index(i).IsNil() }

// obj is object i, a pointer.
func (g *group) obj(i int) reflect.Value { return g.objs.Index(i) }

// whole tells whether there is an object at each place.
func (g *group) whole() bool {
	for i := range g.n {
		if !g.has(i) {
			return false
		}
	}
	return true
}

// places says where in the answer a batch resolver's parents are.
type places struct {
	group *group
	field *field
	kept  []int // the objects that were passed to the resolver; nil: all
}

type placesKey struct{}

// ParentPath is where in the answer a batch resolver's field of parent i is, whichever
// executor calls it.
func ParentPath(ctx context.Context, i int) ast.Path {
	if p, ok := ctx.Value(placesKey{}).(*places); ok {
		return p.path(i)
	}
	return graphql.BatchPathWithIndex(ctx, i)
}

// Paths is [ParentPath] for when ctx is no more at hand; it may be kept.
func Paths(ctx context.Context) func(i int) ast.Path {
	if p, ok := ctx.Value(placesKey{}).(*places); ok {
		return p.path
	}
	path := graphql.GetPath(ctx)
	return func(i int) ast.Path {
		at := len(path) - 2
		if at < 0 {
			return path
		}
		if _, ok := path[at].(ast.PathIndex); !ok {
			return path
		}
		own := slices.Clone(path)
		own[at] = ast.PathIndex(i)
		return own
	}
}

func (p *places) path(i int) ast.Path {
	if p.kept != nil {
		i = p.kept[i]
	}
	return append(p.group.path(i), p.field.step)
}
