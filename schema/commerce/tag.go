package commerce

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Tag names something that cached answers were made of, so that all of them can
// be dropped together when it changes: "product:BK-M68B-38", "categories". It is
// 1 to [MaxTag] visible ASCII characters, safe in a log and in a header, and never
// holds anything about a person.
type Tag string

// MaxTag is the length of the longest tag, in bytes.
const MaxTag = 128

// The tags without a subject.
const (
	// TagCategories is every answer about the category tree.
	TagCategories Tag = "categories"
	// TagSearch is every answer of the search.
	TagSearch Tag = "search"
	// TagReference is no answer but what answers are computed from: price rules, ids and
	// the like that connectors keep of their systems. It goes with the tags of the
	// answers and before them; see [WithReference].
	TagReference Tag = "reference"
	// TagAll is every answer there is.
	TagAll Tag = "all"
)

// TagSKU is everything about a SKU, whichever system it is from: its product record,
// relations, reviews, prices and stock.
func TagSKU(sku SKU) Tag { return TagOf("sku", string(sku)) }

// TagProduct is a product's record: texts, attributes, pictures, relations. Neither its
// prices nor its stock, which other systems know.
func TagProduct(sku SKU) Tag { return TagOf("product", string(sku)) }

// TagPrice is a product's prices, in every market, group and quantity.
func TagPrice(sku SKU) Tag { return TagOf("price", string(sku)) }

// TagStock is a product's availability, in every market.
func TagStock(sku SKU) Tag { return TagOf("stock", string(sku)) }

// TagReviews is a product's reviews.
func TagReviews(sku SKU) Tag { return TagOf("reviews", string(sku)) }

// TagRelated is what goes with a product.
func TagRelated(sku SKU) Tag { return TagOf("related", string(sku)) }

// TagPage is a page of content.
func TagPage(id PageID) Tag { return TagOf("page", string(id)) }

// TagCategory is the products in a category.
func TagCategory(id CategoryID) Tag { return TagOf("category", string(id)) }

// TagOrder is an order, wherever it is known: by the number that the checkout gave it. No
// answer is kept of orders; the tag tells who watches one.
func TagOrder(number OrderNumber) Tag { return TagOf("order", string(number)) }

// TagOperation is every answer of an operation.
func TagOperation(op Operation) Tag { return TagOf("op", string(op)) }

// TagSystem is every answer of a kind of system: "odoo".
func TagSystem(kind string) Tag { return TagOf("system", kind) }

// TagOf is the tag of a subject of a kind: TagOf("product", "A") is TagProduct("A").
// It is valid whatever the subject holds: one that is too long or not visible ASCII
// is named by its hash, the same for who stores and for who invalidates.
func TagOf(kind, subject string) Tag {
	if plain(kind, subject) {
		return Tag(kind + ":" + subject)
	}
	var room [MaxTag]byte
	return Tag(AppendTag(room[:0], kind, subject))
}

// AppendTag is [TagOf] at the end of b.
func AppendTag(b []byte, kind, subject string) []byte {
	b = append(append(b, kind...), ':')
	if plain(kind, subject) {
		return append(b, subject...)
	}
	sum := sha256.Sum256([]byte(subject))
	return base64.RawURLEncoding.AppendEncode(append(b, '#'), sum[:])
}

// plain tells whether a tag of kind may hold subject as it is.
func plain(kind, subject string) bool {
	return len(kind)+1+len(subject) <= MaxTag && visible(subject)
}

// WithReference puts [TagReference] before tags that somebody named by hand where
// what connectors keep may be as old as the answers: of prices, of all about a SKU, of
// whole operations. A system's own events name what they touched exactly and do not
// need it.
func WithReference(tags []Tag) []Tag {
	for _, tag := range tags {
		switch kind, _, _ := strings.Cut(string(tag), ":"); kind {
		case "price", "sku", "op":
			return append([]Tag{TagReference}, tags...)
		}
	}
	return tags
}

// visible tells whether text is ASCII without spaces and control characters.
func visible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// ParseTag checks a tag that came from outside: 1 to [MaxTag] visible ASCII
// characters. Its error is an [InputError] on "tags".
func ParseTag(text string) (Tag, error) {
	if text == "" || len(text) > MaxTag || !visible(text) {
		return "", malformed("tags", "a tag of 1 to 128 visible ASCII characters")
	}
	return Tag(text), nil
}
