package elasticsearch

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// sourceDoc is what was indexed for a product. Price is by currency, Description by language.
type sourceDoc struct {
	SKU           string                 `json:"sku"`
	Name          string                 `json:"name"`
	Description   map[string]string      `json:"description"`
	Brand         string                 `json:"brand,omitempty"`
	CategoryIDs   []string               `json:"category_ids"`
	CategoryNames []string               `json:"category_names"`
	CategoryFacet []string               `json:"category_facet"`
	Color         string                 `json:"color,omitempty"`
	Size          string                 `json:"size,omitempty"`
	Style         string                 `json:"style,omitempty"`
	Class         string                 `json:"class,omitempty"`
	Line          string                 `json:"product_line,omitempty"`
	Weight        json.Number            `json:"weight,omitempty"`
	Price         map[string]json.Number `json:"price"`
	InStock       bool                   `json:"in_stock"`
	Rating        json.Number            `json:"rating,omitempty"`
	UpdatedAt     time.Time              `json:"updated_at"`
	SellStart     time.Time              `json:"sell_start"`
}

// stockField is the one field that is asked of the world each time.
const stockField = "in_stock"

// document is a product in the index.
type document struct {
	id     string
	source sourceDoc // but for InStock
	fields map[string][]value
	tokens map[string][]string
	free   func() int
}

// mapping is the type of field; fields by language and currency are dynamic.
func mapping(field string) kind {
	switch field {
	case "sku", "name.sort", "brand", "category_ids", "category_facet", "color", "size", "style", "class", "product_line", "_id":
		return keyword
	case "sku.search":
		return folded
	case "name", "brand.text", "category_names", "color.text":
		return text
	case "weight", "rating":
		return double
	case stockField:
		return boolean
	case "updated_at", "sell_start":
		return date
	}
	if language, ok := strings.CutPrefix(field, "description."); ok && slices.Contains(world.Languages, language) {
		return text
	}
	if code, ok := strings.CutPrefix(field, "price."); ok && len(code) == 3 {
		return double
	}
	return unmapped
}

// documents indexes every published product, by id.
func documents(w *world.World) []*document {
	var docs []*document
	for _, p := range w.Products() {
		if p.Published {
			docs = append(docs, newDocument(w, p))
		}
	}
	slices.SortFunc(docs, func(a, b *document) int { return strings.Compare(a.id, b.id) })
	return docs
}

func newDocument(w *world.World, p *world.Product) *document {
	d := &document{
		id:     p.SKU,
		source: sourceOf(w, p),
		fields: map[string][]value{}, tokens: map[string][]string{},
		free: func() int { return w.Free(p.ID) },
	}
	s := &d.source
	for field, texts := range map[string][]string{
		"_id": {s.SKU}, "sku": {s.SKU}, "name.sort": {s.Name}, "brand": {s.Brand}, "color": {s.Color}, "size": {s.Size}, "style": {s.Style},
		"class": {s.Class}, "product_line": {s.Line}, "category_ids": s.CategoryIDs, "category_facet": s.CategoryFacet,
		"sku.search": {strings.ToLower(s.SKU)},
	} {
		d.addTexts(field, texts)
	}
	d.tokens["name"] = analyze(s.Name)
	d.tokens["brand.text"] = analyze(s.Brand)
	d.tokens["color.text"] = analyze(s.Color)
	d.tokens["category_names"] = analyze(strings.Join(s.CategoryNames, " "))
	for language, description := range s.Description {
		d.tokens["description."+language] = analyze(description)
	}
	d.addNumber("weight", s.Weight)
	d.addNumber("rating", s.Rating)
	for code, price := range s.Price {
		d.addNumber("price."+code, price)
	}
	d.fields["updated_at"] = []value{{number: s.UpdatedAt.UnixMilli()}}
	d.fields["sell_start"] = []value{{number: s.SellStart.UnixMilli()}}
	return d
}

func (d *document) addTexts(field string, texts []string) {
	for _, s := range texts {
		if s != "" {
			d.fields[field] = append(d.fields[field], value{text: s})
		}
	}
}

func (d *document) addNumber(field string, n json.Number) {
	if number, ok := scaled(n.String()); ok {
		d.fields[field] = []value{{number: number}}
	}
}

// values are what the document holds in a field that is not a text.
func (d *document) values(field string) []value {
	if field == stockField {
		return []value{truth(d.free() > 0)}
	}
	return d.fields[field]
}

// current is the source with the stock of now.
func (d *document) current() sourceDoc {
	s := d.source
	s.InStock = d.free() > 0
	return s
}

func sourceOf(w *world.World, p *world.Product) sourceDoc {
	s := sourceDoc{
		SKU: p.SKU, Name: p.Name, Description: p.Descriptions, Brand: p.Brand, Color: p.Color, Size: p.Size,
		Style: p.Style, Class: p.Class, Line: p.Line, Weight: json.Number(p.Weight),
		Price: map[string]json.Number{}, Rating: rating(w.Reviews(p.ID)), UpdatedAt: p.UpdatedAt.UTC(), SellStart: p.SellStart.UTC(),
	}
	for c := categoryOf(w, p); c != nil; c = w.Category(c.ParentID) {
		id := strconv.Itoa(c.ID)
		s.CategoryIDs = append(s.CategoryIDs, id)
		s.CategoryNames = append(s.CategoryNames, c.Name)
		s.CategoryFacet = append(s.CategoryFacet, id+"|"+c.Name)
	}
	for _, code := range w.Currencies() {
		if price, ok := w.UnitPrice(p.ID, world.Retail, code, 1); ok {
			s.Price[code] = json.Number(price.Number())
		}
	}
	return s
}

// categoryOf is the category that a product is in, which is below a root; nil for parts.
func categoryOf(w *world.World, p *world.Product) *world.Category {
	const subcategories = 100 // categories below the roots begin there
	return w.Category(subcategories + p.SubcategoryID)
}

// rating is the reviews' average with two places; empty without reviews.
func rating(reviews []world.Review) json.Number {
	if len(reviews) == 0 {
		return ""
	}
	sum := 0
	for _, r := range reviews {
		sum += r.Rating
	}
	average := math.Round(float64(sum) / float64(len(reviews)) * 100)
	return json.Number(decimal(int64(average) * scale / 100))
}
