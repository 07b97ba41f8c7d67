package graphhttp

import (
	"net/http"
	"slices"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/edge/recent"
)

// tellMade says what is known of the answer to r that out has written.
func (t *Transport) tellMade(r *http.Request, out *writer) {
	if t.Made == nil {
		return
	}
	ctx := r.Context()
	out.made.Market = caller.Market(ctx)
	if d := documents.From(ctx); d != nil {
		out.made.Document = d
	}
	t.Made(ctx, &out.made)
}

// remember notes what is not well in an answer, and what making it took.
func (w *writer) remember(made outcome) {
	w.made.Spent = made.spent
	if made.response != nil {
		w.note(made.response.Errors, made.freshness, string(made.response.Data) == "null")
	}
}

// note adds what is not well in an answer, or in a part of it. Nothing tells that all of the
// operation is null in it.
func (w *writer) note(errs gqlerror.List, reports []load.Report, nothing bool) {
	if len(reports) == 0 && !slices.ContainsFunc(errs, graph.Ours) {
		return
	}
	w.made.Degraded = true
	w.made.Failed = w.made.Failed || slices.ContainsFunc(errs, func(err *gqlerror.Error) bool {
		return graph.Ours(err) && (nothing || len(err.Path) <= 1)
	})
	w.errs, w.reports = append(w.errs, errs...), append(w.reports, reports...)
	errs, reports = w.errs, w.reports
	w.made.Tell = func() recent.Told { return toldOf(errs, reports) }
}

// toldOf has the codes of the errors that are not the client's, and what is not fresh.
func toldOf(errs gqlerror.List, reports []load.Report) (told recent.Told) {
	for _, err := range errs {
		if graph.Ours(err) {
			code, _ := err.Extensions["code"].(string)
			told.Errors = append(told.Errors, code)
		}
	}
	for _, r := range reports {
		told.Parts = append(told.Parts, recent.Part{
			Part: pathText(r.Path), System: r.Source, State: r.State, Reason: r.Reason, AgeMS: r.AgeMS, RetryAfterMS: r.RetryAfterMS, Count: 1,
		})
	}
	return told
}
