package graph

import (
	"slices"

	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/graph/model"
	"github.com/portico-bff/portico/schema/commerce"
)

// optionAxes is what a product's variants differ in: options in the order in which the PIM
// names them, values in the order of the variants.
func optionAxes(p *commerce.Product) []*model.OptionAxis {
	axes := []*model.OptionAxis{}
	for _, v := range p.Variants {
		for _, o := range v.Options {
			i := slices.IndexFunc(axes, func(a *model.OptionAxis) bool { return a.Code == o.Code })
			if i < 0 {
				i = len(axes)
				axes = append(axes, &model.OptionAxis{Code: o.Code, Label: label(p, o.Code)})
			}
			if !slices.Contains(axes[i].Values, o.Value) {
				axes[i].Values = append(axes[i].Values, o.Value)
			}
		}
	}
	return axes
}

// label is what people call an option: the name of the attribute that it is.
func label(p *commerce.Product, code string) string {
	for _, a := range p.Attributes {
		if a.Code == code {
			return a.Label
		}
	}
	return code
}

// chosen is the one variant of p that has all options, or nil when there is not exactly one.
func chosen(p *commerce.Product, options []*generated.OptionInput) *commerce.Variant {
	var found *commerce.Variant
	for i := range p.Variants {
		if !has(p.Variants[i].Options, options) {
			continue
		}
		if found != nil {
			return nil
		}
		found = &p.Variants[i]
	}
	return found
}

func has(all []commerce.Option, wanted []*generated.OptionInput) bool {
	return !slices.ContainsFunc(wanted, func(w *generated.OptionInput) bool {
		return !slices.Contains(all, commerce.Option{Code: w.Code, Value: w.Value})
	})
}

// stockAt is where of a is in stock, at the locations with these ids only unless ids is nil.
func stockAt(a *commerce.Availability, ids []string) []*commerce.LocationStock {
	list := []*commerce.LocationStock{}
	for i := range a.Locations {
		if ids == nil || slices.Contains(ids, a.Locations[i].ID) {
			list = append(list, &a.Locations[i])
		}
	}
	return list
}

// distribution is how many reviews gave how many stars, most stars first.
func distribution(s *commerce.ReviewSummary) []*model.RatingCount {
	list := make([]*model.RatingCount, 0, len(s.Ratings))
	for i, n := range slices.Backward(s.Ratings[:]) {
		list = append(list, &model.RatingCount{Rating: i + 1, Count: n})
	}
	return list
}

// crumbs is the way to a category, which tree knows.
func crumbs(way []*commerce.Category) []*commerce.CategoryRef {
	list := make([]*commerce.CategoryRef, len(way))
	for i, c := range way {
		list[i] = &commerce.CategoryRef{ID: c.ID, Name: c.Name}
	}
	return list
}

// deepestWay is the way to the category of p that is farthest from a root, the PIM's first of
// several; empty when tree knows none of them.
func deepestWay(tree *commerce.CategoryTree, p *commerce.Product) []*commerce.Category {
	var way []*commerce.Category
	for _, ref := range p.Categories {
		if path := tree.Path(ref.ID); len(path) > len(way) {
			way = path
		}
	}
	return way
}

// pickVariant answers the SKU of the variant that a look-ahead's argument chooses.
func pickVariant(argument any) func(*commerce.Product) []commerce.SKU {
	var options []*generated.OptionInput
	if one, ok := argument.(map[string]any); ok {
		argument = []any{one} // one value, made a list of one
	}
	if !as(argument, &options) || slices.Contains(options, nil) {
		return func(*commerce.Product) []commerce.SKU { return nil } // the resolver asks by itself
	}
	return func(p *commerce.Product) []commerce.SKU {
		if v := chosen(p, options); v != nil {
			return []commerce.SKU{v.SKU}
		}
		return nil
	}
}
