package syncing

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/schema/commerce"
)

// Catalogue tells apps what is for sale, and what changed in it. It is safe for
// concurrent use.
type Catalogue struct {
	Ports   commerce.Ports // cached; Catalog, Categories, Content and Listing are set
	Journal events.Journal
}

// Page answers up to first items, 1 to [commerce.MaxBatch], in a market: from the
// beginning without since, else what follows the answer whose next it is. Everything in
// an answer is current, or there is none and the app asks again. Its errors are a
// [commerce.InputError] on "since", [events.ErrExpired] when the app has to begin anew,
// and the ports' own.
func (s *Catalogue) Page(ctx context.Context, m commerce.Market, since string, first int) (*api.Sync, error) {
	ctx = commerce.WithStaleUpTo(ctx, 0)
	if since == "" {
		at, err := s.Journal.Head(ctx)
		if err != nil {
			return nil, err
		}
		return s.walk(ctx, m, cursor{mode: walking, market: marketOf(m), at: at, phase: categories}, first)
	}
	c, err := parse(since)
	switch {
	case err != nil:
		return nil, err
	case c.market != marketOf(m):
		return nil, &commerce.InputError{Field: "since", Code: commerce.CodeInvalid, Message: "belongs to another market; keep one per X-Channel, language and X-Country"}
	case c.mode == tailing:
		return s.tail(ctx, m, c, first)
	}
	if err := s.Journal.Await(ctx, c.at); err != nil {
		return nil, err
	}
	return s.walk(ctx, m, c, first)
}

// answer is an answer that ends at a cursor.
func answer(items []api.SyncItem, at cursor, full, more bool) *api.Sync {
	if items == nil {
		items = []api.SyncItem{}
	}
	return &api.Sync{Full: full, More: more, Next: at.String(), Items: items}
}

// products reads products; those that are not for sale are not among them.
func (s *Catalogue) products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	if len(skus) == 0 {
		return nil, nil //nolint:nilnil // nothing was asked for
	}
	return s.Ports.Catalog.Products(ctx, m, skus)
}

// pages reads pages of content; those that are not published are not among them.
func (s *Catalogue) pages(ctx context.Context, m commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // nothing was asked for
	}
	return s.Ports.Content.Pages(ctx, m, ids)
}
