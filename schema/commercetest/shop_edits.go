package commercetest

import (
	"slices"

	"github.com/portico-bff/portico/schema/commerce"
)

// shopPage is a page of the shop's, which may be hidden.
type shopPage struct {
	commerce.Page

	hidden bool
}

// Rename gives a product another name, in every language but French, and answers all whose
// descriptions show it: the product and its siblings.
func (s *Shop) Rename(sku commerce.SKU, name string) []commerce.SKU {
	return s.edit(sku, func(g *good) { g.product.Name = name })
}

// Publish has the PIM show a product, or hide it. The other systems sell on. It answers what Rename does.
func (s *Shop) Publish(sku commerce.SKU, published bool) []commerce.SKU {
	return s.edit(sku, func(g *good) { g.hidden = !published })
}

func (s *Shop) edit(sku commerce.SKU, change func(*good)) []commerce.SKU {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.good(sku)
	if g == nil {
		return nil
	}
	change(g)
	about := []commerce.SKU{sku}
	for _, v := range g.product.Variants {
		if !slices.Contains(about, v.SKU) {
			about = append(about, v.SKU)
		}
	}
	return about
}

// WritePage gives a page another text, hidden or not; a page that is unknown is made.
func (s *Shop) WritePage(id commerce.PageID, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := shopPage{Page: commerce.Page{ID: id, Title: string(id), UpdatedAt: opened}}
	if old := s.pages[id]; old != nil {
		page = *old
	}
	page.Body = body
	s.pages[id] = &page
}

// PublishPage has the PIM show a page that is known, or hide it.
func (s *Shop) PublishPage(id commerce.PageID, published bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.pages[id]; old != nil {
		s.pages[id] = &shopPage{Page: old.Page, hidden: !published}
	}
}

// NameCategory gives one of the shop's categories another name, in every language.
func (s *Shop) NameCategory(id commerce.CategoryID, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.named[id] = name
}

// Restock gives a product another number of pieces.
func (s *Shop) Restock(sku commerce.SKU, pieces int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.good(sku); g != nil {
		g.stock = pieces
	}
}

// MoveOrder gives an order another state; those who hold it as it was keep that.
func (s *Shop) MoveOrder(number commerce.OrderNumber, status commerce.OrderStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range s.orders {
		if o.Number == number {
			moved := *o
			moved.Status = status
			s.orders[i] = &moved
		}
	}
}
