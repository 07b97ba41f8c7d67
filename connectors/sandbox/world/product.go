package world

import (
	"time"

	"github.com/bojanz/currency"
)

// Product is a thing in the catalog. Texts the data leaves out are empty.
type Product struct {
	ID           int               // from 1; not contiguous
	SKU          string            // the data's ProductNumber
	Published    bool              // shown in the shop
	Deleted      bool              // from the PIM, which has it no more; never published then
	Name         string            // in one language only
	Descriptions map[string]string // by language, see [Languages]; nil for unpublished parts
	Brand        string
	Color        string
	Size         string          // "58", "M"
	SizeUnit     string          // "cm"; empty for clothing sizes
	Weight       string          // decimal text
	WeightUnit   string          // "lb" or "g"
	Class        string          // High, Medium, Low
	Style        string          // Unisex, Men, Women
	Line         string          // Road, Mountain, Touring, Standard
	ListPrice    currency.Amount // USD, two places; 0 for unpublished parts

	SubcategoryID int // of the data; the category's id is 100 more. 0 when there is none
	ModelID       int // products of one model are variants of each other; 0 when there is none
	ModelName     string
	PhotoSmall    string // file name of a picture of about 80 pixels width, see [Photo]
	PhotoLarge    string // the same picture about 240 pixels wide

	SellStart time.Time
	SellEnd   time.Time // zero when open
	UpdatedAt time.Time
	Related   []int // ids of up to 6 published products that go with it
}

// Sold tells whether it is sold in the shop, be it published or not: the data's parts are not.
func (p *Product) Sold() bool { return p.SubcategoryID != 0 }

// Languages are those that descriptions and pages are written in.
var Languages = []string{"en", "fr", "he", "th", "ar", "zh-Hant"}

// Category is a node of the two-level tree: roots have ids 1 to 4, those below
// them 100 more than the data's subcategory id.
type Category struct {
	ID       int
	Key      string // "mountain-bikes"
	Name     string
	ParentID int // 0 for a root

	UpdatedAt time.Time
}

// Review is what somebody wrote of a product.
type Review struct {
	ID        int
	ProductID int
	Author    string
	Email     string
	Rating    int // 1 to 5
	Body      string
	At        time.Time
}

// Page is editorial content.
type Page struct {
	ID        int
	Key       string            // "home"
	Title     map[string]string // by language; English is always there
	Body      map[string]string // by language, paragraphs separated by blank lines
	Image     string            // file name of a large picture; may be empty
	UpdatedAt time.Time
	Published bool
	Deleted   bool // from the PIM; never published then
}

// Products answers the whole catalog by ascending id, unpublished parts and what the PIM deleted included.
func (w *World) Products() []*Product { return w.sold.Load().products }

// Product answers the product with the id, or nil.
func (w *World) Product(id int) *Product { return w.sold.Load().productByID[id] }

// BySKU answers the product with exactly this SKU, or nil.
func (w *World) BySKU(sku string) *Product { return w.sold.Load().productBySKU[sku] }

// Variants answers the published products of a model by id; nil for model 0.
func (w *World) Variants(modelID int) []*Product { return w.sold.Load().productsByModel[modelID] }

// Categories answers the tree as a list, roots first.
func (w *World) Categories() []*Category { return w.sold.Load().categories }

// Category answers the category with the id, or nil.
func (w *World) Category(id int) *Category { return w.sold.Load().categoryByID[id] }

// Reviews answers what was written of a product, newest first.
func (w *World) Reviews(productID int) []Review { return w.reviews[productID] }

// Pages answers the editorial pages by id, unpublished ones included.
func (w *World) Pages() []*Page { return w.sold.Load().pages }

// Page answers the page with the key, or nil.
func (w *World) Page(key string) *Page {
	for _, p := range w.Pages() {
		if p.Key == key {
			return p
		}
	}
	return nil
}
