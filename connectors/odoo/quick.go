package odoo

import (
	"slices"
	"sync"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// Answers of which there are many, or that are long, read in one pass. What they do not
// read is read by encoding/json.

// rows are an answer's records.
type rows[T record] []T

// ReadQuick implements [quick.Value] for records that do; of others it reads nothing. It uses the
// room of the rows that are there.
func (l *rows[T]) ReadQuick(r *quick.Reader) bool {
	if _, able := any((*T)(nil)).(quick.Value); !able {
		return false
	}
	list := (*l)[:0]
	if list == nil {
		list = rows[T]{}
	}
	for r.Array(); r.More(); {
		var zero T
		left := r.Left()
		list = append(list, zero)
		if one, ok := any(&list[len(list)-1]).(quick.Value); !ok || !one.ReadQuick(r) {
			return false
		}
		if len(list) == 1 {
			list = slices.Grow(list, min(r.Left()/max(left-r.Left(), 1), mostRoom))
		}
	}
	*l = list
	return r.OK()
}

// mostRoom is for how many records room is made at once: as many as there are if all are as long as
// the first.
const mostRoom = 2 * commerce.MaxBatch

// scratch is room for rows that nobody keeps: the next answer is read into it.
type scratch[T record] struct{ free sync.Pool }

var (
	priceRows scratch[wirePrice]
	quantRows scratch[wireQuant]
)

// keptRoom is for how many rows room is kept.
const keptRoom = 5 * commerce.MaxBatch

func (s *scratch[T]) take() *rows[T] {
	if l, ok := s.free.Get().(*rows[T]); ok {
		return l
	}
	return new(rows[T])
}

// putBack is called when nothing refers to the rows any more; their texts may be kept.
func (s *scratch[T]) putBack(l *rows[T]) {
	if cap(*l) > keptRoom {
		return
	}
	clear(*l) // what the rows refer to is not kept by them
	*l = (*l)[:0]
	s.free.Put(l)
}

// ReadQuick implements [quick.Value].
func (w *wirePrice) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "id":
			w.ID = recordID(r.Int())
		case "default_code":
			field, w.Code = 1, quickText(r)
		case "product_tmpl_id":
			field, w.Template = 2, quickLink(r)
		case "categ_id":
			field, w.Category = 3, quickLink(r)
		case "currency_id":
			field, w.Currency = 4, quickRelation(r)
		case "sale_ok":
			field, w.Sellable = 5, r.Bool()
		case "lst_price":
			field, w.Price = 6, quickNumber(r)
		case "standard_price":
			field, w.Standard = 7, quickNumber(r)
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// ReadQuick implements [quick.Value].
func (w *wireQuant) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "id":
			w.ID = recordID(r.Int())
		case "product_id":
			field, w.Product = 1, quickLink(r)
		case "location_id":
			field, w.Location = 2, quickRelation(r)
		case "quantity":
			field, w.Quantity = 3, quickQuantity(r)
		case "reserved_quantity":
			field, w.Reserved = 4, quickQuantity(r)
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// quickText reads a string, false or null.
func quickText(r *quick.Reader) text {
	if r.False() {
		return ""
	}
	return text(r.Text())
}

// quickRelation reads [id, name], false or null.
func quickRelation(r *quick.Reader) relation {
	var w relation
	if quickPair(r, &w.ID) {
		w.Name = r.Text()
		endPair(r)
	}
	return w
}

// quickLink reads what quickRelation does, but not the name.
func quickLink(r *quick.Reader) link {
	var w link
	if quickPair(r, &w.ID) {
		if name := r.Raw(); len(name) == 0 || name[0] != '"' && name[0] != 'n' {
			r.Fail()
		}
		endPair(r)
	}
	return w
}

// quickPair reads [id, and tells whether a name has to follow.
func quickPair(r *quick.Reader, id *recordID) bool {
	if r.False() || r.Null() {
		return false
	}
	if !r.Array() || !r.More() {
		return r.Fail()
	}
	*id = recordID(r.Int())
	return r.More() || r.Fail()
}

func endPair(r *quick.Reader) {
	if r.More() {
		r.Fail()
	}
}

// quickNumber reads a number and nothing else.
func quickNumber(r *quick.Reader) number {
	data := r.Number()
	if !isNumber(data) {
		r.Fail()
		return ""
	}
	return number(data)
}

// quickQuantity reads a number and nothing else.
func quickQuantity(r *quick.Reader) quantity {
	q, ok := quantityOf(r.Number())
	if !ok {
		r.Fail()
		return quantity{}
	}
	return q
}
