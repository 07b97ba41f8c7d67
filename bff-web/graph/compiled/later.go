package compiled

import (
	"context"
	"reflect"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Part is a part of an answer: what is answered at once, or a deferred fragment of one
// object.
type Part struct {
	Label  *string  // of the fragment; nil: it has none
	Path   ast.Path // of the object; empty: the operation's root
	Set    ast.SelectionSet
	Data   []byte // the object; nil: it must be null
	Errors gqlerror.List
}

// Receiver takes an answer in parts.
type Receiver struct {
	// Begin is the context in which parts are resolved that come later.
	Begin func(context.Context) context.Context
	// Settle may change what was made of parts in the context of [Receiver.Begin], or of
	// the call, and answers the paths of the answer that it made null. Parts below them
	// do not come. Their paths differ in indexes alone. It is called several times at once.
	Settle func(context.Context, []Part) (cut []ast.Path)
	// Take takes parts that are ready, at first the one that is answered at once, alone. More says that there
	// are others to come. When it answers false, what is not ready is given up.
	Take func(ctx context.Context, parts []Part, more bool) bool
}

// RunParts is [Executor.Run] for who takes deferred fragments later. It shows the answer to
// rec, in parts, and returns when nothing runs any more. Nothing is shown when ctx has ended
// before, and nothing was done when it answers false.
func (e *Executor) RunParts(ctx context.Context, oc *graphql.OperationContext, rec Receiver) (covered bool) {
	t := e.tree(oc, true)
	if t.uncovered != "" {
		return false
	}
	args, ok := t.arguments(oc.Variables)
	if !ok {
		return false
	}
	if ctx.Err() != nil {
		return true
	}
	ctx, cancel := context.WithCancel(ctx)
	own := &executing{Context: ctx, tree: t, oc: oc}
	s := &serial{executor: e, rec: rec, base: own, cancel: cancel, ready: make(chan portion)}
	s.run = run{ctx: graphql.WithResponseContext(own, e.present, e.recover), oc: oc, args: args}
	defer s.giveUp() // what is under way, when the receiver panics
	s.answer(t)
	return true
}

// serial is an answer that comes in parts.
type serial struct {
	executor *Executor
	rec      Receiver
	base     *executing
	cancel   context.CancelFunc
	run      run          // of what is answered at once
	pending  int          // portions that are under way
	ready    chan portion // is read until none is
}

// portion is a deferred fragment of all objects of a group.
type portion struct {
	ctx    context.Context
	parts  []Part
	places []place // of further fragments, in those that were answered
	cut    nulls   // what is null
}

// place is an object of which something is deferred.
type place struct {
	group *group
	index int
	path  ast.Path
}

// answer resolves what is deferred of the root meanwhile: it depends on nothing. What is
// deferred of other objects waits until they are answered.
func (s *serial) answer(t *tree) {
	root := &group{node: t.root, n: 1}
	root.ctx = within(s.run.ctx, graphql.FieldContext{Object: t.root.object})
	s.launch([]place{{group: root}})
	first, places, cut := s.first(t, root)
	s.launch(slices.DeleteFunc(places, func(p place) bool { return p.group == root || cut.hold(p.path) }))
	wanted := first.Data != nil && !cut.hold(nil)
	wanted = s.rec.Take(s.run.ctx, []Part{first}, wanted && s.pending > 0) && wanted
	for wanted && s.pending > 0 {
		p := s.next()
		s.launch(slices.DeleteFunc(p.places, func(at place) bool { return p.cut.hold(at.path) }))
		wanted = s.rec.Take(p.ctx, p.parts, s.pending > 0)
	}
}

// next is the portion that is ready next.
func (s *serial) next() portion {
	p := <-s.ready
	s.pending--
	return p
}

// giveUp ends what is under way, and waits until nothing is.
func (s *serial) giveUp() {
	s.cancel()
	for s.pending > 0 {
		s.next()
	}
}

// nulls are places of an answer that are null, by their paths' texts.
type nulls map[string]bool

func nullsAt(cut []ast.Path) nulls {
	if len(cut) == 0 {
		return nil
	}
	n := make(nulls, len(cut))
	for _, path := range cut {
		n[path.String()] = true
	}
	return n
}

// hold tells whether path leads to one of them, or past it.
func (n nulls) hold(path ast.Path) bool {
	for i := 0; len(n) > 0 && i <= len(path); i++ {
		if n[path[:i].String()] {
			return true
		}
	}
	return false
}

// ByPlace sorts a list by the first n elements of its elements' paths, as [ast.Path.String]
// writes them, in its order. What has a shorter path is left out.
func ByPlace[T any](list []T, n int, path func(T) ast.Path) map[string][]T {
	if len(list) == 0 {
		return nil
	}
	sorted := map[string][]T{}
	for _, one := range list {
		if p := path(one); len(p) >= n {
			place := p[:n].String()
			sorted[place] = append(sorted[place], one)
		}
	}
	return sorted
}

// first is what is answered at once.
func (s *serial) first(t *tree, root *group) (first Part, places []place, cut nulls) {
	first.Set = s.run.oc.Operation.SelectionSet
	s.run.guarded(func() {
		s.run.resolve(root)
		w := &writer{run: &s.run}
		if w.object(root, t.root, reflect.Value{}, 0) {
			first.Data, places = w.buf, w.later
		}
	})
	first.Errors = graphql.GetErrors(s.run.ctx)
	one := []Part{first}
	cut = nullsAt(s.rec.Settle(s.run.ctx, one))
	return one[0], places, cut
}

// launch begins what is deferred of the objects at places, those of one group together.
func (s *serial) launch(places []place) {
	var groups []*group
	of := map[*group][]place{}
	for _, p := range places {
		if of[p.group] == nil {
			groups = append(groups, p.group)
		}
		of[p.group] = append(of[p.group], p)
	}
	for _, g := range groups {
		for _, d := range g.node.later {
			s.pending++
			go func() { s.ready <- s.portion(d, g, of[g]) }() // who answers waits for it
		}
	}
}

// portion resolves and writes a deferred fragment.
func (s *serial) portion(d later, g *group, places []place) portion {
	base := s.rec.Begin(graphql.WithResponseContext(s.base, s.executor.present, s.executor.recover))
	p := portion{ctx: base}
	r := &run{ctx: base, oc: s.run.oc, args: s.run.args}
	own := &group{
		node: d.node, ctx: &apart{Context: base, fields: g.ctx}, apart: base,
		up: g.up, via: g.via, starts: g.starts, objs: g.objs, n: g.n,
	}
	for _, at := range places {
		p.parts = append(p.parts, Part{Label: d.label, Path: at.path, Set: d.set})
	}
	settled := false
	r.guarded(func() {
		r.resolve(own)
		for i, at := range places {
			p.places = append(p.places, r.part(&p.parts[i], own, at.index)...)
		}
		p.cut = nullsAt(s.rec.Settle(base, p.parts))
		settled = true
	})
	if !settled {
		p.fail()
	}
	p.blame(graphql.GetErrors(base))
	return p
}

// part writes the fragment of one object.
func (r *run) part(to *Part, g *group, index int) []place {
	w := &writer{run: r, path: slices.Clone(to.Path)}
	var p reflect.Value
	if g.up != nil {
		p = g.obj(index)
	}
	if !w.object(g, g.node, p, index) {
		return nil
	}
	to.Data = w.buf
	return w.later
}

// fail leaves nothing of the portion: who made it panicked.
func (p *portion) fail() {
	p.places = nil
	for i := range p.parts {
		p.parts[i].Data = nil
	}
}

// blame gives each part the errors that were met in it, and the first those that have no
// path. Those of objects that are not answered are nobody's.
func (p *portion) blame(errs gqlerror.List) {
	sorted := ByPlace(errs, len(p.parts[0].Path), func(err *gqlerror.Error) ast.Path { return err.Path })
	for i := range p.parts {
		p.parts[i].Errors = sorted[p.parts[i].Path.String()]
	}
	for _, err := range errs {
		if err.Path == nil && len(p.parts[0].Path) > 0 {
			p.parts[0].Errors = append(p.parts[0].Errors, err)
		}
	}
}

// guarded calls f, where a panic of this package fails what it makes and not the process.
func (r *run) guarded(f func()) {
	defer func() {
		if p := recover(); p != nil {
			graphql.AddError(r.ctx, r.oc.Recover(r.ctx, p))
		}
	}()
	f()
}

// apart is the context of a part that comes later, where fields lead to.
type apart struct {
	context.Context
	fields context.Context
}

// Value implements [context.Context].
func (a *apart) Value(key any) any {
	if key == fieldKey {
		return a.fields.Value(key)
	}
	return a.Context.Value(key)
}
