package pimcore

import (
	"encoding/json"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// shared is what products of an answer have in common, which is read, made and kept once:
// those of one model have the same variants, and often the same picture and description.
type shared struct {
	pictures     *pictures
	asset        wireAsset // room
	brands       quick.Lately[string]
	descriptions quick.Lately[string]
	categories   quick.Lately[[]commerce.CategoryRef]
	renditions   quick.Lately[[]commerce.Rendition]
	variants     quick.Lately[[]commerce.Variant]
}

func (s *shared) forget() {
	s.asset = emptied(s.asset)
	s.brands.Forget()
	s.descriptions.Forget()
	s.categories.Forget()
	s.renditions.Forget()
	s.variants.Forget()
}

// newProductRoom is room for products with such pictures.
func newProductRoom(p *pictures) *wireProduct { return &wireProduct{shared: &shared{pictures: p}} }

func (w *wireProduct) empty() {
	*w = wireProduct{
		shared: w.shared, Categories: w.Categories[:0], Variants: w.Variants[:0],
		lists: productLists{images: w.lists.images[:0]},
	}
}

func (w *wireProduct) forget() {
	*w = wireProduct{
		shared: w.shared, Categories: emptied(w.Categories), Variants: emptied(w.Variants),
		lists: productLists{images: emptied(w.lists.images)},
	}
	w.shared.forget()
}

// ReadQuick implements [quick.Value].
func (w *wireProduct) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field, read := w.readName(r, name)
		if !read {
			field, read = w.readText(r, name)
		}
		if !read {
			field, read = w.readList(r, name)
		}
		switch {
		case read:
		case string(name) == "modificationDate":
			field, w.ModificationDate = 16, r.Int()
		case string(name) == "weight":
			field = 17
			orNull(r, &w.Weight)
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// readText reads the text that is called name, and answers its field's number.
func (w *wireProduct) readText(r *quick.Reader, name []byte) (field int, read bool) {
	var to *string
	switch string(name) {
	case "sku":
		field, to = firstOwn, &w.SKU
	case "description":
		w.Description = w.shared.description(r)
		return 3, true
	case "fallbackDescription":
		w.FallbackDescription = w.shared.description(r)
		return 4, true
	case "model":
		field, to = 5, &w.Model
	case "color":
		field, to = 6, &w.Color
	case "size":
		field, to = 7, &w.Size
	case "sizeUnit":
		field, to = 8, &w.SizeUnit
	case "productClass":
		field, to = 9, &w.Class
	case "style":
		field, to = 10, &w.Style
	case "line":
		field, to = 11, &w.Line
	default:
		return 0, false
	}
	*to = r.Text()
	return field, true
}

// readList reads what is called name and became what it is in one of the products before, as often as not.
func (w *wireProduct) readList(r *quick.Reader, name []byte) (field int, read bool) {
	s := w.shared
	switch string(name) {
	case "brand":
		w.Brand.Name = s.brand(r)
		return 12, true
	case "categories":
		w.lists.categories = again(r, &s.categories, func() []commerce.CategoryRef {
			w.Categories = listOf(r, w.Categories)
			return categoriesOf(w.Categories)
		})
		return 13, true
	case "variants":
		w.lists.variants = again(r, &s.variants, func() []commerce.Variant {
			w.Variants = listOf(r, w.Variants)
			return variants(w.Variants)
		})
		return 14, true
	case "images":
		s.readImages(r, func(sizes []commerce.Rendition) { w.lists.images = append(w.lists.images, sizes) })
		return 15, true
	default:
		return 0, false
	}
}

// again is what was made lately of a value like the next one, else what is made of it now.
func again[T any](r *quick.Reader, lately *quick.Lately[T], read func() T) T {
	if made, ok := lately.Again(r); ok {
		return made
	}
	here := r.Here()
	made := read()
	lately.Keep(r, here, made)
	return made
}

func (s *shared) description(r *quick.Reader) string { return again(r, &s.descriptions, r.Text) }

func (s *shared) brand(r *quick.Reader) string {
	return again(r, &s.brands, func() string {
		var w wireBrand
		orNull(r, &w)
		return w.Name
	})
}

// readImages reads pictures, which may be null, and hands over the sizes of those that have a usable one.
func (s *shared) readImages(r *quick.Reader, take func([]commerce.Rendition)) {
	if r.Null() {
		return
	}
	for r.Array(); r.More(); {
		if r.Null() {
			continue
		}
		var seen uint64
		r.Object()
		for name := r.Next(); name != nil; name = r.Next() {
			if string(name) != "image" || !r.Once(&seen, 0) {
				r.Fail()
				return
			}
			if sizes := again(r, &s.renditions, func() []commerce.Rendition { return s.sizes(r) }); len(sizes) > 0 {
				take(sizes)
			}
		}
	}
}

// sizes reads an asset, which may be null.
func (s *shared) sizes(r *quick.Reader) []commerce.Rendition {
	s.asset = s.asset[:0]
	orNull(r, &s.asset)
	return s.pictures.renditions(s.asset)
}

// ReadQuick implements [quick.Value].
func (w *wireBrand) ReadQuick(r *quick.Reader) bool { return oneText(r, "name", &w.Name) }

// ReadQuick implements [quick.Value].
func (w *wireVariant) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field, read := w.readName(r, name)
		switch {
		case read:
		case string(name) == "sku":
			field, w.SKU = firstOwn, r.Text()
		case string(name) == "color":
			field, w.Color = 3, r.Text()
		case string(name) == "size":
			field, w.Size = 4, r.Text()
		case string(name) == "style":
			field, w.Style = 5, r.Text()
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// ReadQuick implements [quick.Value].
func (w *wireNamed) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field, read := w.readName(r, name)
		switch {
		case read:
		case string(name) == "id":
			field, w.ID = firstOwn, r.Text()
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
			w.Value = json.Number(r.NumberText())
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
func (w *wireAsset) ReadQuick(r *quick.Reader) bool {
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		alias := known(name)
		if n := len(*w); n > 0 && compareAliases((*w)[n-1].alias, alias) >= 0 {
			return r.Fail()
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
