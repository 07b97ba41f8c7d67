package graph

import (
	"context"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/graph/model"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/schema/commerce"
)

// Compiled is an executor of the resolvers that runs compiled operations; it keeps
// those of so many documents.
func (r *Resolver) Compiled(schema *ast.Schema, keep int) *compiled.Executor {
	return compiled.New[generated.ResolverRoot](compiled.Config{
		Schema: schema, Present: r.Present, Recover: r.Recover, Hints: hints, Keep: keep,
	}, r)
}

// hints say of resolvers what their signatures do not. A resolver without one is
// called right all the same, only dearer.
var hints = map[string]compiled.Hint{
	"Query.product":              {Quick: true}, // planned with all roots
	"Query.products":             {Quick: true},
	"Query.me":                   {Quick: true},
	"ProductConnection.nodes":    {Quick: true}, // planned by the search
	"ProductConnection.edges":    {Quick: true},
	"Category.breadcrumbs":       {Quick: true}, // the tree was there before the category
	"Category.parent":            {Quick: true},
	"Product.optionAxes":         {Quick: true}, // computed
	"Product.variant":            {Quick: true},
	"ReviewSummary.distribution": {Quick: true},
	"Product.price":              {Direct: compiled.DirectBatchArg[*commerce.Product, int, *commerce.Price]()},
	"Product.availability":       {Direct: compiled.DirectBatch[*commerce.Product, *commerce.Availability]()},
	"Product.reviews":            {Direct: compiled.DirectBatch[*commerce.Product, *commerce.ReviewSummary]()},
	"Product.related":            {Direct: compiled.DirectBatch[*commerce.Product, []*commerce.Product]()},
	"Product.breadcrumbs":        {Direct: compiled.DirectBatch[*commerce.Product, []*commerce.CategoryRef]()},
	"Availability.locations": {Inline: compiled.InlineArg(func(_ context.Context, a *commerce.Availability, ids []string) []*commerce.LocationStock {
		return stockAt(a, ids)
	})},
	"Page.image":      {Inline: compiled.InlineArg(func(_ context.Context, p *commerce.Page, width *int) *model.Image { return image(p.Image, width) })},
	"Category.image":  {Inline: compiled.InlineArg(func(_ context.Context, c *commerce.Category, width *int) *model.Image { return image(c.Image, width) })},
	"Product.images":  {Inline: compiled.InlineArg(func(_ context.Context, p *commerce.Product, width *int) []*model.Image { return images(p, width) })},
	"Money.amount":    {Inline: compiled.InlineText(func(_ context.Context, m *commerce.Money) string { return m.Number() })},
	"Money.currency":  {Inline: compiled.InlineText(func(_ context.Context, m *commerce.Money) string { return m.CurrencyCode() })},
	"Money.formatted": {Inline: compiled.InlineText(formatted)},
}

func formatted(ctx context.Context, m *commerce.Money) string {
	return commerce.FormatMoney(*m, caller.Market(ctx).Locale)
}
