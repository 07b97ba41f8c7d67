// Package graphhttp speaks GraphQL over HTTP: POST with JSON, and GET for
// queries. It bounds what comes in, refuses malformed requests as a whole and
// reports how fresh the answer is.
package graphhttp

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/schema/commerce"
)

// Transport is the one transport of the web channel.
type Transport struct {
	Schema  *ast.Schema
	Limits  Limits
	Ports   commerce.Ports
	Group   func(commerce.Market, commerce.Principal) commerce.PriceGroup
	Observe func(ctx context.Context, operation string) // told the operation's name; may be nil
	Fault   func(ctx context.Context, err error)        // told what failed unseen; may be nil
	Checked *lru.LRU[bool]                              // queries that kept the limits, by text
	Answers *cache.Answers                              // whole public answers; nil keeps none
	// Surrogates is the bound of the header that names an answer's tags, in bytes, where
	// no answers are kept here; 0 names none.
	Surrogates int
	// Answered is told how the answer cache was used; may be nil.
	Answered func(ctx context.Context, result string)
}

var _ graphql.Transport = Transport{}

// Supports takes every request: what is wrong with one is said in GraphQL's words.
func (t Transport) Supports(*http.Request) bool { return true }

// Do answers a request that [Transport.Before] has received.
func (t Transport) Do(_ http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	in, ok := r.Context().Value(receivedKey{}).(received)
	if !ok {
		panic("graphhttp: a request came past Before") // a mistake of whoever wired it
	}
	params, err := read(r, in.body)
	if err != nil {
		in.out.refuse(r.Context(), err)
		return
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: graphql.Now(), End: graphql.Now()}
	t.answer(in.out, r, exec, asked{params, in.body, t.question(r.Context(), in.out.mediaType, params)})
}

// received is a request that is well-formed as far as HTTP goes.
type received struct {
	out  writer
	body []byte
}

type receivedKey struct{}

// Before stands before the executor that t is a transport of: it refuses what is no
// GraphQL over HTTP, and answers what is kept under the very letters of the request.
func (t Transport) Before(executor http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		in, err := receive(w, r)
		if err != nil {
			in.out.refuse(r.Context(), err)
			return
		}
		if kept := t.literally(r, in); kept != nil {
			t.send(in.out, r, kept, cache.Hit)
			return
		}
		executor.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), receivedKey{}, in)))
	})
}

// receive takes a request in. With an error, out says it.
func receive(w http.ResponseWriter, r *http.Request) (in received, err error) {
	in.out = writer{ResponseWriter: w, mediaType: negotiate(r.Header.Get("Accept")), get: r.Method == http.MethodGet}
	if in.out.mediaType == "" {
		in.out.mediaType = jsonType
		return in, &refusal{http.StatusNotAcceptable, "NOT_ACCEPTABLE", "answers are " + graphType + " or " + jsonType, ""}
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		return in, &refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "use POST, or GET for queries", ""}
	}
	in.body, err = take(w, r)
	return in, err
}

// asked is a request's parameters, with the body that they came in, if any, and what
// they ask for, which is nil when no answers are kept.
type asked struct {
	params   *graphql.RawParams
	body     []byte
	question *cache.Question
}

func (t Transport) answer(out writer, r *http.Request, exec graphql.GraphExecutor, what asked) {
	ctx, params := r.Context(), what.params
	if kept := t.Answers.Kept(what.question); kept != nil {
		t.alias(r, out.mediaType, what.body, kept)
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
		out.refuse(ctx, &refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "mutations need POST", ""})
		return
	}
	switch everyones := public(oc); {
	case everyones && t.Answers != nil:
		t.shared(out, r, what, exec, oc)
		return
	case everyones && r.Method == http.MethodGet:
		t.unshared(out, r, exec, oc)
		return
	}
	t.note(ctx, cache.Bypass)
	t.Answers.Count(cache.Bypass)
	t.execute(ctx, exec, oc, func(ctx context.Context, made outcome) {
		out.answered(ctx, made, private(caller.Principal(ctx), oc))
	})
}

// outcome is what executing an operation brought.
type outcome struct {
	response  *graphql.Response // nil: the deadline passed before anything ran
	freshness []load.Report
	sources   []commerce.Source
}

// execute runs an operation for who ctx says, and calls then with what it brought
// before it waits for what may still run.
func (t Transport) execute(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext, then func(context.Context, outcome)) {
	shopper := caller.Shopper(ctx)
	ctx, loader := load.Start(ctx, t.Ports, shopper, t.Group(shopper.Market, shopper.Principal))
	defer loader.Close()
	if t.Fault != nil {
		loader.Fault = func(err error) { t.Fault(ctx, err) }
	}
	responses, ctx := exec.DispatchOperation(ctx, oc)
	response := responses(ctx)
	then(ctx, outcome{response, loader.Freshness(), loader.Sources()})
}

// prepare takes a query through the checks, the cheap ones first.
func (t Transport) prepare(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	empty := &graphql.OperationContext{RawQuery: params.Query}
	if _, ok := t.Checked.Get(ctx, params.Query); !ok {
		if err := t.Limits.Check(params.Query); err != nil {
			return empty, gqlerror.List{err}
		}
		t.Checked.Add(ctx, params.Query, true)
	}
	oc, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		return oc, naming(params, errs)
	}
	if err := t.Limits.checkArguments(t.Schema, oc); err != nil {
		own, ok := errors.AsType[*gqlerror.Error](err)
		if !ok {
			own = graph.Public(ctx, err)
		}
		return oc, gqlerror.List{own}
	}
	oc.DisableIntrospection = !t.Limits.Introspection
	return oc, nil
}

// writer writes answers in the negotiated media type.
type writer struct {
	http.ResponseWriter
	mediaType string
	get       bool // caches on the way may keep what they are not told not to
}

// document is an answer; data is absent when nothing was executed.
type document struct {
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Extensions map[string]any  `json:"extensions,omitempty"`
}

func (w writer) write(status int, doc document) {
	body, ok := render(doc)
	if !ok {
		status = http.StatusInternalServerError
	}
	w.body(status, body)
}

// render is doc as bytes, or an error in place of an answer that is too large.
func render(doc document) (body []byte, ok bool) {
	body, err := json.Marshal(doc)
	if err != nil || len(body) > limits.MaxResponseBytes {
		return []byte(`{"errors":[{"message":"the answer is too large","extensions":{"code":"ANSWER_TOO_LARGE"}}]}`), false
	}
	return body, true
}

func (w writer) body(status int, body []byte) {
	w.Header()["Content-Type"] = contentTypes[w.mediaType]
	w.Header()["X-Content-Type-Options"] = nosniff
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left is no one's error
}

// Fields of every answer; nobody writes to them.
var (
	contentTypes = map[string][]string{jsonType: {jsonType + "; charset=utf-8"}, graphType: {graphType + "; charset=utf-8"}}
	nosniff      = []string{"nosniff"}
)

// refuse answers a request that is malformed.
func (w writer) refuse(ctx context.Context, err error) {
	status, shown := http.StatusInternalServerError, graph.Public(ctx, err)
	if r, ok := errors.AsType[*refusal](err); ok {
		status, shown.Message, shown.Extensions["code"] = r.status, r.message, r.code
		if r.field != "" {
			shown.Extensions["field"] = r.field
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	w.write(status, document{Errors: gqlerror.List{shown}})
}

// failed answers a request of which nothing was executed. A query that does not
// parse or fit the schema is a well-formed request: plain JSON clients get 200,
// as the GraphQL-over-HTTP specification has it. Unusable input and queries that
// ask for too much are 400 for everyone.
func (w writer) failed(response *graphql.Response) {
	status := http.StatusBadRequest
	if w.mediaType == jsonType && !slices.ContainsFunc(response.Errors, blamesClient) {
		status = http.StatusOK
	}
	w.Header().Set("Cache-Control", "no-store")
	w.write(status, document{Errors: response.Errors})
}

func blamesClient(err *gqlerror.Error) bool {
	code, _ := err.Extensions["code"].(string)
	return code != errcode.ParseFailed && code != errcode.ValidationFailed
}

func (w writer) answered(ctx context.Context, made outcome, private bool) {
	if made.response == nil {
		w.refuse(ctx, &refusal{http.StatusGatewayTimeout, "TIMEOUT", "not answered in time", ""})
		return
	}
	control := cacheControl(len(made.response.Errors) > 0, private, made.freshness)
	if w.get && control == expired {
		control = ownersOnly // nothing proves that it is for others
	}
	w.Header().Set("Cache-Control", control)
	w.write(http.StatusOK, made.document())
}

// document is the answer as it is sent.
func (o outcome) document() document {
	doc := document{Errors: o.response.Errors, Data: o.response.Data, Extensions: o.response.Extensions}
	if len(o.freshness) > 0 {
		doc.Extensions = maps.Clone(doc.Extensions) // others may answer with it, too
		if doc.Extensions == nil {
			doc.Extensions = map[string]any{}
		}
		doc.Extensions["freshness"] = o.freshness
	}
	return doc
}

const (
	expired    = "max-age=0"
	ownersOnly = "private, no-store"
)

// cacheControl follows from what the answer holds: nobody keeps a gap, nobody but
// the caller keeps what is the caller's.
func cacheControl(failed, private bool, freshness []load.Report) string {
	gap := slices.ContainsFunc(freshness, func(r load.Report) bool { return r.State != commerce.StateStale })
	switch {
	case private:
		return ownersOnly
	case gap || failed:
		return "no-store"
	default:
		return expired
	}
}
