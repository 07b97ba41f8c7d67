package pimcore

import (
	"cmp"
	"context"

	"github.com/portico-bff/portico/schema/commerce"
)

// Pages implements [commerce.Content]. A page's id is its object's key.
func (c *connector) Pages(ctx context.Context, m commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	found, err := byKey(ctx, query[commerce.PageID, wirePage]{
		connector: c, op: commerce.OpPages, column: c.prefix + "key",
		key:  func(w *wirePage) commerce.PageID { return commerce.PageID(w.Key) },
		vars: wireVariables{Language: c.languages.of(m.Locale), Fallback: c.languages.fallback},
	}, ids)
	pages := make(map[commerce.PageID]*commerce.Page, len(found))
	for id, w := range found {
		page := &commerce.Page{
			ID: id, Title: cmp.Or(w.Title, w.FallbackTitle, w.Key), Body: plainText(cmp.Or(w.Body, w.FallbackBody)),
			UpdatedAt: seconds(w.ModificationDate),
		}
		page.Image = c.pictures.pointer(w.Image, page.Title)
		pages[id] = page
	}
	return pages, err
}
