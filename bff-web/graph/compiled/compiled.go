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

// Run executes oc's operation, and defers nothing. It answers false, and has done nothing, when the
// operation is not covered. The response is nil when ctx has ended before.
func (e *Executor) Run(ctx context.Context, oc *graphql.OperationContext) (*graphql.Response, bool) {
	response, _, covered := e.RunWhole(ctx, oc)
	return response, covered
}

// The text around an answer's data where there is nothing but data.
const before, behind = `{"data":`, '}'

// dataOf is the data in a whole answer.
func dataOf(whole []byte) []byte {
	end := len(whole) - 1
	return whole[len(before):end:end]
}

// RunWhole is Run and answers also what is sent where there is nothing but data: the
// response's data lies in it. It is read-only, and nil when it has to be put together.
func (e *Executor) RunWhole(ctx context.Context, oc *graphql.OperationContext) (response *graphql.Response, whole []byte, covered bool) {
	t := e.tree(oc, false)
	if t.uncovered != "" {
		return nil, nil, false
	}
	args, ok := t.arguments(oc.Variables)
	if !ok {
		return nil, nil, false
	}
	if ctx.Err() != nil {
		return nil, nil, true
	}
	if t.constant != nil {
		return &graphql.Response{Data: dataOf(t.constant)}, t.constant, true
	}
	own := &executing{Context: ctx, tree: t, oc: oc}
	r := &own.run
	r.ctx, r.oc, r.args = graphql.WithResponseContext(own, e.present, e.recover), oc, args
	whole = r.safely(t)
	response = &graphql.Response{Errors: graphql.GetErrors(r.ctx), Data: []byte("null")}
	if whole != nil {
		response.Data = dataOf(whole)
	}
	return response, whole, true
}

// safely is answer, where a panic of this package fails one answer and not the process.
func (r *run) safely(t *tree) (whole []byte) {
	defer func() {
		if p := recover(); p != nil {
			graphql.AddError(r.ctx, r.oc.Recover(r.ctx, p))
			whole = nil
		}
	}()
	return r.answer(t)
}

// Uncovered says why an operation is left to the generated executor; empty when it is not.
func (e *Executor) Uncovered(oc *graphql.OperationContext) string { return e.tree(oc, false).uncovered }
