package commerce

import "context"

// Sort is the order of a search.
type Sort string

// The orders of a search. Ties are broken by SKU.
const (
	SortRelevance Sort = "RELEVANCE"
	SortName      Sort = "NAME"
	SortPriceAsc  Sort = "PRICE_ASC"
	SortPriceDesc Sort = "PRICE_DESC"
	SortNewest    Sort = "NEWEST"
)

// Sorts lists every order, for validation.
var Sorts = []Sort{SortRelevance, SortName, SortPriceAsc, SortPriceDesc, SortNewest}

// SearchQuery asks for products. The zero value with First set lists everything.
type SearchQuery struct {
	Text   string // at most MaxText characters; empty lists all
	Filter SearchFilter
	Sort   Sort // empty means relevance with a text, name without
	First  int  // 1 to MaxBatch
	After  string
	// NoFacets leaves the result without Facets, which nobody then counts. Cursors fit
	// searches with and without.
	NoFacets bool
}

// SearchFilter narrows a search. Values of one field are alternatives; fields all have to hold.
type SearchFilter struct {
	Category CategoryID          // products in it or below it
	Facets   map[string][]string // facet code → values: "color" → ["Red", "Blue"]
	PriceMin string              // decimal in the market's currency, list price; empty means open
	PriceMax string
	InStock  bool // only what the search engine believes to be in stock
}

// SearchResult is one page of a search: SKUs only, other ports know the rest.
type SearchResult struct {
	SKUs      []SKU
	Cursors   []string // of each of SKUs, in their order: goes into After to go on right behind it
	Total     int      // all matches
	EndCursor string   // opaque; goes into After. Empty when SKUs is
	HasNext   bool
	Facets    []Facet
}

// Facet is a property to narrow a search by. Counts of a facet that is being
// filtered on are those without its own filter, so that a choice stays open.
type Facet struct {
	Code   string // "color", "category", "price"
	Label  string
	Values []FacetValue
}

// FacetValue is one choice of a [Facet].
type FacetValue struct {
	Value    string // goes into SearchFilter.Facets
	Label    string
	Count    int
	Selected bool
}

// Search finds products.
type Search interface {
	// Search answers one page. An unknown cursor is an [InputError] on "after";
	// an unknown facet is one on "filter".
	Search(ctx context.Context, m Market, q SearchQuery) (*SearchResult, error)
}
