package main

import (
	"context"
	"net/http"
	"strings"
)

// What the app's screens hold, as far as the measured ones fill it.
type (
	mobileMoney struct {
		Amount    string `json:"amount"`
		Currency  string `json:"currency"`
		Formatted string `json:"formatted"`
	}
	mobilePrice struct {
		Unit mobileMoney `json:"unit"`
	}
	mobileImage struct {
		URL string `json:"url"`
		Alt string `json:"alt,omitempty"`
	}
	mobileCard struct {
		SKU     string       `json:"sku"`
		Name    string       `json:"name"`
		Brand   string       `json:"brand,omitempty"`
		Image   *mobileImage `json:"image,omitempty"`
		Price   *mobilePrice `json:"price,omitempty"`
		InStock *bool        `json:"inStock,omitempty"`
	}
	mobileLink struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	mobileFacetValue struct {
		Value string `json:"value"`
		Label string `json:"label"`
		Count int    `json:"count"`
	}
	mobileFacet struct {
		Code   string             `json:"code"`
		Label  string             `json:"label"`
		Values []mobileFacetValue `json:"values"`
	}
	mobileList struct {
		Items     []mobileCard  `json:"items,omitempty"`
		Total     int           `json:"total"`
		HasNext   bool          `json:"hasNext"`
		EndCursor string        `json:"endCursor,omitempty"`
		Facets    []mobileFacet `json:"facets,omitempty"`
	}
	mobileCategory struct {
		ID          string       `json:"id"`
		Name        string       `json:"name"`
		Breadcrumbs []mobileLink `json:"breadcrumbs"`
		Children    []mobileLink `json:"children,omitempty"`
		Products    mobileList   `json:"products"`
	}
	mobileStock struct {
		InStock  bool `json:"inStock"`
		Quantity int  `json:"quantity"`
	}
	mobileReview struct {
		Author    string `json:"author"`
		Rating    int    `json:"rating"`
		Body      string `json:"body,omitempty"`
		CreatedAt string `json:"createdAt"`
	}
	mobileReviews struct {
		Count   int            `json:"count"`
		Average float64        `json:"average,omitempty"`
		Latest  []mobileReview `json:"latest,omitempty"`
	}
	mobileOption struct {
		Code  string `json:"code"`
		Value string `json:"value"`
	}
	mobileVariant struct {
		SKU     string         `json:"sku"`
		Name    string         `json:"name"`
		Options []mobileOption `json:"options,omitempty"`
	}
	mobileAttribute struct {
		Code  string `json:"code"`
		Label string `json:"label"`
		Value string `json:"value"`
		Unit  string `json:"unit,omitempty"`
	}
	mobileProduct struct {
		SKU          string            `json:"sku"`
		Name         string            `json:"name"`
		Brand        string            `json:"brand,omitempty"`
		Description  string            `json:"description,omitempty"`
		Images       []mobileImage     `json:"images,omitempty"`
		Attributes   []mobileAttribute `json:"attributes,omitempty"`
		Variants     []mobileVariant   `json:"variants,omitempty"`
		Breadcrumbs  []mobileLink      `json:"breadcrumbs,omitempty"`
		Price        *mobilePrice      `json:"price,omitempty"`
		Availability *mobileStock      `json:"availability,omitempty"`
		Reviews      *mobileReviews    `json:"reviews,omitempty"`
		Related      []mobileCard      `json:"related,omitempty"`
	}
)

// What an app has to know when it starts.
type (
	mobileMarket struct {
		Name     string `json:"name"`
		Locale   string `json:"locale"`
		Currency string `json:"currency"`
		Country  string `json:"country"`
	}
	mobileConfig struct {
		Platforms  map[string]struct{} `json:"platforms"`
		Flags      map[string]bool     `json:"flags"`
		Markets    []mobileMarket      `json:"markets"`
		Locales    []string            `json:"locales"`
		Currencies []string            `json:"currencies"`
		Countries  []string            `json:"countries"`
		Sync       string              `json:"sync"`
	}
)

// config is what the channel tells in its shipped configuration.
func (*baseline) config(*http.Request) (any, error) {
	return mobileConfig{
		Platforms: map[string]struct{}{"ios": {}, "android": {}}, Flags: map[string]bool{},
		Markets: []mobileMarket{{"us", "en", "USD", "US"}, {"eu", "fr", "EUR", "FR"}, {"uk", "en", "GBP", "GB"}},
		Locales: []string{"en", "fr", "he", "th", "ar", "zh-Hant"}, Currencies: []string{"USD", "EUR", "GBP"},
		Countries: []string{"US", "CA", "FR", "DE", "GB", "AU"}, Sync: "full",
	}, nil
}

const (
	mostRelated  = 12
	mostOpinions = 3
)

func priceOnMobile(amount string) *mobilePrice {
	if amount == "" {
		return nil
	}
	return &mobilePrice{mobileMoney{amount, "USD", dollars(amount)}}
}

// dollars is an amount as people in the United States read it.
func dollars(amount string) string {
	whole, cents, _ := strings.Cut(amount, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return "$" + whole + "." + cents
}

func (b *baseline) searchScreen(r *http.Request) (any, error) {
	found, err := b.upstream.search(r.Context(), b.asks.Nothing)
	if err != nil {
		return nil, err
	}
	return map[string]any{"products": listed(found)}, nil
}

func listed(found searched) mobileList {
	list := mobileList{Total: found.Hits.Total.Value, HasNext: len(found.Hits.Hits) > pageSize}
	for _, code := range [...]string{"category", "color", "size", "brand", "price"} {
		facet := mobileFacet{Code: code, Label: strings.ToUpper(code[:1]) + code[1:]}
		for _, bucket := range found.Facets[code].Values.Buckets {
			value, label, both := strings.Cut(bucket.Key, "|")
			if !both {
				label = value
			}
			if bucket.Count > 0 {
				facet.Values = append(facet.Values, mobileFacetValue{value, label, bucket.Count})
			}
		}
		if len(facet.Values) > 0 {
			list.Facets = append(list.Facets, facet)
		}
	}
	return list
}

func (b *baseline) categoryScreen(r *http.Request) (any, error) {
	tree, err := b.categories(r.Context())
	if err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	node, ok := tree[id]
	if !ok {
		return nil, errUnknown
	}
	found, err := b.upstream.search(r.Context(), b.asks.page(r.FormValue("priceMin")))
	if err != nil {
		return nil, err
	}
	shown := mobileCategory{ID: id, Name: node.Name, Breadcrumbs: tree.path(id), Children: node.children, Products: listed(found)}
	shown.Products.Items, err = b.cards(r.Context(), found.skus())
	return shown, err
}

// cards are products as lists show them.
func (b *baseline) cards(ctx context.Context, skus []string) ([]mobileCard, error) {
	if len(skus) == 0 {
		return nil, nil
	}
	var products map[string]pimCard
	var prices map[string]string
	var stocks map[string]int
	err := together(ctx,
		func(ctx context.Context) (err error) {
			products, err = pim[pimCard](ctx, b, "products", skus)
			return err
		},
		func(ctx context.Context) (err error) { prices, err = b.erp.prices(ctx, skus); return err },
		func(ctx context.Context) (err error) { stocks, err = b.erp.stock(ctx, skus); return err },
	)
	if err != nil {
		return nil, err
	}
	cards := make([]mobileCard, 0, len(skus))
	for _, sku := range skus {
		p, ok := products[sku]
		if !ok {
			continue
		}
		card := b.card(p)
		card.Price = priceOnMobile(prices[sku])
		inStock := stocks[sku] > 0
		card.InStock = &inStock
		cards = append(cards, card)
	}
	return cards, nil
}

// card is a product as far as the PIM knows it.
func (b *baseline) card(p pimCard) mobileCard {
	card := mobileCard{SKU: p.SKU, Name: p.Name, Brand: p.Brand.Name}
	if len(p.Images) > 0 {
		card.Image = &mobileImage{b.upstream.base + "/pimcore" + p.Images[0].Image.T1, p.Name}
	}
	return card
}

func (b *baseline) productScreen(r *http.Request) (any, error) {
	tree, err := b.categories(r.Context())
	if err != nil {
		return nil, err
	}
	sku := r.PathValue("sku")
	skus := []string{sku}
	var products map[string]pimProduct
	var opinions map[string]pimReviews
	var prices map[string]string
	var stocks map[string]int
	var cards []mobileCard
	err = together(r.Context(),
		func(ctx context.Context) (err error) {
			products, err = pim[pimProduct](ctx, b, "products", skus)
			return err
		},
		func(ctx context.Context) (err error) {
			opinions, err = pim[pimReviews](ctx, b, "reviews", skus)
			return err
		},
		func(ctx context.Context) (err error) { prices, err = b.erp.prices(ctx, skus); return err },
		func(ctx context.Context) (err error) { stocks, err = b.erp.stock(ctx, skus); return err },
		func(ctx context.Context) error {
			related, err := pim[pimRelated](ctx, b, "related", skus)
			if err != nil {
				return err
			}
			others := related[sku].others()
			for _, other := range others[:min(mostRelated, len(others))] {
				cards = append(cards, b.card(*other))
			}
			return nil
		},
	)
	if err != nil {
		return nil, err
	}
	p, ok := products[sku]
	if !ok {
		return nil, errUnknown
	}
	shown := b.described(p)
	if len(p.Categories) > 0 {
		shown.Breadcrumbs = tree.path(p.Categories[0].ID)
	}
	shown.Price, shown.Related = priceOnMobile(prices[sku]), cards
	shown.Availability = &mobileStock{stocks[sku] > 0, stocks[sku]}
	shown.Reviews = reviewed(opinions[sku])
	return shown, nil
}

func (b *baseline) described(p pimProduct) mobileProduct {
	shown := mobileProduct{SKU: p.SKU, Name: p.Name, Brand: p.Brand.Name, Description: p.Description}
	for _, i := range p.Images {
		shown.Images = append(shown.Images, mobileImage{b.upstream.base + "/pimcore" + i.Image.T1, p.Name})
	}
	for _, a := range p.attributes() {
		shown.Attributes = append(shown.Attributes, mobileAttribute(a))
	}
	colors, sizes, styles := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, v := range p.Variants {
		colors[v.Color], sizes[v.Size], styles[v.Style] = true, true, true
	}
	for _, v := range p.Variants {
		variant := mobileVariant{SKU: v.SKU, Name: v.Name}
		for _, o := range [...]struct {
			code, value string
			differ      bool
		}{{"color", v.Color, len(colors) > 1}, {"size", v.Size, len(sizes) > 1}, {"style", v.Style, len(styles) > 1}} {
			if o.differ && o.value != "" {
				variant.Options = append(variant.Options, mobileOption{o.code, o.value})
			}
		}
		if len(variant.Options) > 0 {
			shown.Variants = append(shown.Variants, variant)
		}
	}
	return shown
}

func reviewed(r pimReviews) *mobileReviews {
	all := r.shown()
	shown := &mobileReviews{Count: len(all), Average: average(all)}
	for _, one := range all[:min(mostOpinions, len(all))] {
		shown.Latest = append(shown.Latest, mobileReview{one.Author, one.Rating, one.Body, moment(one.Date)})
	}
	return shown
}
