package rest

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/fields"
	"github.com/portico-bff/portico/bff-mobile/internal/rules"
	"github.com/portico-bff/portico/schema/commerce"
)

// query is a request's query parameters. They, those of the path and the headers fit the
// contract; the first mistake stays.
type query struct {
	rules.Query
	operation string
	err       error
}

// readQuery holds all but the body against what the contract says of an operation.
func readQuery(c *fiber.Ctx, operation string) *query {
	o := contract.Operation(operation)
	if err := o.CheckPath(func(name string) string { return c.Params(name) }); err != nil {
		return &query{err: err}
	}
	if err := o.CheckHeaders(func(name string) []string { return headerLines(c, name) }); err != nil {
		return &query{err: err}
	}
	sent, err := o.ParseQuery(string(c.Request().URI().QueryString()))
	return &query{Query: sent, operation: operation, err: err}
}

// headerLines are the lines of a header; one that is empty is there.
func headerLines(c *fiber.Ctx, name string) (lines []string) {
	for _, line := range c.Request().Header.PeekAll(name) {
		lines = append(lines, string(line))
	}
	return lines
}

// fields is what of the screen is wanted.
func (q *query) fields() fields.Set {
	if q.err != nil || !q.Has(fields.Parameter) {
		return fields.Set{}
	}
	set, err := fields.Parse(Screens[q.operation], q.Text(fields.Parameter))
	q.err = err
	return set
}

func (q *query) page() commerce.Cursor {
	return commerce.Cursor{First: q.Number("first"), After: q.Text("after")}
}

func (q *query) category() commerce.CategoryID {
	if !q.Has("category") {
		return ""
	}
	id, err := commerce.ParseCategoryID("category", q.Text("category"))
	if q.err == nil {
		q.err = err
	}
	return id
}

// facets is the values by facet; the contract says that each text has its colon.
func (q *query) facets() map[string][]string {
	var facets map[string][]string
	for _, text := range q.List("facet") {
		code, value, _ := strings.Cut(text, ":")
		if facets == nil {
			facets = map[string][]string{}
		}
		facets[code] = append(facets[code], value)
	}
	return facets
}

// products is what a list of products is asked for.
func (q *query) products() commerce.SearchQuery {
	page := q.page()
	return commerce.SearchQuery{
		Text: q.Text("q"), Sort: commerce.Sort(q.Text("sort")), First: page.First, After: page.After,
		Filter: commerce.SearchFilter{
			Category: q.category(), Facets: q.facets(), PriceMin: q.Text("priceMin"), PriceMax: q.Text("priceMax"),
			InStock: q.Flag("inStock"),
		},
	}
}
