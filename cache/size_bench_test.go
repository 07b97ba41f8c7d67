package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/portico-bff/portico/schema/commerce"
)

// decoded is a value as a connector makes it: read from bytes, sharing nothing.
func decoded[V any](b testing.TB, text string) V {
	var v V
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.Fatal(err)
	}
	return v
}

// Values of usual sizes; %d keeps them apart.
const (
	productText = `{"SKU":"BK-R93R-%d","Name":"Road-150 Red, %d","Description":"%s","Brand":"Adventure Works",
		"Images":[{"Alt":"Road-150 from the right","Renditions":[{"Width":320,"URL":"https://img.example.test/320/BK-R93R-%d.webp"},{"Width":0,"URL":"https://img.example.test/BK-R93R-%d.jpg"}]}],
		"Attributes":[{"Code":"color","Label":"Color","Value":"Red"},{"Code":"weight","Label":"Weight","Value":"15.42","Unit":"lb"},{"Code":"class","Label":"Class","Value":"High"}],
		"Categories":[{"ID":"road-bikes","Name":"Road Bikes"},{"ID":"bikes","Name":"Bikes"}],"UpdatedAt":"2026-11-21T09:03:38+01:00"}`
	priceText = `{"SKU":"BK-R93R-%d","Quantity":1,"Group":"retail","Unit":{"number":"3578.27","currency":"USD"},"List":{"number":"3999.00","currency":"USD"},
		"Tiers":[{"MinQuantity":10,"Unit":{"number":"3399.36","currency":"USD"}},{"MinQuantity":25,"Unit":{"number":"3220.44","currency":"USD"}}]}`
	relatedText = `[
		{"SKU":"BK-R93R-48","Name":"Road-150 Red, 48","Brand":"Adventure Works","Image":{"Alt":"Road-150 Red, 48","Renditions":[{"Width":320,"URL":"https://img.example.test/320/BK-R93R-48.webp"}]}},
		{"SKU":"BK-R93R-52","Name":"Road-150 Red, 52","Brand":"Adventure Works","Image":{"Alt":"Road-150 Red, 52","Renditions":[{"Width":320,"URL":"https://img.example.test/320/BK-R93R-52.webp"}]}},
		{"SKU":"BK-R93R-56","Name":"Road-150 Red, 56","Brand":"Adventure Works","Image":{"Alt":"Road-150 Red, 56","Renditions":[{"Width":320,"URL":"https://img.example.test/320/BK-R93R-56.webp"}]}},
		{"SKU":"HL-U509","Name":"Sport-100 Helmet","Brand":"Adventure Works"}]`
	stockText = `{"SKU":"BK-R93R-%d","Quantity":7}`
	facetText = `{"Code":"color","Label":"Color","Values":[{"Value":"Red","Label":"Red","Count":12},{"Value":"Black","Label":"Black","Count":9},{"Value":"Silver","Label":"Silver","Count":3}]}`
)

// sized answers every read of a shop with values of usual sizes, or with nothing.
type sized struct {
	b    *testing.B
	none bool
	n    int
}

func (s *sized) Products(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	if s.none {
		return nil, nil //nolint:nilnil // nothing was found
	}
	s.n++
	words := strings.Repeat("steel ", 60)
	return map[commerce.SKU]*commerce.Product{skus[0]: decoded[*commerce.Product](s.b, fmt.Sprintf(productText, s.n, s.n, words, s.n, s.n))}, nil
}

func (s *sized) Prices(_ context.Context, _ commerce.Market, _ commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	s.n++
	return map[commerce.PriceKey]*commerce.Price{keys[0]: decoded[*commerce.Price](s.b, fmt.Sprintf(priceText, s.n))}, nil
}

func (s *sized) Availability(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	s.n++
	return map[commerce.SKU]*commerce.Availability{skus[0]: decoded[*commerce.Availability](s.b, fmt.Sprintf(stockText, s.n))}, nil
}

func (s *sized) Related(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	s.n++
	return map[commerce.SKU][]commerce.RelatedProduct{skus[0]: decoded[[]commerce.RelatedProduct](s.b, relatedText)}, nil
}

func (s *sized) Search(context.Context, commerce.Market, commerce.SearchQuery) (*commerce.SearchResult, error) {
	s.n++
	var skus []string
	for i := range 24 {
		skus = append(skus, fmt.Sprintf(`"BK-R93R-%d"`, s.n+i))
	}
	facets := strings.Join([]string{facetText, facetText, facetText}, ",")
	return decoded[*commerce.SearchResult](s.b, fmt.Sprintf(`{"SKUs":[%s],"Total":240,"EndCursor":"eyJvIjoyNH0","HasNext":true,"Facets":[%s]}`, strings.Join(skus, ","), facets)), nil
}

// BenchmarkC21_Estimates compares what memory takes its entries to be with what the heap
// holds for them, for each kind of value.
func BenchmarkC21_Estimates(b *testing.B) {
	const budget = 1 << 30
	for _, kind := range []string{"products", "absent", "prices", "stock", "related", "searches", "answers"} {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				s := &sized{b: b, none: kind == "absent"}
				c := newCache(b, Config{L1Bytes: budget})
				a, err := NewAnswers(c, Config{AnswerBytes: budget}, "web", nil)
				if err != nil {
					b.Fatal(err)
				}
				ports := c.Wrap(commerce.Ports{Catalog: s, Pricing: s, Inventory: s, Related: s, Search: s, Traits: map[commerce.Operation]commerce.Traits{
					commerce.OpProducts: publicly(commerce.OpProducts), commerce.OpPrices: publicly(commerce.OpPrices), commerce.OpSearch: publicly(commerce.OpSearch),
					commerce.OpAvailability: publicly(commerce.OpAvailability), commerce.OpRelated: publicly(commerce.OpRelated),
				}})
				before := live()
				for i := range 30_000 {
					if err := fill(b, ports, a, kind, i); err != nil {
						b.Fatal(err)
					}
				}
				c.work.Wait()
				c.memory.values.CleanUp()
				c.memory.absent.CleanUp()
				a.table.CleanUp()
				estimate := c.memory.values.WeightedSize() + c.memory.absent.WeightedSize() + a.table.WeightedSize()
				held := float64(live()-before) / float64(estimate)
				b.ReportMetric(held, "live/estimate")
				b.ReportMetric(float64(estimate)/30_000, "bytes/entry")
				if held < 0.9 || held > 1.1 {
					b.Errorf("%s take %.2f of what memory takes them to be", kind, held)
				}
				a.Close()
			}
		})
	}
}

func publicly(op commerce.Operation) commerce.Traits { return publicTraits(op)[op] }

// fill has one more entry of a kind.
func fill(b *testing.B, p commerce.Ports, a *Answers, kind string, i int) error {
	sku := commerce.SKU(fmt.Sprint("BK-R93R-", i))
	var err error
	switch kind {
	case "products", "absent":
		_, err = p.Catalog.Products(b.Context(), us, []commerce.SKU{sku})
	case "prices":
		_, err = p.Pricing.Prices(b.Context(), us, "retail", []commerce.PriceKey{{SKU: sku, Quantity: 1}})
	case "stock":
		_, err = p.Inventory.Availability(b.Context(), us, []commerce.SKU{sku})
	case "related":
		_, err = p.Related.Related(b.Context(), us, []commerce.SKU{sku})
	case "searches":
		_, err = p.Search.Search(b.Context(), us, commerce.SearchQuery{Text: string(sku), First: 24})
	case "answers":
		_, _, err = a.Do(b.Context(), questionOf(fmt.Sprint("query Product ", i)), func(context.Context) (Produced, error) {
			return entire(fmt.Sprint(i, strings.Repeat("x", 3000)), commerce.TagProduct(sku), commerce.TagPrice(sku), commerce.TagStock(sku)), nil
		})
	}
	return err
}
