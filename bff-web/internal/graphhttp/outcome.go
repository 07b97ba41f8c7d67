package graphhttp

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/edge/waterfall"
	"github.com/portico-bff/portico/schema/commerce"
)

// outcome is what executing an operation brought.
type outcome struct {
	response  *graphql.Response // nil: the deadline passed before anything ran
	whole     []byte            // what is sent of it when there is nothing but data; nil: not put together
	freshness []load.Report
	sources   [][]commerce.Source // read-only
	spent     *timing.Elapsed
	trace     *waterfall.Waterfall // extensions.trace; nil: nobody is shown one
}

// document is an answer; data is absent when nothing was executed.
type document struct {
	Errors     gqlerror.List
	Data       json.RawMessage // what the executor wrote, which is JSON
	Extensions map[string]any
	whole      []byte // the document when there is nothing but data; nil: not put together
}

// render is doc as bytes, or an error in place of an answer that is too large.
func render(doc document) (body []byte, ok bool) {
	body, err := doc.MarshalJSON()
	if err != nil || len(body) > limits.MaxResponseBytes {
		return []byte(`{"errors":[{"message":"the answer is too large","extensions":{"code":"` + graph.CodeTooLarge + `"}}]}`), false
	}
	return body, true
}

// document is the answer as it is sent.
func (o outcome) document() document {
	doc := document{Errors: o.response.Errors, Data: o.response.Data, Extensions: o.response.Extensions, whole: o.whole}
	if len(o.freshness) > 0 {
		doc.Extensions = maps.Clone(doc.Extensions) // others may answer with it, too
		if doc.Extensions == nil {
			doc.Extensions = map[string]any{}
		}
		doc.Extensions["freshness"] = o.freshness
	}
	if o.trace != nil {
		doc.Extensions = maps.Clone(doc.Extensions)
		if doc.Extensions == nil {
			doc.Extensions = map[string]any{}
		}
		doc.Extensions["trace"] = o.trace
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
