package world

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// State is what the PIM has of an object.
type State uint8

// The states.
const (
	Published State = iota
	Unpublished
	Deleted
)

// Saved is an object of the PIM that was saved: one of the three. How says what it became.
type Saved struct {
	Product  *Product
	Category *Category
	Page     *Page
	How      How
}

// How is what saving an object came to.
type How uint8

// What saving can come to.
const (
	Updated How = iota // published or not
	Added
	Removed
)

// saved are the products, categories and pages that differ from those of before, in the order of their ids.
func (c *catalog) saved(before *catalog) []Saved {
	var all []Saved
	for _, p := range c.products {
		old := before.productByID[p.ID]
		if p.Name != old.Name || p.Published != old.Published || p.Deleted != old.Deleted {
			all = append(all, Saved{Product: p, How: how(old.Deleted, p.Deleted)})
		}
	}
	for _, category := range c.categories {
		if category.Name != before.categoryByID[category.ID].Name {
			all = append(all, Saved{Category: category})
		}
	}
	for i, p := range c.pages {
		if old := before.pages[i]; !maps.Equal(p.Title, old.Title) || !maps.Equal(p.Body, old.Body) || p.Published != old.Published || p.Deleted != old.Deleted {
			all = append(all, Saved{Page: p, How: how(old.Deleted, p.Deleted)})
		}
	}
	return all
}

func how(before, now bool) How {
	switch {
	case now && !before:
		return Removed
	case before && !now:
		return Added
	default:
		return Updated
	}
}

// PageChange is what to change of a page; nil and empty texts leave things as they are.
type PageChange struct {
	Language string // of the texts; one of [Languages]
	Title    string
	Body     string
	State    *State
}

// ChangePage changes a page and tells of it. It is false for a key that is unknown, and for texts of what is deleted.
func (w *World) ChangePage(key string, change PageChange) bool {
	return w.changing(func() bool {
		now := *w.sold.Load()
		i := slices.IndexFunc(now.pages, func(p *Page) bool { return p.Key == key })
		if i < 0 || now.pages[i].Deleted && (change.State == nil || *change.State == Deleted) {
			return false
		}
		now.pages = slices.Clone(now.pages)
		now.pages[i] = now.pages[i].with(change, w.now())
		w.sold.Store(&now)
		return true
	})
}

// with is the page after a change at a time.
func (p *Page) with(change PageChange, at time.Time) *Page {
	next := *p
	next.UpdatedAt = at
	if change.Title != "" {
		next.Title = maps.Clone(p.Title)
		next.Title[change.Language] = change.Title
	}
	if change.Body != "" {
		next.Body = maps.Clone(p.Body)
		next.Body[change.Language] = change.Body
	}
	if change.State != nil {
		next.Published, next.Deleted = *change.State == Published, *change.State == Deleted
	}
	return &next
}

// NameCategory gives a category another name and tells of it. It is false for an id that is unknown and an empty name.
func (w *World) NameCategory(id int, name string) bool {
	return w.changing(func() bool {
		now := *w.sold.Load()
		i := slices.IndexFunc(now.categories, func(c *Category) bool { return c.ID == id })
		if i < 0 || strings.TrimSpace(name) == "" {
			return false
		}
		named := *now.categories[i]
		named.Name, named.UpdatedAt = name, w.now()
		now.categories, now.categoryByID = slices.Clone(now.categories), maps.Clone(now.categoryByID)
		now.categories[i], now.categoryByID[id] = &named, &named
		w.sold.Store(&now)
		return true
	})
}
