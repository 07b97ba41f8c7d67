package world

import "slices"

const maxRelated = 6

// relate chooses what goes with each published product: accessories and clothing
// with a bike, neighbors of other models with anything else. Some have none.
func (f *facts) relate() {
	byRoot := map[int][]*Product{}
	for _, p := range f.products {
		if p.Published {
			root := f.root(p)
			byRoot[root] = append(byRoot[root], p)
		}
	}
	const bikes, clothing, accessories = 1, 3, 4
	withBike := slices.Concat(byRoot[clothing], byRoot[accessories])
	for _, p := range f.products {
		rnd := random(streamRelated, p.ID)
		if !p.Published || rnd.IntN(16) == 0 {
			continue
		}
		candidates := byRoot[f.root(p)]
		if f.root(p) == bikes {
			candidates = withBike
		}
		seen := map[int]bool{p.ModelID: true}
		for _, i := range rnd.Perm(len(candidates)) {
			other := candidates[i]
			if len(p.Related) < maxRelated && !seen[other.ModelID] {
				seen[other.ModelID] = true
				p.Related = append(p.Related, other.ID)
			}
		}
	}
}

// root is the id of the root category that a published product is below.
func (f *facts) root(p *Product) int {
	if c := f.categoryByID[subcategoryOffset+p.SubcategoryID]; c != nil {
		return c.ParentID
	}
	return 0
}
