package cache

import (
	"context"
	"strconv"

	"go.opentelemetry.io/otel/metric"

	"github.com/portico-bff/portico/schema/commerce"
)

// Wrap puts the cache before the read ports of p. Ports that are nil stay so; what
// changes something, and what is read of carts, passes through.
func (c *Cache) Wrap(p commerce.Ports) commerce.Ports {
	w := wrapper{cache: c, traits: p.Traits}
	p = c.epochs.changing(p)
	if p.Catalog != nil {
		p.Catalog = catalog{p.Catalog, batchOf[commerce.SKU, *commerce.Product](w, commerce.OpProducts)}
	}
	if p.Related != nil {
		p.Related = related{p.Related, batchOf[commerce.SKU, []commerce.RelatedProduct](w, commerce.OpRelated)}
	}
	if p.Content != nil {
		p.Content = content{p.Content, batchOf[commerce.PageID, *commerce.Page](w, commerce.OpPages)}
	}
	if p.Reviews != nil {
		p.Reviews = reviews{p.Reviews, batchOf[commerce.SKU, *commerce.ReviewSummary](w, commerce.OpReviews)}
	}
	if p.Inventory != nil {
		p.Inventory = inventory{p.Inventory, batchOf[commerce.SKU, *commerce.Availability](w, commerce.OpAvailability)}
	}
	if p.Pricing != nil {
		op := &batch[commerce.PriceKey, *commerce.Price]{
			cache: c, plan: w.plan(commerce.OpPrices, codecOf[*commerce.Price]()),
			text:  func(k commerce.PriceKey) string { return string(appendPriceKey(nil, k)) },
			write: appendPriceKey,
			about: func(k commerce.PriceKey) string { return string(k.SKU) },
		}
		p.Pricing = pricing{p.Pricing, op}
	}
	if p.Categories != nil {
		p.Categories = categories{p.Categories, &single[*commerce.CategoryTree]{c, w.plan(commerce.OpCategoryTree, treeCodec())}}
	}
	if p.Search != nil {
		p.Search = search{p.Search, singleOf[*commerce.SearchResult](w, commerce.OpSearch)}
	}
	if p.Customers != nil {
		p.Customers = customers{p.Customers, singleOf[*commerce.Customer](w, commerce.OpCustomer)}
	}
	if p.Loyalty != nil {
		p.Loyalty = loyalty{p.Loyalty, singleOf[*commerce.LoyaltyAccount](w, commerce.OpLoyalty)}
	}
	if p.Invoices != nil {
		p.Invoices = invoices{p.Invoices, singleOf[*commerce.InvoicePage](w, commerce.OpInvoices)}
	}
	if p.OrderHistory != nil {
		p.OrderHistory = orders{
			p.OrderHistory, singleOf[*commerce.OrderPage](w, commerce.OpOrders),
			singleOf[*commerce.Order](w, commerce.OpOrder), singleOf[*commerce.Order](w, commerce.OpGuestOrder),
		}
	}
	return p
}

// unknownSystem stands for a port's system when it declares none.
const unknownSystem = "unknown"

type wrapper struct {
	cache  *Cache
	traits map[commerce.Operation]commerce.Traits
}

// plan joins the table's policy with the kind's traits.
func (w wrapper) plan(op commerce.Operation, form codec) *plan {
	traits := w.traits[op]
	p := &plan{name: op, system: traits.System, policy: w.cache.policy(op, traits), codec: form, labels: labelsOf(op)}
	if p.system == "" {
		p.system = unknownSystem
	}
	p.tags, p.warm = templatesOf(op, p.system), []metric.AddOption{p.labels[memoryFresh]}
	p.form, p.boards = formOf(form.stored, p.tags), newBoards(p.policy, traits)
	w.cache.metrics.remember(p)
	p.extra = extras[op]
	p.remote = w.cache.remote != nil && p.policy.Fresh > 0 && p.policy.Scope >= commerce.ScopeSegment
	return p
}

func batchOf[K ~string, V any](w wrapper, op commerce.Operation) *batch[K, V] {
	text := func(k K) string { return string(k) }
	write := func(b []byte, k K) []byte { return append(b, k...) }
	return &batch[K, V]{cache: w.cache, plan: w.plan(op, codecOf[V]()), text: text, write: write, about: text}
}

func appendPriceKey(b []byte, k commerce.PriceKey) []byte {
	b = append(append(append(b, '{'), k.SKU...), ' ')
	return append(strconv.AppendInt(b, int64(k.Quantity), 10), '}')
}

func singleOf[V any](w wrapper, op commerce.Operation) *single[V] {
	return &single[V]{cache: w.cache, plan: w.plan(op, codecOf[V]())}
}

type catalog struct {
	next commerce.Catalog
	op   *batch[commerce.SKU, *commerce.Product]
}

func (d catalog) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	if found, ok := d.op.warm(ctx, inMarket(m), skus); ok {
		return found, nil
	}
	return d.op.get(ctx, inMarket(m), skus, func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
		return d.next.Products(ctx, m, skus)
	})
}

type related struct {
	next commerce.Related
	op   *batch[commerce.SKU, []commerce.RelatedProduct]
}

func (d related) Related(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	if found, ok := d.op.warm(ctx, inMarket(m), skus); ok {
		return found, nil
	}
	return d.op.get(ctx, inMarket(m), skus, func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
		return d.next.Related(ctx, m, skus)
	})
}

type content struct {
	next commerce.Content
	op   *batch[commerce.PageID, *commerce.Page]
}

func (d content) Pages(ctx context.Context, m commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	if found, ok := d.op.warm(ctx, inMarket(m), ids); ok {
		return found, nil
	}
	return d.op.get(ctx, inMarket(m), ids, func(ctx context.Context, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
		return d.next.Pages(ctx, m, ids)
	})
}

type reviews struct {
	next commerce.Reviews
	op   *batch[commerce.SKU, *commerce.ReviewSummary]
}

func (d reviews) Reviews(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	if found, ok := d.op.warm(ctx, inMarket(m), skus); ok {
		return found, nil
	}
	return d.op.get(ctx, inMarket(m), skus, func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
		return d.next.Reviews(ctx, m, skus)
	})
}

type inventory struct {
	next commerce.Inventory
	op   *batch[commerce.SKU, *commerce.Availability]
}

func (d inventory) Availability(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	if found, ok := d.op.warm(ctx, inMarket(m), skus); ok {
		return found, nil
	}
	return d.op.get(ctx, inMarket(m), skus, func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
		return d.next.Availability(ctx, m, skus)
	})
}

type pricing struct {
	next commerce.Pricing
	op   *batch[commerce.PriceKey, *commerce.Price]
}

func (d pricing) Prices(ctx context.Context, m commerce.Market, group commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	who := asker{market: m, group: group}
	if found, ok := d.op.warm(ctx, who, keys); ok {
		return found, nil
	}
	return d.op.get(ctx, who, keys, func(ctx context.Context, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
		return d.next.Prices(ctx, m, group, keys)
	})
}

type categories struct {
	next commerce.Categories
	op   *single[*commerce.CategoryTree]
}

func (d categories) Tree(ctx context.Context, m commerce.Market) (*commerce.CategoryTree, error) {
	return d.op.get(ctx, inMarket(m), "", func(ctx context.Context) (*commerce.CategoryTree, error) {
		return d.next.Tree(ctx, m)
	})
}

type search struct {
	next commerce.Search
	op   *single[*commerce.SearchResult]
}

func (d search) Search(ctx context.Context, m commerce.Market, q commerce.SearchQuery) (*commerce.SearchResult, error) {
	return d.op.get(ctx, inMarket(m), queryText(q), func(ctx context.Context) (*commerce.SearchResult, error) {
		return d.next.Search(ctx, m, q)
	})
}
