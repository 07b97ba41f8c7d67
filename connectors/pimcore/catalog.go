package pimcore

import (
	"cmp"
	"context"
	"slices"

	"github.com/portico-bff/portico/schema/commerce"
)

// Products implements [commerce.Catalog].
func (c *connector) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	return byKey(ctx, query[commerce.SKU, wireProduct, *commerce.Product]{
		connector: c, op: commerce.OpProducts, column: "sku",
		key: func(w *wireProduct) commerce.SKU { return commerce.SKU(w.SKU) }, show: c.product, rooms: &c.products,
		vars: wireVariables{Language: c.languages.of(m.Locale), Fallback: c.languages.fallback},
	}, skus)
}

// productLists are what a product's lists become.
type productLists struct {
	images     [][]commerce.Rendition // of those that have a usable size
	categories []commerce.CategoryRef
	variants   []commerce.Variant
}

// settled are w's lists, which are made as it is read, or else now.
func (w *wireProduct) settled(p *pictures) productLists {
	if w.shared != nil {
		return w.lists
	}
	lists := productLists{categories: categoriesOf(w.Categories), variants: variants(w.Variants)}
	for _, hotspot := range w.Images {
		if sizes := p.renditions(hotspot.Image); len(sizes) > 0 {
			lists.images = append(lists.images, sizes)
		}
	}
	return lists
}

// pictured is a product with the room for one picture, as nearly all have: what is kept for long is better
// few things than many.
type pictured struct {
	commerce.Product

	picture [1]commerce.Image
}

func (c *connector) product(w *wireProduct) *commerce.Product {
	lists := w.settled(&c.pictures)
	made := &pictured{Product: commerce.Product{
		SKU:         commerce.SKU(w.SKU),
		Name:        w.name(w.SKU), // of a product that has none in any language
		Brand:       w.Brand.Name,
		Description: plainText(cmp.Or(w.Description, w.FallbackDescription)),
		Attributes:  attributes(w),
		Categories:  lists.categories,
		Variants:    lists.variants,
		UpdatedAt:   seconds(w.ModificationDate),
	}}
	p := &made.Product
	switch len(lists.images) {
	case 0:
	case 1:
		p.Images = made.picture[:]
	default:
		p.Images = make([]commerce.Image, len(lists.images))
	}
	for i, sizes := range lists.images {
		p.Images[i] = commerce.Image{Alt: p.Name, Renditions: sizes}
	}
	return p
}

func categoriesOf(named []wireNamed) []commerce.CategoryRef {
	if len(named) == 0 {
		return nil
	}
	list := make([]commerce.CategoryRef, 0, len(named))
	for _, w := range named {
		if commerce.IsCategoryID(w.ID) {
			list = append(list, commerce.CategoryRef{ID: commerce.CategoryID(w.ID), Name: w.name(w.ID)})
		}
	}
	return filled(list)
}

// filled is list, or nil when it is empty.
func filled[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// name is never empty: what has none in any language goes by its key.
func (w *wireNames) name(key string) string { return cmp.Or(w.Name, w.FallbackName, key) }

// attributes are the class's fields that shoppers read; those without a value are left out.
func attributes(w *wireProduct) []commerce.Attribute {
	all := [...]commerce.Attribute{
		{Code: "color", Label: "Color", Value: w.Color},
		{Code: "size", Label: "Size", Value: w.Size, Unit: w.SizeUnit},
		{Code: "weight", Label: "Weight", Value: w.Weight.Value.String(), Unit: w.Weight.Unit.Abbreviation},
		{Code: "class", Label: "Class", Value: w.Class},
		{Code: "style", Label: "Style", Value: w.Style},
		{Code: "line", Label: "Line", Value: w.Line},
		{Code: "model", Label: "Model", Value: w.Model},
	}
	n := 0
	for i := range all {
		if all[i].Value != "" {
			all[n] = all[i]
			n++
		}
	}
	return slices.Clone(filled(all[:n]))
}

// optionCodes are the fields that can tell variants apart.
var optionCodes = [...]string{"color", "size", "style"}

// options are their values.
func (w *wireVariant) options() [len(optionCodes)]string {
	return [...]string{w.Color, w.Size, w.Style}
}

// variants keeps the members that can be named and told apart, with the options in which they differ.
func variants(members []wireVariant) []commerce.Variant {
	if len(members) < 2 {
		return nil
	}
	differ, most := differences(members)
	list := make([]commerce.Variant, 0, len(members))
	room := make([]commerce.Option, 0, most) // of all their options
	for i := range members {
		w := &members[i]
		if !commerce.IsSKU(w.SKU) {
			continue
		}
		begin := len(room)
		for o, value := range w.options() {
			if value != "" && differ[o] {
				room = append(room, commerce.Option{Code: optionCodes[o], Value: value})
			}
		}
		if len(room) > begin {
			list = append(list, commerce.Variant{SKU: commerce.SKU(w.SKU), Name: w.name(w.SKU), Options: slices.Clip(room[begin:])})
		}
	}
	if len(list) < 2 {
		return nil
	}
	return list
}

// differences tells in which options members that can be named differ, and how many values
// of those they have at most.
func differences(members []wireVariant) (differ [len(optionCodes)]bool, most int) {
	var first *wireVariant
	for i := range members {
		w := &members[i]
		switch {
		case !commerce.IsSKU(w.SKU):
		case first == nil:
			first = w
		default:
			values := first.options()
			for o, value := range w.options() {
				differ[o] = differ[o] || value != values[o]
			}
		}
	}
	for _, differs := range differ {
		if differs {
			most += len(members)
		}
	}
	return differ, most
}

// Related implements [commerce.Related].
func (c *connector) Related(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	return byKey(ctx, query[commerce.SKU, wireRelated, []commerce.RelatedProduct]{
		connector: c, op: commerce.OpRelated, column: "sku",
		key: func(w *wireRelated) commerce.SKU { return commerce.SKU(w.SKU) }, show: c.others, rooms: &c.related,
		vars: wireVariables{Language: c.languages.of(m.Locale), Fallback: c.languages.fallback},
	}, skus)
}

// others are the usable ones among a product's related ones, each once, itself left out. Never nil.
func (c *connector) others(w *wireRelated) []commerce.RelatedProduct {
	list := make([]commerce.RelatedProduct, 0, len(w.Related))
	pictures := make([]commerce.Image, 0, len(w.Related)) // of all of them, in one piece
	for i := range w.Related {
		member := &w.Related[i]
		sku := commerce.SKU(member.SKU)
		known := func(r commerce.RelatedProduct) bool { return r.SKU == sku }
		if member.SKU == w.SKU || !commerce.IsSKU(member.SKU) || slices.ContainsFunc(list, known) {
			continue
		}
		card := commerce.RelatedProduct{SKU: sku, Name: member.name(member.SKU), Brand: member.Brand.Name}
		if sizes := member.picture(w.shared, &c.pictures); len(sizes) > 0 {
			pictures = append(pictures, commerce.Image{Alt: card.Name, Renditions: sizes})
			card.Image = &pictures[len(pictures)-1]
		}
		list = append(list, card)
	}
	return list
}

// picture is the first that has a usable size, made as it was read, or else now.
func (w *wireCard) picture(s *shared, p *pictures) []commerce.Rendition {
	if s != nil {
		return w.sizes
	}
	for _, hotspot := range w.Images {
		if sizes := p.renditions(hotspot.Image); len(sizes) > 0 {
			return sizes
		}
	}
	return nil
}
