package pimcore

import (
	"encoding/json"

	"github.com/portico-bff/portico/connectors/quick"
)

// Answers that are long, read in one pass. What they do not read is read by encoding/json:
// an answer with errors, for one.

// ReadQuick implements [quick.Value] for nodes that do; of others it reads nothing.
func (w *wireAnswer[T]) ReadQuick(r *quick.Reader) bool {
	if _, able := any(new(T)).(quick.Value); !able {
		return false
	}
	r.Object()
	if string(r.Next()) != "data" {
		return r.Fail()
	}
	r.Object()
	name := r.Next()
	if name == nil {
		return r.Fail()
	}
	w.Data = map[string]*listing[T]{}
	if root := string(name); r.Null() {
		w.Data[root] = nil
	} else {
		list := &listing[T]{}
		w.Data[root] = list
		list.read(r)
	}
	for range 2 { // the end of data, and of the answer
		if r.Next() != nil {
			return r.Fail()
		}
	}
	return r.OK()
}

func (w *listing[T]) read(r *quick.Reader) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		switch string(name) {
		case "totalCount":
			w.TotalCount = int(r.Int())
			r.Once(&seen, 0)
		case "edges":
			r.Once(&seen, 1)
			if r.Null() {
				continue
			}
			w.Edges = []edge[T]{}
			var room nodes[T]
			for r.Array(); r.More(); {
				w.Edges = append(w.Edges, readEdge(r, &room))
			}
		default:
			r.Fail()
		}
	}
}

// nodes are made a few at a time: all of them live as long as their answer.
type nodes[T any] struct {
	room []T
	made int
}

func (n *nodes[T]) next() *T {
	const most = 16
	if len(n.room) == 0 {
		n.room = make([]T, min(max(n.made, 1), most))
	}
	node := &n.room[0]
	n.room = n.room[1:]
	n.made++
	return node
}

func readEdge[T any](r *quick.Reader, room *nodes[T]) (e edge[T]) {
	r.Object()
	name := r.Next()
	switch {
	case string(name) != "node":
		r.Fail()
	case r.Null():
	default:
		e.Node = room.next()
		if node, ok := any(e.Node).(quick.Value); !ok || !node.ReadQuick(r) {
			r.Fail()
		}
	}
	if r.Next() != nil {
		r.Fail()
	}
	return e
}

// The kinds of lists in a node.
const (
	ofCategories = iota
	ofImages
	ofVariants
	ofReviews
	ofRelated
)

// listOf reads an array whose members may be null, which are empty; null is none.
func listOf[T any, V interface {
	*T
	quick.Value
}](r *quick.Reader, kind int) []T {
	if r.Null() {
		return nil
	}
	list := make([]T, 0, r.Room(kind))
	for r.Array(); r.More(); {
		var empty T
		list = append(list, empty)
		orNull(r, V(&list[len(list)-1]))
	}
	r.Had(kind, len(list))
	return list
}

// orNull reads v, or null.
func orNull(r *quick.Reader, v quick.Value) {
	if !r.Null() {
		v.ReadQuick(r)
	}
}

// ReadQuick implements [quick.Value].
func (w *wireProduct) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field, text, like := w.textField(name)
		if text != nil {
			*text = r.TextLike(like)
			r.Once(&seen, field)
			continue
		}
		switch string(name) {
		case "modificationDate":
			field, w.ModificationDate = 16, r.Int()
		case "brand":
			field = 17
			orNull(r, &w.Brand)
		case "categories":
			field, w.Categories = 18, listOf[wireNamed](r, ofCategories)
		case "weight":
			field = 19
			orNull(r, &w.Weight)
		case "images":
			field, w.Images = 20, listOf[wireHotspot](r, ofImages)
		case "variants":
			field, w.Variants = 21, listOf[wireVariant](r, ofVariants)
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// textField is where a text belongs, its number, and what it is likely to be; nil when name is no text.
func (w *wireProduct) textField(name []byte) (field int, text *string, like string) {
	switch string(name) {
	case "sku":
		return 0, &w.SKU, ""
	case "name":
		return 1, &w.Name, ""
	case "fallbackName":
		return 2, &w.FallbackName, w.Name
	case "description":
		return 3, &w.Description, ""
	case "fallbackDescription":
		return 4, &w.FallbackDescription, w.Description
	case "model":
		return 5, &w.Model, ""
	case "color":
		return 6, &w.Color, ""
	case "size":
		return 7, &w.Size, ""
	case "sizeUnit":
		return 8, &w.SizeUnit, ""
	case "productClass":
		return 9, &w.Class, ""
	case "style":
		return 10, &w.Style, ""
	case "line":
		return 11, &w.Line, ""
	default:
		return 0, nil, ""
	}
}

// ReadQuick implements [quick.Value].
func (w *wireVariant) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "sku":
			w.SKU = r.Text()
		case "name":
			field, w.Name = 1, r.Text()
		case "fallbackName":
			field, w.FallbackName = 2, r.TextLike(w.Name)
		case "color":
			field, w.Color = 3, r.Text()
		case "size":
			field, w.Size = 4, r.Text()
		case "style":
			field, w.Style = 5, r.Text()
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// oneText reads an object that has one text, or none.
func oneText(r *quick.Reader, field string, to *string) bool {
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		if string(name) != field || *to != "" {
			return r.Fail()
		}
		*to = r.Text()
	}
	return r.OK()
}

// ReadQuick implements [quick.Value].
func (w *wireBrand) ReadQuick(r *quick.Reader) bool { return oneText(r, "name", &w.Name) }

// ReadQuick implements [quick.Value].
func (w *wireSKU) ReadQuick(r *quick.Reader) bool { return oneText(r, "sku", &w.SKU) }

// ReadQuick implements [quick.Value].
func (w *wireNamed) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "id":
			w.ID = r.Text()
		case "name":
			field, w.Name = 1, r.Text()
		case "fallbackName":
			field, w.FallbackName = 2, r.TextLike(w.Name)
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// ReadQuick implements [quick.Value].
func (w *wireQuantity) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "value":
			w.Value = json.Number(r.Number())
		case "unit":
			field = 1
			if !r.Null() {
				oneText(r, "abbreviation", &w.Unit.Abbreviation)
			}
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// ReadQuick implements [quick.Value].
func (w *wireHotspot) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		if string(name) != "image" || !r.Once(&seen, 0) {
			return r.Fail()
		}
		orNull(r, &w.Image)
	}
	return r.OK()
}

// ReadQuick implements [quick.Value].
func (w *wireAsset) ReadQuick(r *quick.Reader) bool {
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		alias := known(name)
		if n := len(*w); n > 0 && compareAliases((*w)[n-1].alias, alias) >= 0 {
			return r.Fail()
		}
		if *w == nil {
			*w = make(wireAsset, 0, len(firstAliases))
		}
		*w = append(*w, wirePath{alias: alias, path: r.Text()})
	}
	return r.OK()
}

// firstAliases are those of as many sizes as most shops have.
var firstAliases = [...]string{"t0", "t1"}

// known is an alias as a string.
func known(alias []byte) string {
	for _, known := range firstAliases {
		if known == string(alias) {
			return known
		}
	}
	return string(alias)
}

// ReadQuick implements [quick.Value].
func (w *wireReviewed) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "sku":
			w.SKU = r.Text()
		case "reviews":
			field, w.Reviews = 1, listOf[wireReview](r, ofReviews)
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
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

// ReadQuick implements [quick.Value].
func (w *wireRelated) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "sku":
			w.SKU = r.Text()
		case "related":
			field, w.Related = 1, listOf[wireSKU](r, ofRelated)
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}
