package compiled

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// run is one execution of a tree.
type run struct {
	ctx  context.Context
	oc   *graphql.OperationContext
	args [][]reflect.Value // those that variables decide, by given.slot

	mu     sync.Mutex
	broken any // what a goroutine of this executor panicked with; resolvers' panics are errors
}

// aside runs f beside the caller. A panic is kept for [run.rejoin]: it must not end the
// process.
func (r *run) aside(wg *sync.WaitGroup, f func()) {
	wg.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.broken = p
			}
		}()
		f()
	})
}

// rejoin waits for those beside, and panics if one of them did.
func (r *run) rejoin(wg *sync.WaitGroup) {
	wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		panic(r.broken)
	}
}

// answer executes t: first everything that resolvers know is fetched, each level at
// once, then the answer is written, as a whole. It is nil when all of it is null.
func (r *run) answer(t *tree) []byte {
	root := &group{node: t.root, n: 1}
	root.ctx = within(r.ctx, graphql.FieldContext{Object: t.root.object})
	r.resolve(root)
	last := t.size.Load()
	w := &writer{run: r, buf: make([]byte, 0, last+last/16+256), path: make(ast.Path, 0, 16)}
	w.buf = append(w.buf, before...)
	if !w.object(root, t.root, reflect.Value{}, 0) {
		return nil
	}
	w.buf = append(w.buf, behind)
	t.size.Store(int64(len(w.buf)))
	return w.buf
}

// resolve calls the resolvers of a group's fields, and of all below. Batches wait for
// what a plan has begun; other resolvers wait on their own, and therefore side by side.
func (r *run) resolve(g *group) {
	g.read = make([]result, len(g.node.ahead))
	g.below = make([]*group, len(g.node.ahead))
	own := g.node.apart
	if len(own) == 0 {
		for _, f := range g.node.ahead {
			r.field(g, f)
		}
		return
	}
	var wg sync.WaitGroup
	var last *field
	if len(own) == len(g.node.ahead) { // this goroutine has nothing better to do
		last, own = own[len(own)-1], own[:len(own)-1]
	}
	for _, f := range own {
		r.aside(&wg, func() { r.field(g, f) })
	}
	for _, f := range g.node.ahead {
		if f == last || !f.waits() {
			r.field(g, f)
		}
	}
	r.rejoin(&wg)
}

// field resolves one field of a group, and all below it.
func (r *run) field(g *group, f *field) {
	res := &g.read[f.slot]
	switch {
	case f.how != fromResolver:
	case f.resolver.batch:
		r.batch(g, f, res)
	default:
		r.singles(g, f, res)
	}
	below := f.shape.object()
	if !below.grouped() {
		return
	}
	child := &group{node: below, up: g, via: f, ctx: within(g.ctx, f.context(g.node))}
	child.gather(res)
	g.below[f.slot] = child
	if child.n > 0 {
		r.resolve(child)
	}
}

// batch calls a resolver that takes all parents at once.
func (r *run) batch(g *group, f *field, res *result) {
	ctx := within(g.ctx, f.context(g.node))
	ctx.at = places{group: g, field: f}
	parents, at := g.objs, &ctx.at
	if !g.whole() {
		parents = reflect.MakeSlice(g.objs.Type(), 0, g.n)
		at.kept = make([]int, 0, g.n)
		for i := range g.n {
			if g.has(i) {
				parents, at.kept = reflect.Append(parents, g.obj(i)), append(at.kept, i)
			}
		}
	}
	if parents.Len() == 0 {
		res.values = reflect.MakeSlice(reflect.SliceOf(f.resolver.value), g.n, g.n)
		return
	}
	values, err := r.call(ctx, f, parents)
	errs := each(err, parents.Len())
	for i, err := range errs {
		if err == nil {
			continue
		}
		if res.failed == nil {
			res.failed = make([]bool, g.n)
		}
		own := i
		if at.kept != nil {
			own = at.kept[i]
		}
		res.failed[own] = true
		reportAt(ctx, at.path(i), err)
	}
	if at.kept == nil && values.IsValid() {
		res.values = values
		return
	}
	res.values = reflect.MakeSlice(reflect.SliceOf(f.resolver.value), g.n, g.n)
	if values.IsValid() {
		for i, own := range at.kept {
			res.values.Index(own).Set(values.Index(i))
		}
	}
}

// each is what each of n parents met.
func each(err error, n int) []error {
	if err == nil {
		return nil
	}
	if list, ok := errors.AsType[graphql.BatchErrors](err); ok && len(list.Errors()) == n {
		return list.Errors()
	}
	all := make([]error, n)
	for i := range all {
		all[i] = err
	}
	return all
}

// singles calls a resolver for each object of a group.
func (r *run) singles(g *group, f *field, res *result) {
	res.values = reflect.MakeSlice(reflect.SliceOf(f.resolver.value), g.n, g.n)
	res.failed = make([]bool, g.n)
	var wg sync.WaitGroup
	for i := range g.n {
		switch {
		case !g.has(i):
		case f.waits() && i < g.n-1:
			r.aside(&wg, func() { r.single(g, i, f, res) })
		default:
			r.single(g, i, f, res)
		}
	}
	r.rejoin(&wg)
}

func (r *run) single(g *group, i int, f *field, res *result) {
	ctx := within(g.exact(i), f.context(g.node))
	var parent reflect.Value
	if g.up != nil {
		parent = g.obj(i)
	}
	value, err := r.call(ctx, f, parent)
	if err != nil {
		res.failed[i] = true
		r.oc.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
		return
	}
	res.values.Index(i).Set(value)
}

// call calls a resolver. A panic of it is an error.
func (r *run) call(ctx context.Context, f *field, parent reflect.Value) (value reflect.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.oc.RecoverFunc(ctx, p)
		}
	}()
	if f.resolver.direct != nil {
		return f.resolver.direct(ctx, parent, f.given.of(r))
	}
	in := make([]reflect.Value, 0, 2+len(f.resolver.params))
	in = append(in, reflect.ValueOf(ctx))
	if parent.IsValid() {
		in = append(in, parent)
	}
	out := f.resolver.method.Call(append(in, f.given.of(r)...))
	err, _ = out[1].Interface().(error)
	return out[0], err
}

// reportAt adds an error that has a place of its own.
func reportAt(ctx context.Context, path ast.Path, err error) {
	if own, ok := errors.AsType[*gqlerror.Error](err); ok {
		if own.Path == nil {
			placed := *own
			placed.Path = path
			own = &placed
		}
		graphql.AddError(ctx, own)
		return
	}
	graphql.AddError(ctx, gqlerror.WrapPath(path, err))
}

// gather finds the objects of a group among what its field answered.
func (g *group) gather(res *result) {
	s, from := &g.via.shape, g.up
	list := s.elem != nil
	if list {
		g.starts = make([]int, from.n)
		s = s.elem
	}
	if !list && s.pointer && res.values.IsValid() {
		g.objs, g.n = res.values, from.n
		return
	}
	if list && s.pointer && from.n == 1 && res.values.IsValid() {
		g.objs = res.values.Index(0)
		g.n = g.objs.Len()
		return
	}
	objs := reflect.MakeSlice(reflect.SliceOf(reflect.PointerTo(g.node.typ)), 0, from.n)
	for i := range from.n {
		v := from.value(g.via, res, i)
		switch {
		case list:
			g.starts[i] = objs.Len()
			if v.IsValid() {
				objs = appendPointers(objs, v, s.pointer)
			}
		case !v.IsValid():
			objs = reflect.Append(objs, reflect.Zero(objs.Type().Elem()))
		case s.pointer:
			objs = reflect.Append(objs, v)
		default:
			objs = reflect.Append(objs, v.Addr())
		}
	}
	g.objs, g.n = objs, objs.Len()
}

// value is the value of f for object i; not valid when there is no object.
func (g *group) value(f *field, res *result, i int) reflect.Value {
	switch {
	case !g.has(i):
		return reflect.Value{}
	case res.values.IsValid():
		return res.values.Index(i)
	default:
		return g.obj(i).Elem().Field(f.member)
	}
}

func appendPointers(objs, list reflect.Value, pointers bool) reflect.Value {
	if pointers {
		return reflect.AppendSlice(objs, list)
	}
	for j := range list.Len() {
		objs = reflect.Append(objs, list.Index(j).Addr())
	}
	return objs
}
