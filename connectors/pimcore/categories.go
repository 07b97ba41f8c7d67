package pimcore

import (
	"cmp"
	"context"
	"slices"

	"github.com/portico-bff/portico/schema/commerce"
)

// A tree fits into one call of treePage categories; larger ones take more, up to maxTree.
const (
	treePage = 1_000
	maxTree  = 10_000
)

// Tree implements [commerce.Categories].
func (c *connector) Tree(ctx context.Context, m commerce.Market) (*commerce.CategoryTree, error) {
	vars := wireVariables{First: treePage, Language: c.languages.of(m.Locale), Fallback: c.languages.fallback}
	var all []*wireCategory
	for vars.After < maxTree {
		got, err := fetch[wireCategory](ctx, c, commerce.OpCategoryTree, vars)
		if err != nil {
			return nil, err
		}
		all = append(all, got.nodes...)
		vars.After += treePage
		if vars.After >= got.total {
			break
		}
	}
	return commerce.NewCategoryTree(c.children(group(all), "", map[string]bool{})), nil
}

// group lists categories by their parent's id, in the PIM's order; a root's is empty.
func group(all []*wireCategory) map[string][]*wireCategory {
	byParent := map[string][]*wireCategory{}
	for _, w := range all {
		parent := ""
		if w.Parent != nil {
			parent = w.Parent.ID
		}
		byParent[parent] = append(byParent[parent], w)
	}
	for _, siblings := range byParent {
		slices.SortStableFunc(siblings, func(a, b *wireCategory) int { return cmp.Compare(a.Index, b.Index) })
	}
	return byParent
}

// children builds what hangs below a parent. What hangs below an unpublished category is not
// reached, and an id that came twice is taken once.
func (c *connector) children(byParent map[string][]*wireCategory, parent string, seen map[string]bool) []*commerce.Category {
	var list []*commerce.Category
	for _, w := range byParent[parent] {
		id, err := commerce.ParseCategoryID("id", w.ID)
		if err != nil || seen[w.ID] {
			continue
		}
		seen[w.ID] = true
		category := &commerce.Category{
			ID: id, Name: w.name(w.ID), Description: plainText(cmp.Or(w.Description, w.FallbackDescription)), Parent: commerce.CategoryID(parent),
			Children: c.children(byParent, w.ID, seen),
		}
		category.Image = c.pictures.pointer(w.Image, category.Name)
		list = append(list, category)
	}
	return list
}
