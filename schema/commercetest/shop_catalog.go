package commercetest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// good is a product with everything the shop knows of it.
type good struct {
	product commerce.Product
	french  string // name in French
	color   string
	cents   int64 // list price in US cents; euros cost the same number
	stock   int
	reviews []commerce.Review
	related []commerce.SKU
	hidden  bool // from who reads the PIM
}

func assortment() []*good {
	item := func(sku commerce.SKU, name, french, color, category string, cents int64, stock int) *good {
		return &good{
			french: french, color: color, cents: cents, stock: stock,
			product: commerce.Product{
				SKU: sku, Name: name, Description: name + " made by hand", Brand: "Acme", UpdatedAt: opened,
				Images: []commerce.Image{{Alt: name, Renditions: []commerce.Rendition{
					{Width: 80, URL: "https://assets.example.test/" + string(sku) + "_80.webp"},
					{Width: 480, URL: "https://assets.example.test/" + string(sku) + "_480.webp"},
				}}},
				Attributes: []commerce.Attribute{{Code: "color", Label: "Color", Value: color}},
				Categories: []commerce.CategoryRef{{ID: commerce.CategoryID(category), Name: category}},
			},
		}
	}
	red := item("MUG-RED", "Red mug", "Tasse rouge", "Red", "kitchen", 1250, 40)
	blue := item("MUG-BLUE", "Blue mug", "Tasse bleue", "Blue", "kitchen", 1250, 35)
	variants := []commerce.Variant{
		{SKU: "MUG-RED", Name: "Red mug", Options: []commerce.Option{{Code: "color", Value: "Red"}}},
		{SKU: "MUG-BLUE", Name: "Blue mug", Options: []commerce.Option{{Code: "color", Value: "Blue"}}},
	}
	red.product.Variants, blue.product.Variants = variants, variants
	red.related = []commerce.SKU{"LAMP-1", "BOWL-1"}
	red.reviews = []commerce.Review{
		{ID: "2", Author: "Kim", Rating: 5, Body: "Keeps tea warm.", CreatedAt: opened.AddDate(0, 1, 0)},
		{ID: "1", Author: "Lou", Rating: 4, Body: "A mug.", CreatedAt: opened},
	}
	return []*good{
		red, blue,
		item("LAMP-1", "Desk lamp", "Lampe", "Black", "living", 4999, 12),
		item("BOWL-1", "Bowl", "Bol", "Blue", "kitchen", 899, 100),
		item("VASE-1", "Vase", "Vase en verre", "Red", "living", 2999, 7),
		item("RUG-1", "Rug", "Tapis", "Red", "living", 15000, 0),
	}
}

func (s *Shop) good(sku commerce.SKU) *good {
	for _, g := range s.goods {
		if g.product.SKU == sku {
			return g
		}
	}
	return nil
}

// pick answers a value for each of skus that the shop sells.
func pick[V any](s *Shop, skus []commerce.SKU, value func(*good) V) map[commerce.SKU]V {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[commerce.SKU]V{}
	for _, sku := range skus {
		if g := s.good(sku); g != nil {
			found[sku] = value(g)
		}
	}
	return found
}

// shown answers a value for each of skus that the PIM shows.
func shown[V any](s *Shop, skus []commerce.SKU, value func(*good) V) map[commerce.SKU]V {
	found := pick(s, skus, func(g *good) func() V {
		if g.hidden {
			return nil
		}
		v := value(g)
		return func() V { return v }
	})
	result := map[commerce.SKU]V{}
	for sku, v := range found {
		if v != nil {
			result[sku] = v()
		}
	}
	return result
}

type shopCatalog struct{ *Shop }

func (s shopCatalog) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	if err := s.begin(ctx, commerce.OpProducts); err != nil {
		return nil, err
	}
	return shown(s.Shop, skus, func(g *good) *commerce.Product { return s.told(g, m.Locale) }), nil
}

// told is the product in a language. The caller holds the lock.
func (s *Shop) told(g *good, locale string) *commerce.Product {
	p := g.product
	if locale == "fr" {
		p.Name, p.Description = g.french, g.french+" fait main"
	}
	p.Categories = slices.Clone(p.Categories)
	for i := range p.Categories {
		p.Categories[i].Name = cmp.Or(s.named[p.Categories[i].ID], p.Categories[i].Name)
	}
	p.Variants = nil
	for _, v := range g.product.Variants {
		if sibling := s.good(v.SKU); !sibling.hidden {
			v.Name = sibling.product.Name
			p.Variants = append(p.Variants, v)
		}
	}
	if len(p.Variants) < 2 {
		p.Variants = nil
	}
	return &p
}

func (s shopCatalog) Related(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	if err := s.begin(ctx, commerce.OpRelated); err != nil {
		return nil, err
	}
	return shown(s.Shop, skus, func(g *good) []commerce.RelatedProduct {
		list := make([]commerce.RelatedProduct, 0, len(g.related))
		for _, sku := range g.related {
			if other := s.good(sku); other != nil && !other.hidden {
				p := s.told(other, m.Locale)
				list = append(list, commerce.RelatedProduct{SKU: p.SKU, Name: p.Name, Brand: p.Brand, Image: &p.Images[0]})
			}
		}
		return list
	}), nil
}

func (s shopCatalog) Reviews(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	if err := s.begin(ctx, commerce.OpReviews); err != nil {
		return nil, err
	}
	return pick(s.Shop, skus, func(g *good) *commerce.ReviewSummary {
		sum := &commerce.ReviewSummary{SKU: g.product.SKU, Count: len(g.reviews), Reviews: g.reviews}
		for _, r := range g.reviews {
			sum.Average += float64(r.Rating) / float64(len(g.reviews))
			sum.Ratings[r.Rating-1]++
		}
		return sum
	}), nil
}

func (s shopCatalog) Recommend(ctx context.Context, _ commerce.Shopper, seeds []commerce.SKU, first int) ([]commerce.SKU, error) {
	if err := s.begin(ctx, commerce.OpRecommend); err != nil {
		return nil, err
	}
	var skus []commerce.SKU
	for _, g := range s.goods {
		if len(skus) < first && !slices.Contains(seeds, g.product.SKU) {
			skus = append(skus, g.product.SKU)
		}
	}
	return skus, nil
}

func (s shopCatalog) Tree(ctx context.Context, _ commerce.Market) (*commerce.CategoryTree, error) {
	if err := s.begin(ctx, commerce.OpCategoryTree); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return commerce.NewCategoryTree([]*commerce.Category{{ID: "home", Name: cmp.Or(s.named["home"], "Home"), Children: []*commerce.Category{
		{ID: "kitchen", Name: cmp.Or(s.named["kitchen"], "Kitchen"), Parent: "home"},
		{ID: "living", Name: cmp.Or(s.named["living"], "Living room"), Parent: "home"},
	}}}), nil
}

func (s shopCatalog) Pages(ctx context.Context, _ commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	if err := s.begin(ctx, commerce.OpPages); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[commerce.PageID]*commerce.Page{}
	for _, id := range ids {
		if p := s.pages[id]; p != nil && !p.hidden {
			page := p.Page
			found[id] = &page
		}
	}
	return found, nil
}

func (s shopCatalog) SKUs(ctx context.Context, _ commerce.Market, after commerce.SKU, first int) ([]commerce.SKU, error) {
	if err := s.begin(ctx, commerce.OpSKUs); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []commerce.SKU
	for _, g := range s.goods {
		if !g.hidden {
			all = append(all, g.product.SKU)
		}
	}
	return behind(all, after, first)
}

func (s shopCatalog) PageIDs(ctx context.Context, _ commerce.Market, after commerce.PageID, first int) ([]commerce.PageID, error) {
	if err := s.begin(ctx, commerce.OpPageIDs); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []commerce.PageID
	for id, p := range s.pages {
		if !p.hidden {
			all = append(all, id)
		}
	}
	return behind(all, after, first)
}

// behind are up to first of keys, in ascending order, that come behind after. It puts keys in order.
func behind[K cmp.Ordered](keys []K, after K, first int) ([]K, error) {
	first, err := commerce.ParseFirst("first", first)
	if err != nil {
		return nil, err
	}
	slices.Sort(keys)
	keys = slices.DeleteFunc(keys, func(k K) bool { return k <= after })
	return slices.Clip(keys[:min(first, len(keys))]), nil
}

type shopSearch struct{ *Shop }

// matches tells whether g fits q; the facet named but is left out of account.
func matches(g *good, q commerce.SearchQuery, but string) bool {
	c := q.Filter.Category
	colors := q.Filter.Facets["color"]
	switch {
	case !strings.Contains(strings.ToLower(g.product.Name+" "+g.product.Description), strings.ToLower(q.Text)):
	case c != "" && c != "home" && g.product.Categories[0].ID != c:
	case but != "color" && len(colors) > 0 && !slices.Contains(colors, g.color):
	case q.Filter.InStock && g.stock == 0:
	default:
		return true
	}
	return false
}

func (s shopSearch) Search(ctx context.Context, _ commerce.Market, q commerce.SearchQuery) (*commerce.SearchResult, error) {
	if err := s.begin(ctx, commerce.OpSearch); err != nil {
		return nil, err
	}
	for code := range q.Filter.Facets {
		if code != "color" {
			return nil, &commerce.InputError{Field: "filter", Code: commerce.CodeUnsupported, Message: "names an unknown facet"}
		}
	}
	start, err := offset(q.After)
	if err != nil {
		return nil, err
	}
	var hits []*good
	counts := map[string]int{}
	for _, g := range s.goods {
		if matches(g, q, "") {
			hits = append(hits, g)
		}
		if matches(g, q, "color") {
			counts[g.color]++
		}
	}
	slices.SortStableFunc(hits, order(q.Sort))
	result := &commerce.SearchResult{Total: len(hits)}
	if !q.NoFacets {
		result.Facets = []commerce.Facet{colorFacet(counts, q.Filter.Facets["color"])}
	}
	end := min(start+q.First, len(hits))
	for _, g := range hits[min(start, end):end] {
		result.SKUs = append(result.SKUs, g.product.SKU)
	}
	result.Cursors, result.EndCursor = cursors(start, len(result.SKUs))
	result.HasNext = result.EndCursor != "" && end < len(hits)
	return result, nil
}

func colorFacet(counts map[string]int, chosen []string) commerce.Facet {
	f := commerce.Facet{Code: "color", Label: "Color"}
	for color, n := range counts {
		f.Values = append(f.Values, commerce.FacetValue{Value: color, Label: color, Count: n, Selected: slices.Contains(chosen, color)})
	}
	slices.SortFunc(f.Values, func(a, b commerce.FacetValue) int { return cmp.Compare(a.Value, b.Value) })
	return f
}

func order(sort commerce.Sort) func(a, b *good) int {
	bySKU := func(a, b *good) int { return cmp.Compare(a.product.SKU, b.product.SKU) }
	switch sort {
	case commerce.SortPriceAsc:
		return func(a, b *good) int { return cmp.Or(cmp.Compare(a.cents, b.cents), bySKU(a, b)) }
	case commerce.SortPriceDesc:
		return func(a, b *good) int { return cmp.Or(cmp.Compare(b.cents, a.cents), bySKU(a, b)) }
	case commerce.SortName:
		return func(a, b *good) int { return cmp.Or(cmp.Compare(a.product.Name, b.product.Name), bySKU(a, b)) }
	default:
		return bySKU
	}
}

// cursors names the places behind each of n rows from start on, and the last of them.
func cursors(start, n int) (each []string, end string) {
	for i := range n {
		end = strconv.Itoa(start + i + 1)
		each = append(each, end)
	}
	return each, end
}

// offset reads the shop's cursors: a number of rows.
func offset(after string) (int, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(after)
	if err != nil || n < 0 {
		return 0, &commerce.InputError{Field: "after", Code: commerce.CodeInvalid, Message: "must be a cursor of an earlier answer"}
	}
	return n, nil
}
