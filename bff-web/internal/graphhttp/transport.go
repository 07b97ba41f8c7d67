// Package graphhttp speaks GraphQL over HTTP: POST with JSON, and GET for
// queries. It bounds what comes in, refuses malformed requests as a whole and
// reports how fresh the answer is.
package graphhttp

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/edge/recent"
	"github.com/portico-bff/portico/schema/commerce"
)

// Transport is the one transport of the web channel.
type Transport struct {
	Schema   *ast.Schema
	Limits   Limits
	Ports    commerce.Ports
	Group    func(commerce.Market, commerce.Principal) commerce.PriceGroup
	Observe  func(ctx context.Context, operation string) // told the operation's name; may be nil
	Fault    func(ctx context.Context, err error)        // told what failed unseen; may be nil
	Checked  *lru.LRU[bool]                              // queries that kept the limits, by text
	Compiled *compiled.Executor                          // runs what it covers in the executor's place; nil: nothing
	Answers  *cache.Answers                              // whole public answers; nil keeps none
	// ShowCost says each operation's cost in its answer.
	ShowCost bool
	// TellLimits tells the client what is left of its budgets; may be nil.
	TellLimits func(context.Context, http.ResponseWriter)
	// TooMany answers a request that its budget does not have. It is required where
	// requests are limited.
	TooMany func(context.Context, http.ResponseWriter, *ratelimit.Refused)
	// Surrogates is the bound of the header that names an answer's tags, in bytes, where
	// no answers are kept here; 0 names none.
	Surrogates int
	// Tracing decides who is shown a trace; nil shows none.
	Tracing *Tracing
	// Began says when a request came in; nil: when it reached the transport.
	Began func(ctx context.Context) time.Time
	// Made is told what is known of an answer that was not kept, once it was written; may be
	// nil. It may keep what it is told.
	Made func(ctx context.Context, made *recent.Made)
	// Answered is told how the answer cache was used; may be nil.
	Answered func(ctx context.Context, result string)
	// Live is what subscriptions need; the zero value lets nobody subscribe.
	Live Live
	// Documents are what may be asked for. They are required.
	Documents *documents.Store
}

// received is a request that is well-formed as far as HTTP goes.
type received struct {
	out     writer
	body    []byte
	edition uint64 // of what is published, when it was received
}

// Handler answers requests: it refuses what is no GraphQL over HTTP, and answers what is kept
// under the very letters of the request. What is not run as it was compiled exec runs.
func (t *Transport) Handler(exec graphql.GraphExecutor) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, err := receive(w, r)
		if err != nil {
			in.out.refuse(r.Context(), err)
			return
		}
		in.edition = t.Documents.Generation()
		if kept := t.literally(r, &in); kept != nil {
			t.usedAgain(r, kept)
			t.send(&in.out, r, kept, cache.Hit)
			return
		}
		own := in // in itself need not outlive this
		own.out.began = t.cameIn(r.Context())
		t.understand(&own, r, exec)
	})
}

// understand reads what a request asks for, and answers it.
func (t *Transport) understand(in *received, r *http.Request, exec graphql.GraphExecutor) {
	asks, err := read(r, in.body)
	if err == nil {
		r, err = t.trusted(r, asks)
	}
	defer t.tellMade(r, &in.out)
	if err != nil {
		in.out.refuse(r.Context(), err)
		return
	}
	params := &asks.RawParams
	params.Headers = r.Header
	t.answer(&in.out, r, exec, asked{params, in, t.question(r.Context(), in.out.mediaType, params)})
}

var errNoType = &refusal{http.StatusNotAcceptable, "NOT_ACCEPTABLE", "answers are " + graphType + " or " + jsonType, ""}

// receive takes a request in. With an error, out says it.
func receive(w http.ResponseWriter, r *http.Request) (in received, err error) {
	in.out = writer{ResponseWriter: w, mediaType: answersIn(r.Header), get: r.Method == http.MethodGet}
	if in.out.mediaType == "" {
		in.out.mediaType = jsonType
		return in, errNoType
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		return in, &refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "use POST, or GET for queries", ""}
	}
	in.body, err = take(w, r)
	return in, err
}

// asked is a request's parameters, what they came in, and what they ask for, which is nil
// when no answer to it is kept.
type asked struct {
	params   *graphql.RawParams
	in       *received
	question *cache.Question
}

func (t *Transport) answer(out *writer, r *http.Request, exec graphql.GraphExecutor, what asked) {
	ctx, params := r.Context(), what.params
	shown := t.Tracing.grants(ctx, r.Header, params.Query)
	if shown {
		ctx, what.question = traced(ctx, out.began), nil
	}
	if kept := t.kept(what.question); kept != nil {
		t.used(r, documents.From(ctx))
		t.alias(r, what.in, kept)
		t.send(out, r, kept, cache.Hit)
		return
	}
	oc, errs := t.prepare(ctx, exec, params)
	if len(errs) > 0 {
		out.failed(exec.DispatchError(graphql.WithOperationContext(ctx, oc), errs))
		return
	}
	if t.Observe != nil {
		t.Observe(ctx, oc.Operation.Name)
	}
	if r.Method == http.MethodGet && oc.Operation.Operation != ast.Query {
		out.Header().Set("Allow", "POST")
		out.refuse(ctx, &refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "whatever is no query needs POST", ""})
		return
	}
	if oc.Operation.Operation == ast.Subscription {
		out.refuse(ctx, errNoStream)
		return
	}
	divided := compiled.Deferred(oc, 0) > 0
	if takes, _ := takesParts(r.Header); divided && !takes {
		out.refuse(ctx, errWhole)
		return
	}
	if refused := t.charge(ctx, out, oc); refused != nil {
		t.TooMany(ctx, out, refused)
		return
	}
	t.used(r, documents.From(ctx))
	if divided {
		t.inParts(ctx, out, exec, oc, shown)
		return
	}
	switch found := reachOf(oc); {
	case shown: // what was made for it is nobody else's
	case found.everyones && t.Answers != nil:
		t.shared(out, r, what, exec, oc)
		return
	case found.everyones && r.Method == http.MethodGet:
		t.unshared(out, r, exec, oc)
		return
	}
	t.note(ctx, cache.Bypass)
	t.Answers.Count(cache.Bypass)
	t.execute(ctx, exec, oc, func(ctx context.Context, made outcome) {
		out.answered(ctx, made, shown || reachOf(oc).private(caller.Principal(ctx)), cache.Bypass)
	})
}
