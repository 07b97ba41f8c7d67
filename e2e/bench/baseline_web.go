package main

import (
	"context"
	"encoding/json"
	"errors"
)

// What the web's operations select.
type (
	webMoney struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency,omitempty"`
	}
	webPrice struct {
		Unit webMoney  `json:"unit"`
		List *webMoney `json:"list,omitempty"`
	}
	webStock struct {
		InStock  bool `json:"inStock"`
		Quantity int  `json:"quantity"`
	}
	webImage struct {
		URL string `json:"url"`
		Alt string `json:"alt"`
	}
	webRating struct {
		Count   int     `json:"count"`
		Average float64 `json:"average"`
	}
	webRow struct {
		SKU          string    `json:"sku"`
		Name         string    `json:"name"`
		Price        *webPrice `json:"price"`
		Availability *webStock `json:"availability"`
	}
	webNodes struct {
		Nodes []webRow `json:"nodes"`
	}
	webCategory struct {
		Name     string   `json:"name"`
		Products webNodes `json:"products"`
	}
	webProduct struct {
		SKU          string      `json:"sku"`
		Name         string      `json:"name"`
		Description  string      `json:"description"`
		Brand        string      `json:"brand"`
		Images       []webImage  `json:"images"`
		Attributes   []attribute `json:"attributes"`
		Price        *webPrice   `json:"price"`
		Availability *webStock   `json:"availability"`
		Reviews      webRating   `json:"reviews"`
	}
)

// searched is what the index answers.
type searched struct {
	Hits struct {
		Total struct {
			Value int `json:"value"`
		} `json:"total"`
		Hits []struct {
			Source struct {
				SKU string `json:"sku"`
			} `json:"_source"`
		} `json:"hits"`
	} `json:"hits"`
	Facets map[string]struct {
		Values struct {
			Buckets []struct {
				Key   string `json:"key"`
				Count int    `json:"doc_count"`
			} `json:"buckets"`
		} `json:"values"`
	} `json:"aggregations"`
}

func (s searched) skus() []string {
	hits := s.Hits.Hits[:min(pageSize, len(s.Hits.Hits))]
	skus := make([]string, len(hits))
	for i, h := range hits {
		skus[i] = h.Source.SKU
	}
	return skus
}

// search asks the index.
func (u *upstream) search(ctx context.Context, body json.RawMessage) (found searched, err error) {
	err = u.post(ctx, "/elasticsearch/products/_search", body, &found, "Authorization", "ApiKey c2FuZGJveDpzZWNyZXQ=")
	return found, err
}

var errUnknown = errors.New("no such thing")

func (b *baseline) webList(ctx context.Context, id, least string) (any, error) {
	tree, err := b.categories(ctx)
	if err != nil {
		return nil, err
	}
	node, ok := tree[id]
	if !ok {
		return nil, errUnknown
	}
	found, err := b.upstream.search(ctx, b.asks.page(least))
	if err != nil {
		return nil, err
	}
	skus := found.skus()
	var products map[string]pimName
	var prices map[string]string
	var stocks map[string]int
	err = together(ctx,
		func(ctx context.Context) (err error) {
			products, err = pim[pimName](ctx, b, "products", skus)
			return err
		},
		func(ctx context.Context) (err error) { prices, err = b.erp.prices(ctx, skus); return err },
		func(ctx context.Context) (err error) { stocks, err = b.erp.stock(ctx, skus); return err },
	)
	if err != nil {
		return nil, err
	}
	rows := make([]webRow, len(skus))
	for i, sku := range skus {
		rows[i] = webRow{SKU: sku, Name: products[sku].Name, Price: priceOnWeb(prices[sku]), Availability: stockOnWeb(stocks[sku])}
	}
	return data("category", webCategory{node.Name, webNodes{rows}}), nil
}

func data[T any](field string, value T) any {
	return map[string]map[string]T{"data": {field: value}}
}

func priceOnWeb(amount string) *webPrice {
	if amount == "" {
		return nil
	}
	return &webPrice{Unit: webMoney{amount, "USD"}}
}

func stockOnWeb(pieces int) *webStock { return &webStock{pieces > 0, pieces} }

func (b *baseline) webPage(ctx context.Context, sku string) (any, error) {
	var products map[string]pimProduct
	var reviews map[string]pimReviews
	var prices map[string]string
	var stocks map[string]int
	skus := []string{sku}
	err := together(ctx,
		func(ctx context.Context) (err error) {
			products, err = pim[pimProduct](ctx, b, "products", skus)
			return err
		},
		func(ctx context.Context) (err error) {
			reviews, err = pim[pimReviews](ctx, b, "reviews", skus)
			return err
		},
		func(ctx context.Context) (err error) { prices, err = b.erp.prices(ctx, skus); return err },
		func(ctx context.Context) (err error) { stocks, err = b.erp.stock(ctx, skus); return err },
	)
	if err != nil {
		return nil, err
	}
	p, ok := products[sku]
	if !ok {
		return nil, errUnknown
	}
	opinions := reviews[sku].shown()
	shown := webProduct{
		SKU: p.SKU, Name: p.Name, Description: p.Description, Brand: p.Brand.Name, Attributes: p.attributes(), Images: []webImage{},
		Price: priceOnWeb(prices[sku]), Availability: stockOnWeb(stocks[sku]),
		Reviews: webRating{len(opinions), average(opinions)},
	}
	if shown.Price != nil {
		shown.Price.List = &webMoney{Amount: prices[sku]}
	}
	for _, i := range p.Images {
		shown.Images = append(shown.Images, webImage{b.upstream.base + "/pimcore" + i.Image.T1, p.Name})
	}
	return data("product", shown), nil
}
