package graphhttp

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// inParts answers an operation that defers fragments, to a client that takes parts. What
// cannot be divided comes in one.
func (t *Transport) inParts(ctx context.Context, out *writer, exec graphql.GraphExecutor, oc *graphql.OperationContext, shown bool) {
	t.note(ctx, cache.Bypass)
	t.Answers.Count(cache.Bypass)
	parts := &multipart{out: out, private: reachOf(oc).private(caller.Principal(ctx))}
	if t.Compiled != nil && t.divided(ctx, parts, oc, shown) {
		return
	}
	t.execute(ctx, exec, oc, func(ctx context.Context, made outcome) {
		if made.response == nil {
			out.answered(ctx, made, true, cache.Bypass)
			return
		}
		parts.first(made, false)
	})
}

// divided executes oc in parts. It has done nothing when it answers false.
func (t *Transport) divided(ctx context.Context, parts *multipart, oc *graphql.OperationContext, shown bool) bool {
	ctx, loader := t.begin(ctx)
	defer loader.Close()
	s := &serving{Transport: t, out: parts, oc: oc, shown: shown, loaders: []*load.Loader{loader}}
	if !t.Compiled.RunParts(ctx, oc, compiled.Receiver{Begin: s.begin, Settle: settle, Take: s.take}) {
		return false
	}
	parts.out.made.Spent = timing.Of(ctx, loader.Sources()) // all parts' calls
	switch {
	case !parts.begun:
		parts.out.answered(ctx, outcome{}, true, cache.Bypass)
	case shown:
		made := outcome{sources: loader.Sources()}.told(ctx, s.eachUse)
		parts.last(map[string]any{"trace": made.trace})
	}
	return true
}

// serving is one answer in parts.
type serving struct {
	*Transport
	out   *multipart
	oc    *graphql.OperationContext
	shown bool // a trace is

	mu      sync.Mutex
	loaders []*load.Loader // one for each part
}

// begin gives a part that comes later notes of its own.
func (s *serving) begin(ctx context.Context) context.Context {
	ctx, loader := load.From(ctx).Part(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaders = append(s.loaders, loader)
	return ctx
}

// settle takes out of parts what cannot stand without values that could not be had.
func settle(ctx context.Context, parts []compiled.Part) (cut []ast.Path) {
	failed := compiled.ByPlace(load.From(ctx).Failed(), len(parts[0].Path), func(path ast.Path) ast.Path { return path })
	if failed == nil {
		return nil
	}
	for i := range parts {
		p := &parts[i]
		if own := failed[p.Path.String()]; own != nil && p.Data != nil {
			var nulls []ast.Path
			p.Data, nulls = graph.BubbleIn(p.Set, p.Path, p.Data, own)
			cut = append(cut, nulls...)
		}
	}
	return cut
}

// take sends parts as they come.
func (s *serving) take(ctx context.Context, parts []compiled.Part, more bool) bool {
	loader := load.From(ctx)
	more = more || s.shown // the trace comes last
	if s.out.begun {
		return s.out.later(parts, loader.Freshness(), more)
	}
	response := &graphql.Response{Data: orNull(parts[0].Data), Errors: parts[0].Errors}
	s.priced(ctx, s.oc, response)
	made := outcome{response: response, freshness: loader.Freshness(), sources: loader.Sources()}.told(ctx, nothingUsed)
	made.trace = nil
	return s.out.first(made, more)
}

// eachUse is what went to each path, of all parts.
func (s *serving) eachUse(see func(commerce.Operation, string, ast.Path)) {
	s.mu.Lock()
	loaders := slices.Clone(s.loaders)
	s.mu.Unlock()
	for _, loader := range loaders {
		loader.EachUse(see)
	}
}

func orNull(data []byte) []byte {
	if data == nil {
		return []byte("null")
	}
	return data
}
