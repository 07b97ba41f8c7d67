package syncing

import (
	"context"
	"slices"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// longestID is the longest name of a thing, in bytes, behind which a walk can go on.
const longestID = 255

// mostStrides is how often lists are read for one answer: what is listed may not be to be had in
// the market, and however much of that there is, each answer gets further.
const mostStrides = 8

// walk answers what follows c of all there is. Where the last part is at its end, the
// app goes on with what changed since the walk began.
func (s *Catalogue) walk(ctx context.Context, m commerce.Market, c cursor, first int) (*api.Sync, error) {
	var items []api.SyncItem
	for strides := 0; len(items) < first && strides < mostStrides; strides++ {
		found, ended, err := s.stride(ctx, m, &c, first-len(items))
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
		if !ended {
			continue
		}
		if c.phase == products {
			return answer(items, cursor{mode: tailing, market: c.market, at: c.at}, true, s.moved(ctx, c)), nil
		}
		c.phase, c.after = c.phase+1, ""
	}
	return answer(items, c, true, true), nil
}

// moved tells whether something changed since a walk began. That this is not known is no
// reason to fail: the app asks again in any case.
func (s *Catalogue) moved(ctx context.Context, c cursor) bool {
	head, err := s.Journal.Head(ctx)
	return err == nil && head.Epoch == c.at.Epoch && c.at.Before(head)
}

// stride reads up to most items of the phase and moves c on; ended is that there is no more.
func (s *Catalogue) stride(ctx context.Context, m commerce.Market, c *cursor, most int) (items []api.SyncItem, ended bool, err error) {
	switch c.phase {
	case categories:
		tree, err := s.Ports.Categories.Tree(ctx, m)
		if err != nil {
			return nil, false, err
		}
		item, err := treeItem(tree)
		return []api.SyncItem{item}, true, err
	case pages:
		ids, err := s.Ports.Listing.PageIDs(ctx, m, commerce.PageID(c.after), most)
		if err != nil || len(ids) == 0 {
			return nil, true, err
		}
		known, err := s.pages(ctx, m, ids)
		if err == nil {
			items, err = each(ids, known, isPage, pageItem)
		}
		return items, false, move(c, ids, commerce.OpPageIDs, err)
	default:
		skus, err := s.Ports.Listing.SKUs(ctx, m, commerce.SKU(c.after), most)
		if err != nil || len(skus) == 0 {
			return nil, true, err
		}
		known, err := s.products(ctx, m, skus)
		if err == nil {
			items, err = each(skus, known, isProduct, productItem)
		}
		return items, false, move(c, skus, commerce.OpSKUs, err)
	}
}

func isProduct(sku commerce.SKU) bool { return commerce.IsSKU(string(sku)) }

func isPage(id commerce.PageID) bool {
	_, err := commerce.ParsePageID("id", string(id))
	return err == nil
}

// each shows those of ids that are known and that an app could ask for. What was listed
// and is gone by now is told when its change is.
func each[K ~string, V any](ids []K, known map[K]*V, fits func(K) bool, show func(*V) (api.SyncItem, error)) ([]api.SyncItem, error) {
	items := make([]api.SyncItem, 0, len(ids))
	for _, id := range ids {
		value := known[id]
		if value == nil || !fits(id) {
			continue
		}
		item, err := show(value)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// move has c go on behind the last of ids. A list that does not move on would be walked for ever.
func move[K ~string](c *cursor, ids []K, op commerce.Operation, err error) error {
	last := string(ids[len(ids)-1])
	if err == nil && (len(last) > longestID || slices.Contains(ids, K(c.after))) {
		err = &commerce.CallError{System: "listing", Operation: op, Kind: commerce.ErrUpstream, Reason: commerce.ReasonBadAnswer}
	}
	c.after = last
	return err
}
