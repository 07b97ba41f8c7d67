package syncing

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/pen"
	"github.com/portico-bff/portico/schema/commerce"
)

// imageWidth is how wide pictures are at least, in pixels: what the product screen shows.
const imageWidth = 960

// treeID is the id of the one item that is all categories.
const treeID = "all"

// versioned is an item with the version of what it holds.
func versioned(item api.SyncItem) (api.SyncItem, error) {
	content, err := pen.Marshal(&item)
	if err != nil {
		return item, err
	}
	const enough = 12 // bytes
	sum := sha256.Sum256(content)
	item.Version = base64.RawURLEncoding.EncodeToString(sum[:enough])
	return item, nil
}

func gone(kind api.SyncItemKind, id string) api.SyncItem {
	return api.SyncItem{Kind: kind, Id: id, Deleted: true}
}

func productItem(p *commerce.Product) (api.SyncItem, error) {
	shown := api.SyncProduct{Sku: string(p.SKU), Name: p.Name, Brand: p.Brand, Description: p.Description}
	for i := range p.Images {
		shown.Images = append(shown.Images, image(&p.Images[i]))
	}
	for _, a := range p.Attributes {
		shown.Attributes = append(shown.Attributes, api.Attribute{Code: a.Code, Label: a.Label, Value: a.Value, Unit: a.Unit})
	}
	for _, c := range p.Categories {
		shown.Categories = append(shown.Categories, string(c.ID))
	}
	for _, v := range p.Variants {
		variant := api.Variant{Sku: string(v.SKU), Name: v.Name}
		for _, o := range v.Options {
			variant.Options = append(variant.Options, api.Option{Code: o.Code, Value: o.Value})
		}
		shown.Variants = append(shown.Variants, variant)
	}
	return versioned(api.SyncItem{Kind: api.SyncKindProduct, Id: string(p.SKU), Product: shown})
}

func pageItem(p *commerce.Page) (api.SyncItem, error) {
	return versioned(api.SyncItem{Kind: api.SyncKindPage, Id: string(p.ID), Page: api.Page{Title: p.Title, Body: p.Body, Image: image(p.Image)}})
}

func treeItem(t *commerce.CategoryTree) (api.SyncItem, error) {
	item := api.SyncItem{Kind: api.SyncKindCategories, Id: treeID}
	var add func(list []*commerce.Category)
	add = func(list []*commerce.Category) {
		for _, c := range list {
			item.Categories = append(item.Categories, api.SyncCategory{
				Id: string(c.ID), Name: c.Name, Description: c.Description, Parent: string(c.Parent), Image: image(c.Image),
			})
			add(c.Children)
		}
	}
	add(t.Roots)
	return versioned(item)
}

// image is empty when there is none.
func image(i *commerce.Image) api.Image {
	if i == nil || len(i.Renditions) == 0 {
		return api.Image{}
	}
	return api.Image{Url: i.URL(imageWidth), Alt: i.Alt}
}
