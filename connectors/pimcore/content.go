package pimcore

import (
	"cmp"
	"context"

	"github.com/portico-bff/portico/schema/commerce"
)

// Pages implements [commerce.Content]. A page's id is its object's key.
func (c *connector) Pages(ctx context.Context, m commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	return byKey(ctx, query[commerce.PageID, wirePage, *commerce.Page]{
		connector: c, op: commerce.OpPages, column: c.prefix + "key",
		key: func(w *wirePage) commerce.PageID { return commerce.PageID(w.Key) }, show: c.page,
		vars: wireVariables{Language: c.languages.of(m.Locale), Fallback: c.languages.fallback},
	}, ids)
}

func (c *connector) page(w *wirePage) *commerce.Page {
	page := &commerce.Page{
		ID: commerce.PageID(w.Key), Title: cmp.Or(w.Title, w.FallbackTitle, w.Key), Body: plainText(cmp.Or(w.Body, w.FallbackBody)),
		UpdatedAt: seconds(w.ModificationDate),
	}
	page.Image = c.pictures.pointer(w.Image, page.Title)
	return page
}
