// Package graphhttp speaks GraphQL over HTTP: POST with JSON, and GET for
// queries. It bounds what comes in, refuses malformed requests as a whole and
// reports how fresh the answer is.
package graphhttp

import (
	"context"
	"encoding/json"
	"errors"
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
}

var _ graphql.Transport = Transport{}

// Supports takes every request: what is wrong with one is said in GraphQL's words.
func (t Transport) Supports(*http.Request) bool { return true }

// Do answers a request.
func (t Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	w.Header().Add("Vary", "Accept")
	out := writer{ResponseWriter: w, mediaType: negotiate(r.Header.Get("Accept"))}
	if out.mediaType == "" {
		out.mediaType = jsonType
		out.refuse(r.Context(), &refusal{http.StatusNotAcceptable, "NOT_ACCEPTABLE", "answers are " + graphType + " or " + jsonType, ""})
		return
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		out.refuse(r.Context(), &refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "use POST, or GET for queries", ""})
		return
	}
	params, err := read(w, r)
	if err != nil {
		out.refuse(r.Context(), err)
		return
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: graphql.Now(), End: graphql.Now()}
	t.answer(out, r, exec, params)
}

func (t Transport) answer(out writer, r *http.Request, exec graphql.GraphExecutor, params *graphql.RawParams) {
	shopper := caller.Shopper(r.Context())
	ctx, loader := load.Start(r.Context(), t.Ports, shopper, t.Group(shopper.Market, shopper.Principal))
	defer loader.Close()
	if t.Fault != nil {
		loader.Fault = func(err error) { t.Fault(ctx, err) }
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
	responses, ctx := exec.DispatchOperation(ctx, oc)
	response := responses(ctx)
	if response == nil { // the deadline passed before anything ran
		out.refuse(ctx, &refusal{http.StatusGatewayTimeout, "TIMEOUT", "not answered in time", ""})
		return
	}
	out.answered(ctx, response, loader.Freshness(), private(shopper.Principal, oc))
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

// private tells whether an answer is for its caller only.
func private(p commerce.Principal, oc *graphql.OperationContext) bool {
	if !p.Anonymous() || oc.Operation.Operation != ast.Query {
		return true
	}
	personal := []string{"cart", "shippingOptions", "me", "order"}
	return slices.ContainsFunc(graphql.CollectFields(oc, oc.Operation.SelectionSet, nil), func(f graphql.CollectedField) bool {
		return slices.Contains(personal, f.Name)
	})
}

// writer writes answers in the negotiated media type.
type writer struct {
	http.ResponseWriter
	mediaType string
}

// document is an answer; data is absent when nothing was executed.
type document struct {
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Extensions map[string]any  `json:"extensions,omitempty"`
}

func (w writer) write(status int, doc document) {
	body, err := json.Marshal(doc)
	if err != nil || len(body) > limits.MaxResponseBytes {
		status = http.StatusInternalServerError
		body = []byte(`{"errors":[{"message":"the answer is too large","extensions":{"code":"ANSWER_TOO_LARGE"}}]}`)
	}
	w.Header().Set("Content-Type", w.mediaType+"; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left is no one's error
}

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

func (w writer) answered(ctx context.Context, response *graphql.Response, freshness []load.Report, private bool) {
	doc := document{Errors: response.Errors, Data: response.Data, Extensions: response.Extensions}
	if len(freshness) > 0 {
		if doc.Extensions == nil {
			doc.Extensions = map[string]any{}
		}
		doc.Extensions["freshness"] = freshness
	}
	w.Header().Set("Cache-Control", cacheControl(len(doc.Errors) > 0, private, freshness))
	w.write(http.StatusOK, doc)
}

// cacheControl follows from what the answer holds: nobody keeps a gap, nobody but
// the caller keeps what is the caller's.
func cacheControl(failed, private bool, freshness []load.Report) string {
	gap := slices.ContainsFunc(freshness, func(r load.Report) bool { return r.State != commerce.StateStale })
	switch {
	case private:
		return "private, no-store"
	case gap || failed:
		return "no-store"
	default:
		return "max-age=0"
	}
}
