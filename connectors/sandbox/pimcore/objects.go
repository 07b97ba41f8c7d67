package pimcore

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// base is what every object has, whatever its class.
type base struct {
	oid      int
	class    string
	parent   any // an object, or nil
	parentID int
	key      string
	full     string
	index    int
	hidden   bool // unpublished
	modified time.Time
}

func (b *base) id() int          { return b.oid }
func (b *base) path() string     { return b.full }
func (b *base) published() bool  { return !b.hidden }
func (b *base) typename() string { return "object_" + b.class }

// system answers the fields of every class.
func (b *base) system(name string) (value any, known bool) {
	switch name {
	case "id":
		return strconv.Itoa(b.oid), true
	case "classname":
		return b.class, true
	case "creationDate", "modificationDate":
		return b.modified.Unix(), true
	case "objectType":
		return "object", true
	case "index":
		return b.index, true
	case "parent":
		return b.parent, true
	case "fullpath":
		return b.full, true
	case "key":
		return b.key, true
	case "published":
		return b.published(), true
	default:
		return nil, false
	}
}

// systemColumn answers the columns of every class, by their names since Pimcore 11 and before it.
func (b *base) systemColumn(name string) (text string, set, known bool) {
	switch strings.TrimPrefix(name, "o_") {
	case "id":
		return strconv.Itoa(b.oid), true, true
	case "parentId":
		return strconv.Itoa(b.parentID), true, true
	case "key":
		return b.key, true, true
	case "path":
		return strings.TrimSuffix(b.full, b.key), true, true
	case "index":
		return strconv.Itoa(b.index), true, true
	case "published":
		return flag(b.published()), true, true
	case "creationDate", "modificationDate":
		return strconv.FormatInt(b.modified.Unix(), 10), true, true
	default:
		return "", false, false
	}
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// column answers a class column: an empty text is NULL.
func column(text string) (value string, set, known bool) { return text, text != "", true }

// orNull makes an empty text null, as Pimcore writes fields that were never filled.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// localized answers a localized field; there is no fallback between languages.
func localized(texts map[string]string, args arguments, language string) any {
	if asked := args.text("language"); asked != "" {
		language = asked
	}
	return orNull(texts[language])
}

type product struct {
	base
	p        *world.Product
	repo     *repository
	category *category
	brand    *brand
	image    *asset // nil without a picture
}

func (o *product) column(name string) (string, bool, bool) {
	switch name {
	case "sku":
		return column(o.p.SKU)
	case "name":
		return column(o.p.Name)
	case "brand__id":
		return column(strconv.Itoa(o.brand.oid))
	case "categories":
		if o.category == nil {
			return "", false, true
		}
		return column("," + strconv.Itoa(o.category.oid) + ",")
	case "model":
		return column(o.p.ModelName)
	case "color":
		return column(o.p.Color)
	case "size":
		return column(o.p.Size)
	case "productClass":
		return column(o.p.Class)
	case "style":
		return column(o.p.Style)
	case "line":
		return column(o.p.Line)
	default:
		return o.systemColumn(name)
	}
}

func (o *product) field(name string, args arguments, language string) any {
	if value, known := o.system(name); known {
		return value
	}
	if value, known := o.relation(name); known {
		return value
	}
	switch name {
	case "sku":
		return o.p.SKU
	case "name":
		return localized(map[string]string{defaultLanguage: o.p.Name}, args, language)
	case "description":
		return localized(o.p.Descriptions, args, language)
	case "model":
		return orNull(o.p.ModelName)
	case "color":
		return orNull(o.p.Color)
	case "size":
		return orNull(o.p.Size)
	case "sizeUnit":
		return orNull(o.p.SizeUnit)
	case "productClass":
		return orNull(o.p.Class)
	case "style":
		return orNull(o.p.Style)
	case "line":
		return orNull(o.p.Line)
	case "weight":
		if o.p.Weight == "" {
			return nil
		}
		return quantity{value: o.p.Weight, unit: o.p.WeightUnit}
	default:
		return nil // a field without a value is null
	}
}

// relation answers the fields that lead to other objects. Some lists hold a null: an
// element that the workspace does not show.
func (o *product) relation(name string) (value any, known bool) {
	switch name {
	case "brand":
		return o.brand, true
	case "categories":
		if o.category == nil {
			return []any{}, true
		}
		return []any{o.category}, true
	case "variants":
		return o.variants(), true
	case "related":
		return o.related(), true
	case "reviews":
		return o.reviews(), true
	case "mainImage":
		if o.image == nil {
			return nil, true
		}
		return o.image, true
	case "images":
		if o.image == nil {
			return []any{}, true
		}
		return []any{hotspot{o.image}}, true
	default:
		return nil, false
	}
}

// variants are all products of the model, this one included; none when it is the only one.
func (o *product) variants() []any {
	ids := o.repo.models[o.p.ModelID]
	if len(ids) < 2 {
		return []any{}
	}
	members := make([]any, len(ids))
	for i, id := range ids {
		members[i] = o.repo.product(id)
	}
	return members
}

func (o *product) related() []any {
	members := []any{}
	for i, id := range o.p.Related {
		if i == 1 && o.p.ID%7 == 0 {
			members = append(members, nil)
		}
		if other := o.repo.product(id); other != nil && other.published() {
			members = append(members, other)
		}
	}
	return members
}

func (o *product) reviews() []any {
	members := []any{}
	for i, r := range o.repo.reviewsOf[o.p.ID] {
		if i == 0 && o.p.ID%11 == 0 {
			members = append(members, nil)
		}
		members = append(members, r)
	}
	return members
}

type quantity struct{ value, unit string }

func (quantity) typename() string { return "QuantityValue" }

func (q quantity) field(name string, _ arguments, _ string) any {
	switch name {
	case "value":
		return json.Number(q.value)
	case "unit":
		return unit(q.unit)
	default:
		return q.value + " " + q.unit
	}
}

type unit string

func (unit) typename() string { return "QuantityValueUnit" }

func (u unit) field(name string, _ arguments, _ string) any {
	if name == "longname" {
		return map[unit]string{"lb": "Pound", "g": "Gram"}[u]
	}
	return string(u)
}

type category struct {
	base
	name     string
	children []any
}

func (o *category) column(name string) (string, bool, bool) {
	if name == "name" {
		return column(o.name)
	}
	return o.systemColumn(name)
}

func (o *category) field(name string, args arguments, language string) any {
	if value, known := o.system(name); known {
		return value
	}
	switch name {
	case "name":
		return localized(map[string]string{defaultLanguage: o.name}, args, language)
	case "children":
		return o.children
	default:
		return nil // a field without a value is null
	}
}

type brand struct {
	base
	name string
}

func (o *brand) column(name string) (string, bool, bool) {
	if name == "name" {
		return column(o.name)
	}
	return o.systemColumn(name)
}

func (o *brand) field(name string, _ arguments, _ string) any {
	if value, known := o.system(name); known {
		return value
	}
	if name == "name" {
		return o.name
	}
	return nil // a field without a value is null
}

type review struct {
	base
	r world.Review
}

func (o *review) column(name string) (string, bool, bool) {
	switch name {
	case "author":
		return column(o.r.Author)
	case "rating":
		return column(strconv.Itoa(o.r.Rating))
	default:
		return o.systemColumn(name)
	}
}

func (o *review) field(name string, _ arguments, _ string) any {
	if value, known := o.system(name); known {
		return value
	}
	switch name {
	case "author":
		return o.r.Author
	case "email":
		return o.r.Email
	case "rating":
		return o.r.Rating
	case "body":
		return o.r.Body
	default:
		return o.r.At.Unix() // date
	}
}

type contentPage struct {
	base
	p     *world.Page
	image *asset
}

func (o *contentPage) column(name string) (string, bool, bool) {
	if name == "title" {
		return column(o.p.Title[defaultLanguage])
	}
	return o.systemColumn(name)
}

func (o *contentPage) field(name string, args arguments, language string) any {
	if value, known := o.system(name); known {
		return value
	}
	switch name {
	case "title":
		return localized(o.p.Title, args, language)
	case "body":
		return localized(o.p.Body, args, language)
	default:
		if o.image == nil {
			return nil
		}
		return o.image
	}
}

// folder is where objects lie in Pimcore's tree.
type folder struct {
	oid  int
	full string
}

func (folder) typename() string { return "_object_folder" }

func (f folder) field(name string, _ arguments, _ string) any {
	switch name {
	case "id":
		return strconv.Itoa(f.oid)
	case "classname":
		return "folder"
	default:
		return f.full
	}
}
