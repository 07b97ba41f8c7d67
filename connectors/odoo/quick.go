package odoo

import (
	"slices"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// Answers of which there are many, or that are long, read in one pass. What they do not
// read is read by encoding/json.

// rows are an answer's records.
type rows[T record] []T

// ReadQuick implements [quick.Value] for records that do; of others it reads nothing.
func (l *rows[T]) ReadQuick(r *quick.Reader) bool {
	if _, able := any((*T)(nil)).(quick.Value); !able {
		return false
	}
	list := rows[T]{}
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
		case "name":
			field, w.Name = 2, quickText(r)
		case "product_tmpl_id":
			field, w.Template = 3, quickRelation(r)
		case "categ_id":
			field, w.Category = 4, quickRelation(r)
		case "currency_id":
			field, w.Currency = 5, quickRelation(r)
		case "sale_ok":
			field, w.Sellable = 6, r.Bool()
		case "lst_price":
			field, w.Price = 7, quickNumber(r)
		case "standard_price":
			field, w.Standard = 8, quickNumber(r)
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
			field, w.Product = 1, quickRelation(r)
		case "location_id":
			field, w.Location = 2, quickRelation(r)
		case "quantity":
			field, w.Quantity = 3, quickNumber(r)
		case "reserved_quantity":
			field, w.Reserved = 4, quickNumber(r)
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
	if r.False() || r.Null() {
		return w
	}
	if !r.Array() || !r.More() {
		r.Fail()
		return w
	}
	w.ID = recordID(r.Int())
	if !r.More() {
		r.Fail()
		return w
	}
	w.Name = r.Text()
	if r.More() {
		r.Fail()
	}
	return w
}

// quickNumber reads a number and nothing else.
func quickNumber(r *quick.Reader) number {
	data := r.Number()
	if !isDecimal(data) && !numberPattern.Match(data) {
		r.Fail()
		return ""
	}
	return number(data)
}
