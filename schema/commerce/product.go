package commerce

import (
	"context"
	"time"
)

// Product describes what can be bought, in one locale. Price and stock have
// ports of their own: other systems own them.
type Product struct {
	SKU         SKU
	Name        string
	Description string // plain text; may be empty
	Brand       string // may be empty
	Images      []Image
	Attributes  []Attribute
	Categories  []CategoryRef // leaf first is not promised; may be empty
	Variants    []Variant     // siblings that differ in an option, this product included; empty when there are none
	UpdatedAt   time.Time     // zero when the PIM does not say
}

// Image is a picture in the sizes that the PIM holds.
type Image struct {
	Alt        string
	Renditions []Rendition // at least one, by ascending width
}

// Rendition is one size of an [Image].
type Rendition struct {
	Width int    // pixels; 0 means the original
	URL   string // absolute
}

// URL is the smallest rendition at least width pixels wide, else the largest.
// Width 0 asks for the largest.
func (i Image) URL(width int) string {
	if len(i.Renditions) == 0 {
		return ""
	}
	if width > 0 {
		for _, r := range i.Renditions {
			if r.Width >= width {
				return r.URL
			}
		}
	}
	return i.Renditions[len(i.Renditions)-1].URL
}

// Attribute is a property of a product as a shopper reads it.
type Attribute struct {
	Code  string // stable, for programs: "color"
	Label string // for people, in the product's locale where the PIM has it
	Value string
	Unit  string // "kg", "cm"; empty when there is none
}

// Variant is a product that differs from its siblings in its options.
type Variant struct {
	SKU     SKU
	Name    string
	Options []Option
}

// Option is one choice that tells variants apart.
type Option struct {
	Code  string // "size"
	Value string // "42"
}

// CategoryRef names a category a product is in.
type CategoryRef struct {
	ID   CategoryID
	Name string
}

// Catalog describes products.
type Catalog interface {
	// Products answers the published products among skus in the market's locale,
	// texts falling back to the default language. At most [MaxBatch] keys.
	Products(ctx context.Context, m Market, skus []SKU) (map[SKU]*Product, error)
}

// Related suggests products that go with a product.
type Related interface {
	// Related answers, in the PIM's order, the published products that go with each of
	// skus, each once, with texts as [Catalog] answers them. A product without any is
	// present with an empty list; an unknown one is absent. At most [MaxBatch] keys.
	Related(ctx context.Context, m Market, skus []SKU) (map[SKU][]RelatedProduct, error)
}

// RelatedProduct is a product that goes with another, as far as a card shows it: what
// goes with a product can so be shown without asking for each.
type RelatedProduct struct {
	SKU   SKU
	Name  string
	Brand string // may be empty
	Image *Image // nil when there is none
}

// Recommendations suggests products to a shopper.
type Recommendations interface {
	// Recommend answers up to first SKUs for the shopper, best first; seeds may be empty.
	Recommend(ctx context.Context, s Shopper, seeds []SKU, first int) ([]SKU, error)
}
