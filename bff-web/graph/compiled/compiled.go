// Package compiled is a second executor for query operations. An operation that was
// validated is compiled once into a tree of fields; to run it is to call the same
// resolvers that the generated executor calls, once per field and level, and then to
// write the answer's bytes straight from the domain's values: no goroutine, context or
// map per object.
//
// It answers byte for byte what the generated executor answers, which differential
// tests hold it to. What it does not cover it leaves to that one: [Executor.Run] says
// so before anything is asked.
package compiled

import (
	"context"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Executor runs query operations. It is safe for concurrent use.
type Executor struct {
	schema    *ast.Schema
	resolvers map[string]*resolver // "Type.field"
	hints     map[string]Hint
	present   graphql.ErrorPresenterFunc
	recover   graphql.RecoverFunc
	trees     *trees
	mistakes  error
}

// Config is what an executor is made of.
type Config struct {
	Schema  *ast.Schema
	Present graphql.ErrorPresenterFunc // makes an error what a client sees
	Recover graphql.RecoverFunc        // makes a panic an error
	Hints   map[string]Hint            // of resolvers and methods, by "Type.field"; may be nil
	Keep    int                        // how many documents' trees are kept
}

// New makes an executor of the resolvers of root, whose type is the generated
// interface ResolverRoot: it says which fields have a resolver, and of what Go types.
func New[Root any](cfg Config, root Root) *Executor {
	e := &Executor{schema: cfg.Schema, hints: cfg.Hints, present: cfg.Present, recover: cfg.Recover, trees: newTrees(cfg.Keep)}
	e.resolvers, e.mistakes = resolversOf(cfg.Schema, reflect.TypeFor[Root](), reflect.ValueOf(root), cfg.Hints)
	return e
}

// Mistakes are resolvers that could not be read, and hints for none; nil when there are
// none, which a test sees to. Operations with such fields are not covered.
func (e *Executor) Mistakes() error { return e.mistakes }

// Run executes oc's operation. It answers false, and has done nothing, when the
// operation is not covered. The response is nil when ctx has ended before.
func (e *Executor) Run(ctx context.Context, oc *graphql.OperationContext) (*graphql.Response, bool) {
	t := e.tree(oc)
	if t.uncovered != "" {
		return nil, false
	}
	args, ok := t.arguments(oc.Variables)
	if !ok {
		return nil, false
	}
	if ctx.Err() != nil {
		return nil, true
	}
	if t.constant != nil {
		return &graphql.Response{Data: t.constant}, true
	}
	own := &executing{Context: ctx, tree: t, oc: oc}
	r := &own.run
	r.ctx, r.oc, r.args = graphql.WithResponseContext(own, e.present, e.recover), oc, args
	data := r.safely(t)
	return &graphql.Response{Data: data, Errors: graphql.GetErrors(r.ctx)}, true
}

// safely is answer, where a panic of this package fails one answer and not the process.
func (r *run) safely(t *tree) (data []byte) {
	defer func() {
		if p := recover(); p != nil {
			graphql.AddError(r.ctx, r.oc.Recover(r.ctx, p))
			data = []byte("null")
		}
	}()
	return r.answer(t)
}

// Uncovered says why an operation is left to the generated executor; empty when it is not.
func (e *Executor) Uncovered(oc *graphql.OperationContext) string { return e.tree(oc).uncovered }
