package graphhttp

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/schema/commerce"
)

// question is what a request asks for, as far as an answer for everyone can depend on
// it: document, operation and variables in the market, price group and media type.
func (t Transport) question(ctx context.Context, mediaType string, params *graphql.RawParams) *cache.Question {
	if t.Answers == nil {
		return nil
	}
	shopper := caller.Shopper(ctx)
	document := sha256.Sum256([]byte(params.Query))
	return &cache.Question{
		Channel: "web",
		Text:    []string{string(document[:]), params.OperationName, canonical(params.Variables), canonical(params.Extensions)},
		Market:  shopper.Market, Group: t.Group(shopper.Market, shopper.Principal), Form: mediaType,
	}
}

// literally is what a request asks for to the letter, in the market, price group and
// media type: equal letters ask for the same, and nothing needs to be understood.
func (t Transport) literally(r *http.Request, mediaType string, body []byte) *cache.Question {
	if t.Answers == nil {
		return nil
	}
	var sum [sha256.Size]byte
	if r.Method == http.MethodGet {
		sum = sha256.Sum256([]byte(r.URL.RawQuery))
	} else {
		sum = sha256.Sum256(body)
	}
	shopper := caller.Shopper(r.Context())
	return &cache.Question{
		Channel: "web", Text: []string{r.Method, string(sum[:])},
		Market: shopper.Market, Group: t.Group(shopper.Market, shopper.Principal), Form: mediaType,
	}
}

// canonical is an object as JSON, its members in order; equal objects are written alike.
func canonical(object map[string]any) string {
	if len(object) == 0 {
		return ""
	}
	text, _ := json.Marshal(object) // what was decoded from JSON always encodes
	return string(text)
}

// shared answers an operation that is the same for everyone in the market and price
// group: kept, or made once for all who ask at once.
func (t Transport) shared(out writer, r *http.Request, what asked, exec graphql.GraphExecutor, oc *graphql.OperationContext) {
	ctx, id, q := r.Context(), requestid.From(r.Context()), what.question
	oc.Headers = nil // they are one client's
	answer, result, err := t.Answers.Do(ctx, q, func(ctx context.Context) (cache.Produced, error) {
		return t.produce(requestid.With(ctx, id), q, exec, oc), nil
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		t.note(ctx, result)
		out.answered(ctx, outcome{}, false)
	case err != nil:
		t.note(ctx, result)
		out.refuse(ctx, err)
	default:
		t.Answers.Alias(what.literally, answer)
		t.send(out, r, answer, result)
	}
}

// produce executes an operation for nobody in particular.
func (t Transport) produce(ctx context.Context, q *cache.Question, exec graphql.GraphExecutor, oc *graphql.OperationContext) (made cache.Produced) {
	ctx = caller.WithMarket(ctx, q.Market)
	ctx = caller.WithPrincipal(ctx, commerce.Principal{PriceGroup: q.Group})
	t.execute(ctx, exec, oc, func(_ context.Context, o outcome) {
		made = cache.Produced{Name: oc.Operation.Name, Sources: o.sources, Rest: o}
		if o.response == nil || len(o.response.Errors) > 0 || len(o.freshness) > 0 || o.response.HasNext != nil {
			return
		}
		made.Body, made.Whole = render(o.document())
		made.ContentType = writer{mediaType: q.Form}.contentType()
	})
	return made
}

// send answers with what is kept or was made for several at once.
func (t Transport) send(out writer, r *http.Request, answer *cache.Answer, result cache.Result) {
	ctx := r.Context()
	t.note(ctx, result)
	if t.Observe != nil {
		t.Observe(ctx, answer.Name)
	}
	anonymous := caller.Principal(ctx).Anonymous()
	if made, ok := answer.Rest.(outcome); ok && (!answer.Whole || !answer.Public()) {
		out.answered(ctx, made.as(ctx), !anonymous)
		return
	}
	h := out.Header()
	h.Set("Cache-Control", cacheControl(false, !anonymous, nil))
	if r.Method == http.MethodGet && anonymous {
		h.Set("Cache-Control", answer.Control())
		h.Set("Age", strconv.Itoa(answer.Age()))
		if keys := answer.Surrogates(); keys != "" {
			h.Set("Surrogate-Key", keys)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(answer.Body))) // or net/http would send what is long in chunks
	out.body(http.StatusOK, answer.Body)
}

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

func (t Transport) note(ctx context.Context, result cache.Result) {
	if t.Answers != nil && t.Answered != nil {
		t.Answered(ctx, string(result))
	}
}
