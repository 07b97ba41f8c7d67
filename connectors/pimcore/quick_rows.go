package pimcore

import (
	"sync"

	"github.com/portico-bff/portico/connectors/quick"
)

// Rooms for one row each.
var (
	reviewed = sync.Pool{New: func() any { return &wireReviewed{} }}
	related  = sync.Pool{New: func() any { return &wireRelated{} }}
)

func (w *wireReviewed) empty() { *w = wireReviewed{Reviews: w.Reviews[:0]} }

func (w *wireReviewed) forget() { *w = wireReviewed{Reviews: emptied(w.Reviews)} }

// ReadQuick implements [quick.Value].
func (w *wireReviewed) ReadQuick(r *quick.Reader) bool {
	return readWithSKU(r, &w.SKU, "reviews", &w.Reviews)
}

// readWithSKU reads a row that is a SKU and a list called field.
func readWithSKU[T any, V interface {
	*T
	quick.Value
}](r *quick.Reader, sku *string, field string, list *[]T) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		number := 0
		switch string(name) {
		case "sku":
			*sku = r.Text()
		case field:
			number, *list = 1, listOf[T, V](r, *list)
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

func (w *wireRelated) empty() { *w = wireRelated{Related: w.Related[:0]} }

func (w *wireRelated) forget() { *w = wireRelated{Related: emptied(w.Related)} }

// ReadQuick implements [quick.Value].
func (w *wireRelated) ReadQuick(r *quick.Reader) bool {
	return readWithSKU(r, &w.SKU, "related", &w.Related)
}

// ReadQuick implements [quick.Value].
func (w *wireSKU) ReadQuick(r *quick.Reader) bool { return oneText(r, "sku", &w.SKU) }
