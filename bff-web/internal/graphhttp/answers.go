package graphhttp

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// question is what a request asks for, as far as an answer for everyone can depend on
// it: document, operation and variables in the market, price group and media type. No
// extension of a request changes its answer.
func (t *Transport) question(ctx context.Context, mediaType string, params *graphql.RawParams) *cache.Question {
	if t.Answers == nil || nobodyElses(ctx, params.OperationName) {
		return nil
	}
	shopper := caller.Shopper(ctx)
	document := hashOf(ctx, params.Query)
	return &cache.Question{
		Channel: "web",
		Text:    []string{string(document[:]), params.OperationName, canonical(params.Variables)},
		Market:  shopper.Market, Group: t.Group(shopper.Market, shopper.Principal), Form: mediaType,
	}
}

const (
	// maxLiteral is how many letters a request may have, in bytes, to be known by them.
	maxLiteral = 8 << 10
	// usualLetters is more than most have. There is room for them on the stack, which is
	// made larger for none.
	usualLetters = 1 << 10
	// fewLetters are so few, in bytes, that they are a key themselves. Of more it is their sum.
	fewLetters = 256
)

// asSent is what a request with these letters asks for, in its market, price group and media type.
func asSent(m *commerce.Market, group commerce.PriceGroup, mediaType string, letters []byte) cache.Question {
	q := cache.Question{Channel: "web", Letters: letters, Market: *m, Group: group, Form: mediaType}
	if len(letters) > fewLetters {
		sum := sha256.Sum256(letters)
		q.Text, q.Letters = []string{string(sum[:])}, nil
	}
	return q
}

// literally is what is kept under the very letters of a request, in its market, price
// group and media type, or nil: equal letters ask for the same, and nothing needs to be
// understood.
func (t *Transport) literally(r *http.Request, in *received) *cache.Answer {
	if t.Answers == nil || t.Tracing.asks(r.Header) {
		return nil
	}
	var room [usualLetters]byte
	letters := in.letters(room[:0], r)
	if letters == nil {
		return nil
	}
	who := caller.Shopper(r.Context())
	q := asSent(&who.Market, t.Group(who.Market, who.Principal), in.out.mediaType, letters)
	return t.Answers.Kept(&q)
}

// Literally is [Transport.literally] by POST for who did not sign in, before there is a
// context that says so. What is not received is not found either: nothing is kept for a
// media type that is none, and what else makes it so is looked at here.
func (t *Transport) Literally(r *http.Request, body []byte, m *commerce.Market, now time.Time) (answer *cache.Answer, form string) {
	if t.Tracing.asks(r.Header) || checkContent(r.Header) != nil {
		return nil, ""
	}
	var room [usualLetters]byte
	form = answersIn(r.Header)
	letters := lettersOf(appendEdition(room[:0], t.Documents.Generation()), r, body)
	q := asSent(m, t.Group(*m, commerce.Principal{}), form, letters)
	return t.Answers.KeptAt(&q, now), form
}

// Tell answers with what [Transport.Literally] found for a request that came in at that
// time, of somebody who did not sign in, and counts it. It answers how much it wrote.
func (t *Transport) Tell(w http.ResponseWriter, r *http.Request, answer *cache.Answer, form string, began time.Time) int {
	t.Answers.Count(cache.Hit)
	if d, ok := answer.Of.(*documents.Document); ok {
		t.Documents.Used(documents.ClientOf(r.Header), d, began)
	}
	w.Header()["Cache-Control"] = controls[true]
	out := writer{ResponseWriter: w, mediaType: form}
	return out.kept(answer)
}

// alias has answer found under the letters of r, in which it was asked for.
func (t *Transport) alias(r *http.Request, in *received, answer *cache.Answer) {
	letters := in.letters(nil, r)
	if letters == nil {
		return
	}
	who := caller.Shopper(r.Context())
	q := asSent(&who.Market, t.Group(who.Market, who.Principal), in.out.mediaType, letters)
	t.Answers.Alias(&q, answer)
}

// lettersOf appends to b all that says what r asks for, or answers nil when it is too long.
func lettersOf(b []byte, r *http.Request, body []byte) []byte {
	if len(r.URL.RawQuery)+len(body) > maxLiteral {
		return nil
	}
	b = append(b, r.Method...) // GET and POST, of which neither begins the other
	if r.Method == http.MethodGet {
		return append(b, r.URL.RawQuery...)
	}
	return append(b, body...)
}

// canonical is an object as JSON, its members in order; equal objects are written alike.
func canonical(object map[string]any) string {
	if len(object) == 0 {
		return ""
	}
	text, _ := json.Marshal(object) // what was decoded from JSON always encodes
	return string(text)
}

// asDeclared is what a request asks for by the variables that its operation declares:
// made-up ones must not fill memory with copies of one answer.
func asDeclared(what asked, declared ast.VariableDefinitionList) *cache.Question {
	sent := maps.Clone(what.params.Variables)
	maps.DeleteFunc(sent, func(name string, _ any) bool { return declared.ForName(name) == nil })
	if len(sent) == len(what.params.Variables) {
		return what.question
	}
	q := *what.question
	q.Text = []string{q.Text[0], q.Text[1], canonical(sent)}
	return &q
}

// shared answers an operation that is the same for everyone in the market and price
// group: kept, or made once for all who ask at once.
func (t *Transport) shared(out *writer, r *http.Request, what asked, exec graphql.GraphExecutor, oc *graphql.OperationContext) {
	ctx, id, q := r.Context(), requestid.From(r.Context()), asDeclared(what, oc.Operation.VariableDefinitions)
	oc.Headers = nil // they are one client's
	answer, result, err := t.Answers.Do(ctx, q, func(ctx context.Context) (cache.Produced, error) {
		made := t.produce(requestid.With(ctx, id), q, exec, oc)
		made.Of = documents.From(r.Context())
		return made, nil
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		t.note(ctx, result)
		out.answered(ctx, outcome{}, false, result)
	case err != nil:
		t.note(ctx, result)
		out.refuse(ctx, err)
	default:
		t.alias(r, what.in, answer)
		t.send(out, r, answer, result)
	}
}

// unshared answers GET where no answers are kept, and tells caches on the way what its
// sources prove.
func (t *Transport) unshared(out *writer, r *http.Request, exec graphql.GraphExecutor, oc *graphql.OperationContext) {
	began := time.Now()
	t.execute(r.Context(), exec, oc, func(ctx context.Context, o outcome) {
		proven := cache.Prove(o.produced(ctx, oc, out.mediaType), began, t.Surrogates)
		proven.Spent = o.spent
		t.send(out, r, proven, cache.Bypass)
	})
}

// produce executes an operation for nobody in particular.
func (t *Transport) produce(ctx context.Context, q *cache.Question, exec graphql.GraphExecutor, oc *graphql.OperationContext) (made cache.Produced) {
	ctx = caller.WithMarket(ctx, q.Market)
	ctx = caller.WithPrincipal(ctx, commerce.Principal{PriceGroup: q.Group})
	t.execute(ctx, exec, oc, func(ctx context.Context, o outcome) { made = o.produced(ctx, oc, q.Form) })
	return made
}

// produced is what executing oc brought, in form.
func (o outcome) produced(ctx context.Context, oc *graphql.OperationContext, form string) cache.Produced {
	made := cache.Produced{Name: oc.Operation.Name, Lists: o.sources, Spent: o.spent, Rest: o}
	if o.response == nil || len(o.response.Errors) > 0 || len(o.freshness) > 0 || o.response.HasNext != nil {
		return made
	}
	made.Body, made.Whole = render(o.document())
	if slack := cap(made.Body) - len(made.Body); slack > len(made.Body)/8 {
		made.Body = slices.Clone(made.Body) // what is kept takes no more than it is
	}
	made.ContentType = contentTypes[form][0]
	if made.Whole {
		m, contentType, body := caller.Market(ctx), made.ContentType, made.Body
		made.Entity = sync.OnceValue(func() []string { return entityOf(m, contentType, body) }) // answers to POST have none
	}
	return made
}

// send answers with what is kept or was made for several at once.
func (t *Transport) send(out *writer, r *http.Request, answer *cache.Answer, result cache.Result) {
	ctx := r.Context()
	t.note(ctx, result)
	if t.Observe != nil {
		t.Observe(ctx, answer.Name)
	}
	anonymous := caller.Principal(ctx).Anonymous()
	if made, ok := answer.Rest.(outcome); ok && (!answer.Whole || !answer.Public()) {
		out.answered(ctx, made.as(ctx), !anonymous, result)
		return
	}
	took, _ := answer.Spent.(*timing.Elapsed)
	out.made.Spent = took
	out.timed(took, result)
	h := out.Header()
	if r.Method == http.MethodGet && anonymous {
		for _, f := range answer.Fields() {
			h[f.Name] = f.Values
		}
		delete(h, policyField) // one client's budget is not for those who share the answer
		delete(h, stateField)
		age := answer.AgeField()
		h[age.Name] = age.Values
		entity := answer.Entity()
		if h["Etag"] = entity; unchanged(r.Header["If-None-Match"], entity) {
			out.WriteHeader(http.StatusNotModified)
			return
		}
	} else {
		h["Cache-Control"] = controls[anonymous]
	}
	out.kept(answer)
}

// kept writes an answer that is told as it is kept, and answers how much of it.
func (w *writer) kept(answer *cache.Answer) int {
	if len(answer.Body) > counted {
		w.Header()["Content-Length"] = answer.Length()
	}
	return w.body(http.StatusOK, answer.Body)
}

// The fields of a client's budgets, as net/http has their names.
var (
	policyField = http.CanonicalHeaderKey(ratelimit.PolicyField)
	stateField  = http.CanonicalHeaderKey(ratelimit.Field)
)

// controls is the Cache-Control of a kept answer to POST, or to a customer (false).
var controls = map[bool][]string{true: {cacheControl(false, false, nil)}, false: {cacheControl(false, true, nil)}}

// as is an outcome for one of those who share it: its errors name their own request.
func (o outcome) as(ctx context.Context) outcome {
	if o.response == nil || len(o.response.Errors) == 0 {
		return o
	}
	response := *o.response
	response.Errors = nil
	for _, shared := range o.response.Errors {
		own := *shared
		own.Extensions = maps.Clone(own.Extensions)
		if _, named := own.Extensions["requestId"]; named {
			own.Extensions["requestId"] = graph.Public(ctx, nil).Extensions["requestId"]
		}
		response.Errors = append(response.Errors, &own)
	}
	o.response = &response
	return o
}

func (t *Transport) note(ctx context.Context, result cache.Result) {
	if t.Answers != nil && t.Answered != nil {
		t.Answered(ctx, string(result))
	}
}
