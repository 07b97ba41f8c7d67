package pimcore

import (
	"sync"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// reviewed are rooms for one row each.
var reviewed = sync.Pool{New: func() any { return &wireReviewed{} }}

func (w *wireReviewed) empty() { *w = wireReviewed{Reviews: w.Reviews[:0]} }

func (w *wireReviewed) forget() { *w = wireReviewed{Reviews: emptied(w.Reviews)} }

// ReadQuick implements [quick.Value].
func (w *wireReviewed) ReadQuick(r *quick.Reader) bool {
	return readWithSKU(r, &w.SKU, "reviews", func() { w.Reviews = listOf(r, w.Reviews) })
}

// readWithSKU reads a row that is a SKU and something called field.
func readWithSKU(r *quick.Reader, sku *string, field string, rest func()) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		number := 0
		switch string(name) {
		case "sku":
			*sku = r.Text()
		case field:
			number = 1
			rest()
		default:
			return r.Fail()
		}
		r.Once(&seen, number)
	}
	return r.OK()
}

// ReadQuick implements [quick.Value].
func (w *wireReview) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "id":
			w.ID = r.Text()
		case "author":
			field, w.Author = 1, r.Text()
		case "rating":
			field, w.Rating = 2, int(r.Int())
		case "body":
			field, w.Body = 3, r.Text()
		case "date":
			field, w.Date = 4, r.Int()
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// newRelatedRoom is room for what goes with products that have such pictures.
func newRelatedRoom(p *pictures) *wireRelated { return &wireRelated{shared: &shared{pictures: p}} }

func (w *wireRelated) empty() { *w = wireRelated{shared: w.shared, Related: w.Related[:0]} }

func (w *wireRelated) forget() {
	*w = wireRelated{shared: w.shared, Related: emptied(w.Related)}
	w.shared.forget()
}

// ReadQuick implements [quick.Value].
func (w *wireRelated) ReadQuick(r *quick.Reader) bool {
	return readWithSKU(r, &w.SKU, "related", func() {
		if r.Null() {
			return
		}
		for r.Array(); r.More(); {
			w.Related = append(w.Related, wireCard{})
			if !r.Null() {
				w.Related[len(w.Related)-1].read(r, w.shared)
			}
		}
	})
}

// read reads a card, some of which is as it was in one before.
func (w *wireCard) read(r *quick.Reader, s *shared) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field, read := w.readName(r, name)
		switch {
		case read:
		case string(name) == "sku":
			field, w.SKU = firstOwn, r.Text()
		case string(name) == "brand":
			field, w.Brand.Name = 3, s.brand(r)
		case string(name) == "images":
			field = 4
			s.readImages(r, func(sizes []commerce.Rendition) {
				if w.sizes == nil {
					w.sizes = sizes
				}
			})
		default:
			r.Fail()
			return
		}
		r.Once(&seen, field)
	}
}
