package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/schema/commerce"
)

// store answers at once, from memory, what benchmarks ask for. It tells of a source for
// each key, as the cache does.
type store struct {
	commerce.Ports
	products map[commerce.SKU]*commerce.Product
	skus     []commerce.SKU
}

func newStore(b testing.TB, n int) *store {
	b.Helper()
	s := &store{products: map[commerce.SKU]*commerce.Product{}}
	for i := range n {
		sku := commerce.SKU(fmt.Sprintf("SKU-%04d", i))
		s.skus = append(s.skus, sku)
		s.products[sku] = &commerce.Product{
			SKU: sku, Name: fmt.Sprintf("Product number %d, in blue", i), Brand: "Acme", Description: "Made by hand, of clay that was dug nearby.",
			Images:     []commerce.Image{{Alt: "it", Renditions: []commerce.Rendition{{Width: 400, URL: "https://assets.example.test/400.webp"}}}},
			Categories: []commerce.CategoryRef{{ID: "c1", Name: "Kitchen"}}, UpdatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		}
	}
	return s
}

func answer[K comparable, V any](ctx context.Context, op commerce.Operation, keys []K, value func(K) V) map[K]V {
	found := make(map[K]V, len(keys))
	sources := make([]commerce.Source, 0, len(keys))
	for _, key := range keys {
		found[key] = value(key)
		sources = append(sources, commerce.Source{System: "store", Operation: op, Key: "key", State: commerce.StateFresh})
	}
	commerce.Report(ctx, sources...)
	return found
}

var benchUnit, benchList = func() (commerce.Money, commerce.Money) {
	unit, err := commerce.NewMoney("19.90", "EUR")
	if err != nil {
		panic(err)
	}
	return unit, unit
}()

func (s *store) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	return answer(ctx, commerce.OpProducts, skus, func(k commerce.SKU) *commerce.Product { return s.products[k] }), nil
}

func (s *store) Prices(ctx context.Context, _ commerce.Market, _ commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	return answer(ctx, commerce.OpPrices, keys, func(k commerce.PriceKey) *commerce.Price {
		return &commerce.Price{SKU: k.SKU, Quantity: k.Quantity, Unit: benchUnit, List: benchList}
	}), nil
}

func (s *store) Availability(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	return answer(ctx, commerce.OpAvailability, skus, func(k commerce.SKU) *commerce.Availability {
		return &commerce.Availability{SKU: k, Quantity: 7, InStock: true}
	}), nil
}

func (s *store) Reviews(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	return answer(ctx, commerce.OpReviews, skus, func(k commerce.SKU) *commerce.ReviewSummary {
		return &commerce.ReviewSummary{SKU: k, Count: 3, Average: 4.25}
	}), nil
}

func (s *store) Related(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	return answer(ctx, commerce.OpRelated, skus, func(commerce.SKU) []commerce.RelatedProduct {
		list := make([]commerce.RelatedProduct, 4)
		for i, sku := range s.skus[1:5] {
			list[i].SKU = sku
		}
		return list
	}), nil
}

func (s *store) Search(_ context.Context, _ commerce.Market, q commerce.SearchQuery) (*commerce.SearchResult, error) {
	return &commerce.SearchResult{SKUs: s.skus[:q.First], Total: len(s.skus), EndCursor: "100", HasNext: true}, nil
}

const (
	list100 = `query List{search(first:100){totalCount nodes{sku name price{unit{amount currency}} availability{inStock quantity}}}}`
	page12  = `query Page($sku:String!){product(sku:$sku){sku name brand description price{unit{amount currency}} availability{quantity inStock} reviews{count average} categories{name} related{sku name price{unit{amount}}}}}`
)

// BenchmarkList100 answers a list of 100 products with price and availability: by the
// generated executor, compiled, and by a handler that is written for this one answer
// and knows neither freshness nor errors.
func BenchmarkList100(b *testing.B) {
	s := newStore(b, 100)
	b.Run("gqlgen", func(b *testing.B) { benchGraph(b, s, list100, nil, false) })
	b.Run("compiled", func(b *testing.B) { benchGraph(b, s, list100, nil, true) })
	b.Run("plain", func(b *testing.B) { benchPlain(b, func() any { return s.plainList(b.Context()) }) })
}

// BenchmarkPage answers a product page: like [BenchmarkList100].
func BenchmarkPage(b *testing.B) {
	s := newStore(b, 5)
	variables := map[string]any{"sku": string(s.skus[0])}
	b.Run("gqlgen", func(b *testing.B) { benchGraph(b, s, page12, variables, false) })
	b.Run("compiled", func(b *testing.B) { benchGraph(b, s, page12, variables, true) })
	b.Run("plain", func(b *testing.B) { benchPlain(b, func() any { return s.plainPage(b.Context()) }) })
}

func benchGraph(b *testing.B, s *store, query string, variables map[string]any, compile bool) {
	ports := commerce.Ports{Catalog: s, Related: s, Reviews: s, Search: s, Pricing: s, Inventory: s}
	r := &Resolver{Ports: ports, Log: slog.New(slog.DiscardHandler)}
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: r})
	gqlgen, own := executor.New(schema), r.Compiled(schema.Schema(), 10)
	gqlgen.SetQueryCache(lru.New[*ast.QueryDocument](10))
	shopper := commerce.Shopper{Market: commerce.Market{Channel: "de", Locale: "de", Currency: "EUR", Country: "DE"}}
	market := caller.WithMarket(b.Context(), shopper.Market)
	b.ReportAllocs()
	var size int
	for b.Loop() {
		ctx, loader := load.Start(market, ports, shopper, "retail")
		oc, errs := gqlgen.CreateOperationContext(graphql.StartOperationTrace(ctx), &graphql.RawParams{Query: query, Variables: variables})
		require.Empty(b, errs)
		var response *graphql.Response
		if compile {
			response, _ = own.Run(ctx, oc)
		} else {
			handler, ctx := gqlgen.DispatchOperation(ctx, oc)
			response = handler(ctx)
		}
		if len(response.Errors) > 0 || len(loader.Freshness()) > 0 {
			b.Fatal(response.Errors)
		}
		size = len(response.Data)
		loader.Close()
	}
	b.ReportMetric(float64(size), "bytes")
}

func benchPlain(b *testing.B, answer func() any) {
	b.ReportAllocs()
	var size int
	for b.Loop() {
		body, err := json.Marshal(answer())
		require.NoError(b, err)
		size = len(body)
	}
	b.ReportMetric(float64(size), "bytes")
}

type (
	plainMoney struct{ Amount, Currency string }
	plainPrice struct{ Unit plainMoney }
	plainStock struct {
		Quantity int
		InStock  bool
	}
	plainProduct struct {
		SKU, Name, Brand, Description string
		Price                         *plainPrice
		Availability                  *plainStock
		Reviews                       *plainReviews
		Categories                    []string
		Related                       []plainProduct
	}
	plainReviews struct {
		Count   int
		Average float64
	}
	plainResult struct {
		Total int
		Nodes []plainProduct
	}
)

func (s *store) plainList(ctx context.Context) any {
	m := commerce.Market{}
	found, _ := s.Search(ctx, m, commerce.SearchQuery{First: 100})
	products, _ := s.Products(ctx, m, found.SKUs)
	keys := make([]commerce.PriceKey, len(found.SKUs))
	for i, sku := range found.SKUs {
		keys[i] = commerce.PriceKey{SKU: sku, Quantity: 1}
	}
	prices, _ := s.Prices(ctx, m, "retail", keys)
	stock, _ := s.Availability(ctx, m, found.SKUs)
	result := plainResult{Total: found.Total}
	for i, sku := range found.SKUs {
		result.Nodes = append(result.Nodes, plainProduct{
			SKU: string(sku), Name: products[sku].Name, Price: priceOf(prices[keys[i]]),
			Availability: &plainStock{stock[sku].Quantity, stock[sku].InStock},
		})
	}
	return result
}

func priceOf(p *commerce.Price) *plainPrice {
	return &plainPrice{plainMoney{p.Unit.Number(), p.Unit.CurrencyCode()}}
}

func (s *store) plainPage(ctx context.Context) any {
	m, sku := commerce.Market{}, s.skus[:1]
	products, _ := s.Products(ctx, m, sku)
	related, _ := s.Related(ctx, m, sku)
	stock, _ := s.Availability(ctx, m, sku)
	reviews, _ := s.Reviews(ctx, m, sku)
	keys := []commerce.PriceKey{{SKU: sku[0], Quantity: 1}}
	var below []commerce.SKU
	for _, other := range related[sku[0]] {
		below, keys = append(below, other.SKU), append(keys, commerce.PriceKey{SKU: other.SKU, Quantity: 1})
	}
	others, _ := s.Products(ctx, m, below)
	prices, _ := s.Prices(ctx, m, "retail", keys)
	p := products[sku[0]]
	page := plainProduct{
		SKU: string(p.SKU), Name: p.Name, Brand: p.Brand, Description: p.Description, Categories: []string{p.Categories[0].Name},
		Price: priceOf(prices[keys[0]]), Availability: &plainStock{stock[p.SKU].Quantity, stock[p.SKU].InStock},
		Reviews: &plainReviews{reviews[p.SKU].Count, reviews[p.SKU].Average},
	}
	for _, key := range keys[1:] {
		page.Related = append(page.Related, plainProduct{SKU: string(key.SKU), Name: others[key.SKU].Name, Price: priceOf(prices[key])})
	}
	return page
}
