package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/schema/commerce"
)

// planPages asks for all pages of content that the operation names, in one call; for who is
// deferred, in one for each fragment that is.
func planPages(ctx context.Context) {
	set := graphql.GetOperationContext(ctx).Operation.SelectionSet
	if commerce.Patient(ctx) {
		planLaterPages(ctx, set)
		return
	}
	planPagesIn(ctx, set)
}

func planLaterPages(ctx context.Context, set ast.SelectionSet) {
	for _, later := range compiled.Later(ctx, set) {
		planPagesIn(ctx, later)
		planLaterPages(ctx, later)
	}
}

func planPagesIn(ctx context.Context, set ast.SelectionSet) {
	oc := graphql.GetOperationContext(ctx)
	var ids asked[commerce.PageID]
	for _, f := range compiled.Collect(ctx, oc, set) {
		if f.Name != "page" && f.Name != "pages" {
			continue
		}
		args := f.ArgumentMap(oc.Variables)
		for _, id := range append(stringsOf(args["ids"]), stringsOf(args["id"])...) {
			ids.add(ToleranceOf(f.Field), commerce.PageID(id))
		}
	}
	start(ctx, load.From(ctx).Pages, ids)
}

// stringsOf reads an argument that is a text or a list of texts; anything else is none.
func stringsOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var list []string
		for _, element := range v {
			list = append(list, stringsOf(element)...)
		}
		return list
	}
	return nil
}

// pages reads pages of content for a list field, in the order of ids: null where one is
// unknown, and with an error of its own where it cannot be had.
func pages(ctx context.Context, ids []string) []*commerce.Page {
	planPages(ctx)
	l, t := load.From(ctx), tolerance(ctx)
	most := t.bound()
	list := make([]*commerce.Page, len(ids))
	for i, text := range ids {
		id := commerce.PageID(text)
		page, _, from, err := l.Pages.ReadUpTo(ctx, most, id)
		path := below(ctx, ast.PathIndex(i))
		page, err = settle(ctx, t, page, load.Use{Op: commerce.OpPages, Key: id, Path: path, From: from, Err: err})
		if err != nil {
			graphql.AddError(ctx, &pathError{path, err})
		}
		list[i] = page
	}
	return list
}

// page reads one page of content; nil when it is unknown.
func page(ctx context.Context, id commerce.PageID) (*commerce.Page, error) {
	planPages(ctx)
	return readKey(ctx, commerce.OpPages, load.From(ctx).Pages, id)
}
