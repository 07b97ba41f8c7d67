package pimcore

import (
	"cmp"
	"context"
	"slices"

	"github.com/portico-bff/portico/schema/commerce"
)

// Products implements [commerce.Catalog].
func (c *connector) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	found, err := byKey(ctx, query[commerce.SKU, wireProduct]{
		connector: c, op: commerce.OpProducts, column: "sku",
		key:  func(w *wireProduct) commerce.SKU { return commerce.SKU(w.SKU) },
		vars: wireVariables{Language: c.languages.of(m.Locale), Fallback: c.languages.fallback},
	}, skus)
	products := make(map[commerce.SKU]*commerce.Product, len(found))
	for sku, w := range found {
		products[sku] = c.product(w)
	}
	return products, err
}

func (c *connector) product(w *wireProduct) *commerce.Product {
	p := &commerce.Product{
		SKU:         commerce.SKU(w.SKU),
		Name:        w.name(),
		Description: plainText(cmp.Or(w.Description, w.FallbackDescription)),
		Attributes:  attributes(w),
		Variants:    variants(w.Variants),
		UpdatedAt:   seconds(w.ModificationDate),
	}
	if w.Brand != nil {
		p.Brand = w.Brand.Name
	}
	for _, category := range w.Categories {
		if category == nil {
			continue
		}
		if id, err := commerce.ParseCategoryID("id", category.ID); err == nil {
			p.Categories = append(p.Categories, commerce.CategoryRef{ID: id, Name: category.name()})
		}
	}
	for _, hotspot := range w.Images {
		if hotspot == nil {
			continue
		}
		if image := c.pictures.image(hotspot.Image, p.Name); image != nil {
			p.Images = append(p.Images, *image)
		}
	}
	return p
}

// name is never empty: a product that has none in any language goes by its SKU.
func (w *wireProduct) name() string { return cmp.Or(w.Name, w.FallbackName, w.SKU) }

func (w *wireCategory) name() string { return cmp.Or(w.Name, w.FallbackName, w.ID) }

// attributes are the class's fields that shoppers read; those without a value are left out.
func attributes(w *wireProduct) []commerce.Attribute {
	all := []commerce.Attribute{
		{Code: "color", Label: "Color", Value: w.Color},
		{Code: "size", Label: "Size", Value: w.Size, Unit: w.SizeUnit},
		{Code: "weight", Label: "Weight"},
		{Code: "class", Label: "Class", Value: w.Class},
		{Code: "style", Label: "Style", Value: w.Style},
		{Code: "line", Label: "Line", Value: w.Line},
		{Code: "model", Label: "Model", Value: w.Model},
	}
	if w.Weight != nil {
		all[2].Value = w.Weight.Value.String()
		if w.Weight.Unit != nil {
			all[2].Unit = w.Weight.Unit.Abbreviation
		}
	}
	var filled []commerce.Attribute
	for _, a := range all {
		if a.Value != "" {
			filled = append(filled, a)
		}
	}
	return filled
}

// options are the fields that can tell variants apart.
var options = []struct {
	code  string
	value func(*wireProduct) string
}{
	{"color", func(w *wireProduct) string { return w.Color }},
	{"size", func(w *wireProduct) string { return w.Size }},
	{"style", func(w *wireProduct) string { return w.Style }},
}

// variants keeps the members that can be named and told apart, with the options in which they differ.
func variants(members []*wireProduct) []commerce.Variant {
	if len(members) < 2 {
		return nil
	}
	members = slices.DeleteFunc(slices.Clone(members), func(w *wireProduct) bool {
		if w == nil {
			return true
		}
		_, err := commerce.ParseSKU("sku", w.SKU)
		return err != nil
	})
	var list []commerce.Variant
	for _, w := range members {
		v := commerce.Variant{SKU: commerce.SKU(w.SKU), Name: w.name()}
		for _, o := range options {
			if value := o.value(w); value != "" && differ(members, o.value) {
				v.Options = append(v.Options, commerce.Option{Code: o.code, Value: value})
			}
		}
		if len(v.Options) > 0 {
			list = append(list, v)
		}
	}
	if len(list) < 2 {
		return nil
	}
	return list
}

func differ(members []*wireProduct, value func(*wireProduct) string) bool {
	return slices.ContainsFunc(members, func(w *wireProduct) bool { return value(w) != value(members[0]) })
}

// Related implements [commerce.Related].
func (c *connector) Related(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.SKU, error) {
	found, err := byKey(ctx, query[commerce.SKU, wireRelated]{
		connector: c, op: commerce.OpRelated, column: "sku",
		key: func(w *wireRelated) commerce.SKU { return commerce.SKU(w.SKU) },
	}, skus)
	related := make(map[commerce.SKU][]commerce.SKU, len(found))
	for sku, w := range found {
		related[sku] = others(w)
	}
	return related, err
}

// others are the usable SKUs among a product's related ones, each once, itself left out. Never nil.
func others(w *wireRelated) []commerce.SKU {
	list := []commerce.SKU{}
	for _, member := range w.Related {
		if member == nil || member.SKU == w.SKU {
			continue
		}
		if sku, err := commerce.ParseSKU("sku", member.SKU); err == nil && !slices.Contains(list, sku) {
			list = append(list, sku)
		}
	}
	return list
}
