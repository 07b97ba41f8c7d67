package commerce

import "context"

// Category is a node of the category tree, in one locale.
type Category struct {
	ID          CategoryID
	Name        string
	Description string
	Parent      CategoryID // empty for a root
	Children    []*Category
	Image       *Image // may be nil
}

// CategoryTree is all categories of a market.
type CategoryTree struct {
	Roots []*Category
	index map[CategoryID]*Category
}

// NewCategoryTree indexes roots and all below them. Roots must not be changed afterwards.
func NewCategoryTree(roots []*Category) *CategoryTree {
	t := &CategoryTree{Roots: roots, index: map[CategoryID]*Category{}}
	t.add(roots)
	return t
}

func (t *CategoryTree) add(list []*Category) {
	for _, c := range list {
		t.index[c.ID] = c
		t.add(c.Children)
	}
}

// Category finds a node by id, or answers nil.
func (t *CategoryTree) Category(id CategoryID) *Category { return t.index[id] }

// Path is the way from a root to id, both included; empty when id is unknown.
func (t *CategoryTree) Path(id CategoryID) []*Category {
	var path []*Category
	for c := t.index[id]; c != nil && len(path) < len(t.index); c = t.index[c.Parent] {
		path = append([]*Category{c}, path...)
	}
	return path
}

// Categories holds the category tree.
type Categories interface {
	// Tree answers the whole published tree in the market's locale, siblings in the PIM's order.
	Tree(ctx context.Context, m Market) (*CategoryTree, error)
}
