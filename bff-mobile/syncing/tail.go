package syncing

import (
	"context"
	"strings"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/schema/commerce"
)

const (
	// mostRead is how many changes are read at once …
	mostRead = 500
	// … and how often for one answer: most changes are about prices and stock, and tell an app nothing.
	mostReads = 4
)

// subject is what a change is about.
type subject struct {
	kind api.SyncItemKind
	id   string
}

// tail answers what changed behind c.
func (s *Catalogue) tail(ctx context.Context, m commerce.Market, c cursor, first int) (*api.Sync, error) {
	list := gathering{broad: s.broad(), most: first, known: map[subject]bool{}, at: c}
	more := true
	for reads := 0; more && !list.full && reads < mostReads; reads++ {
		found, err := s.Journal.Since(ctx, list.at.at, mostRead)
		if err != nil {
			return nil, err
		}
		for _, told := range found.List {
			if err := list.add(told); err != nil {
				return nil, err
			}
		}
		if more = found.More; !list.full {
			list.at = cursor{mode: tailing, market: c.market, at: found.At, skip: list.at.skip}
		}
	}
	items, err := s.items(ctx, m, list.subjects)
	if err != nil {
		return nil, err
	}
	return answer(items, list.at, false, more || list.full), nil
}

// gathering is what changes are about, each thing once, until there are enough.
type gathering struct {
	broad    map[commerce.Tag]bool // what may be about anything
	most     int
	known    map[subject]bool
	subjects []subject
	at       cursor // behind what was gathered
	full     bool
}

// add gathers a change, or as much of it as there is room for. [events.ErrExpired] is
// that it may be about anything.
func (g *gathering) add(told events.Told) error {
	if g.full {
		return nil
	}
	for i, tag := range told.Tags {
		if g.broad[tag] {
			return events.ErrExpired
		}
		what, ok := subjectOf(tag)
		if !ok || g.known[what] || uint64(i) < g.at.skip {
			continue
		}
		if len(g.subjects) == g.most {
			g.full, g.at.skip = true, uint64(i)
			return nil
		}
		g.known[what] = true
		g.subjects = append(g.subjects, what)
	}
	g.at.at, g.at.skip = told.At, 0
	return nil
}

// subjectOf is what a tag is about, of what apps are told.
func subjectOf(tag commerce.Tag) (subject, bool) {
	kind, id, _ := strings.Cut(string(tag), ":")
	switch kind {
	case "product", "sku":
		return subject{api.SyncKindProduct, id}, isProduct(commerce.SKU(id))
	case "page":
		return subject{api.SyncKindPage, id}, isPage(commerce.PageID(id))
	case "categories", "category":
		return subject{api.SyncKindCategories, treeID}, true
	}
	return subject{api.SyncKindCategories, treeID}, tag == commerce.TagOperation(commerce.OpCategoryTree)
}

// broad are the tags of changes that may be about any product or page.
func (s *Catalogue) broad() map[commerce.Tag]bool {
	tags := map[commerce.Tag]bool{commerce.TagAll: true}
	for _, op := range []commerce.Operation{commerce.OpProducts, commerce.OpPages} {
		tags[commerce.TagOperation(op)] = true
	}
	for _, op := range []commerce.Operation{commerce.OpProducts, commerce.OpPages, commerce.OpCategoryTree, commerce.OpSKUs, commerce.OpPageIDs} {
		tags[commerce.TagSystem(s.Ports.Traits[op].System)] = true
	}
	return tags
}

// items are subjects as they are now, in their order.
func (s *Catalogue) items(ctx context.Context, m commerce.Market, subjects []subject) ([]api.SyncItem, error) {
	var skus []commerce.SKU
	var ids []commerce.PageID
	for _, what := range subjects {
		switch what.kind {
		case api.SyncKindProduct:
			skus = append(skus, commerce.SKU(what.id))
		case api.SyncKindPage:
			ids = append(ids, commerce.PageID(what.id))
		}
	}
	known, err := s.products(ctx, m, skus)
	if err != nil {
		return nil, err
	}
	content, err := s.pages(ctx, m, ids)
	if err != nil {
		return nil, err
	}
	items := make([]api.SyncItem, len(subjects))
	for i, what := range subjects {
		switch product, page := known[commerce.SKU(what.id)], content[commerce.PageID(what.id)]; {
		case what.kind == api.SyncKindCategories:
			items[i], err = s.tree(ctx, m)
		case what.kind == api.SyncKindProduct && product != nil:
			items[i], err = productItem(product)
		case what.kind == api.SyncKindPage && page != nil:
			items[i], err = pageItem(page)
		default:
			items[i] = gone(what.kind, what.id)
		}
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (s *Catalogue) tree(ctx context.Context, m commerce.Market) (api.SyncItem, error) {
	tree, err := s.Ports.Categories.Tree(ctx, m)
	if err != nil {
		return api.SyncItem{}, err
	}
	return treeItem(tree)
}
