package pimcore

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// wireVariables are a query's. What is zero is not sent, but for First.
type wireVariables struct {
	Filter   []byte // a JSON text of its own
	First    int
	After    int
	Language string
	Fallback string
}

// body is the request that Data Hub takes: the query, the operation's name, and the variables.
func (v wireVariables) body(doc *document) []byte {
	const others = 128 // what surrounds the filter, whose quotes are escaped
	head := doc.head
	if v.Language == v.Fallback {
		head = doc.once
	}
	b := make([]byte, 0, len(head)+len(v.Filter)+len(v.Filter)/2+others)
	b = append(b, head...)
	if len(v.Filter) > 0 {
		b = append(quick.AppendText(append(b, `"filter":`...), v.Filter), ',')
	}
	b = strconv.AppendInt(append(b, `"first":`...), int64(v.First), 10)
	if v.After != 0 {
		b = strconv.AppendInt(append(b, `,"after":`...), int64(v.After), 10)
	}
	if v.Language != "" {
		b = quick.AppendText(append(b, `,"language":`...), v.Language)
	}
	if v.Fallback != "" {
		b = quick.AppendText(append(b, `,"fallback":`...), v.Fallback)
	}
	return append(b, "}}"...)
}

// wireAnswer is what it answers, always with status 200.
type wireAnswer[T any] struct {
	Errors []wireError            `json:"errors"`
	Data   map[string]*listing[T] `json:"data"` // by root field; each query has one; null when it failed

	// Rows that can be are read one after the other into the same room, below the root, and taken from there.
	root  string
	row   *T
	take  func(*T)
	taken bool // all of them; nothing is in Data then
}

// wireError names where it happened; its message stays out of our errors, as it may repeat data.
type wireError struct {
	Path []json.RawMessage `json:"path"`
}

type listing[T any] struct {
	TotalCount int       `json:"totalCount"`
	Edges      []edge[T] `json:"edges"`
}

type edge[T any] struct {
	Node *T `json:"node"` // null when the workspace forbids it
}

// wireProduct is an object of class Product, as the products query selects it.
type wireProduct struct {
	wireNames

	SKU                 string        `json:"sku"`
	ModificationDate    int64         `json:"modificationDate"` // seconds
	Description         string        `json:"description"`
	FallbackDescription string        `json:"fallbackDescription"`
	Brand               wireBrand     `json:"brand"`      // null is empty
	Categories          []wireNamed   `json:"categories"` // members may be null, which are empty
	Model               string        `json:"model"`
	Color               string        `json:"color"`
	Size                string        `json:"size"`
	SizeUnit            string        `json:"sizeUnit"`
	Class               string        `json:"productClass"`
	Style               string        `json:"style"`
	Line                string        `json:"line"`
	Weight              wireQuantity  `json:"weight"`
	Images              []wireHotspot `json:"images"`
	Variants            []wireVariant `json:"variants"` // members may be null, which are empty

	lists  productLists // what its lists become
	shared *shared      // with the products read before it; nil when encoding/json read it
}

// wireNames are the two texts of a name.
type wireNames struct {
	Name         string `json:"name"`
	FallbackName string `json:"fallbackName"`
}

// wireVariant is a sibling of a product, of which less is asked.
type wireVariant struct {
	wireNames

	SKU   string `json:"sku"`
	Color string `json:"color"`
	Size  string `json:"size"`
	Style string `json:"style"`
}

// wireNamed is a category that a product is in.
type wireNamed struct {
	wireNames

	ID string `json:"id"`
}

type wireBrand struct {
	Name string `json:"name"`
}

type wireQuantity struct {
	Value json.Number `json:"value"`
	Unit  wireUnit    `json:"unit"`
}

type wireUnit struct {
	Abbreviation string `json:"abbreviation"`
}

type wireHotspot struct {
	Image wireAsset `json:"image"`
}

// wireAsset holds a path for each configured thumbnail, by rising alias.
type wireAsset []wirePath

type wirePath struct{ alias, path string }

// UnmarshalJSON reads an object of texts, or null.
func (w *wireAsset) UnmarshalJSON(data []byte) error {
	var paths map[string]string
	if err := json.Unmarshal(data, &paths); err != nil {
		return err
	}
	*w = nil
	for alias, path := range paths {
		*w = append(*w, wirePath{alias, path})
	}
	slices.SortFunc(*w, func(a, b wirePath) int { return compareAliases(a.alias, b.alias) })
	return nil
}

// compareAliases puts t9 before t10.
func compareAliases(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// path is what has the alias; empty when nothing has.
func (w wireAsset) path(alias string) string {
	for _, p := range w {
		if p.alias == alias {
			return p.path
		}
	}
	return ""
}

// wireCategory is an object of class Category.
type wireCategory struct {
	wireNames

	ID                  string    `json:"id"`
	Index               int       `json:"index"`
	Description         string    `json:"description"`
	FallbackDescription string    `json:"fallbackDescription"`
	Parent              *wireRef  `json:"parent"` // {} when it is no category
	Image               wireAsset `json:"image"`
}

type wireRef struct {
	ID string `json:"id"`
}

// wireRelated is a Product with its related products.
type wireRelated struct {
	SKU     string     `json:"sku"`
	Related []wireCard `json:"related"` // members may be null, which are empty

	shared *shared // with the products read before it; nil when encoding/json read it
}

// wireCard is a product of which as much is asked as a card shows.
type wireCard struct {
	wireNames

	SKU    string        `json:"sku"`
	Brand  wireBrand     `json:"brand"` // null is empty
	Images []wireHotspot `json:"images"`

	sizes []commerce.Rendition // of its first picture that has a usable size, if it was made as it was read
}

// wireReviewed is a Product with its reviews.
type wireReviewed struct {
	SKU     string       `json:"sku"`
	Reviews []wireReview `json:"reviews"` // members may be null, which are empty
}

type wireReview struct {
	ID     string `json:"id"`
	Author string `json:"author"`
	Rating int    `json:"rating"`
	Body   string `json:"body"`
	Date   int64  `json:"date"` // seconds
}

// wirePage is an object of class ContentPage.
type wirePage struct {
	Key              string    `json:"key"`
	ModificationDate int64     `json:"modificationDate"` // seconds
	Title            string    `json:"title"`
	FallbackTitle    string    `json:"fallbackTitle"`
	Body             string    `json:"body"`
	FallbackBody     string    `json:"fallbackBody"`
	Image            wireAsset `json:"image"`
}

// wireKeyed is an object of which only the key is asked.
type wireKeyed struct {
	Key string `json:"key"`
}

// seconds turns a Unix time into UTC; 0 means that the PIM does not say.
func seconds(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
