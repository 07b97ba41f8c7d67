package pimcore

import (
	"regexp"
	"strings"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// The documents, one an operation; the name of each is what the PIM's log shows. "first" is always
// sent: without it Data Hub answers the whole table. Texts are asked twice, because localized
// fields do not fall back by themselves.
const (
	productsQuery = `query products($filter: String, $first: Int, $language: String, $fallback: String) {
  getProductListing(filter: $filter, first: $first, defaultLanguage: $fallback) { edges { node {
    sku modificationDate
    name(language: $language) fallbackName: name(language: $fallback)
    description(language: $language) fallbackDescription: description(language: $fallback)
    brand { ... on object_Brand { name } }
    categories { ... on object_Category { id name(language: $language) fallbackName: name(language: $fallback) } }
    model color size sizeUnit productClass style line
    weight { value unit { abbreviation } }
    images { image { THUMBNAILS } }
    variants { ... on object_Product { sku name(language: $language) fallbackName: name(language: $fallback) color size style } }
  } } }
}`

	relatedQuery = `query related($filter: String, $first: Int, $language: String, $fallback: String) {
  getProductListing(filter: $filter, first: $first, defaultLanguage: $fallback) { edges { node { sku
    related { ... on object_Product {
      sku
      name(language: $language) fallbackName: name(language: $fallback)
      brand { ... on object_Brand { name } }
      images { image { THUMBNAILS } }
    } }
  } } }
}`

	reviewsQuery = `query reviews($filter: String, $first: Int) {
  getProductListing(filter: $filter, first: $first) { edges { node { sku
    reviews { ... on object_Review { id author rating body date } }
  } } }
}`

	categoriesQuery = `query categories($first: Int, $after: Int, $language: String, $fallback: String) {
  getCategoryListing(first: $first, after: $after, defaultLanguage: $fallback) { totalCount edges { node {
    id index
    name(language: $language) fallbackName: name(language: $fallback)
    description(language: $language) fallbackDescription: description(language: $fallback)
    parent { ... on object_Category { id } }
    image { THUMBNAILS }
  } } }
}`

	pagesQuery = `query pages($filter: String, $first: Int, $language: String, $fallback: String) {
  getContentPageListing(filter: $filter, first: $first, defaultLanguage: $fallback) { edges { node {
    key modificationDate
    title(language: $language) fallbackTitle: title(language: $fallback)
    body(language: $language) fallbackBody: body(language: $fallback)
    image { THUMBNAILS }
  } } }
}`

	// Rows of one key are in the order of their ids.
	skusQuery = `query skus($filter: String, $first: Int, $after: Int) {
  getProductListing(filter: $filter, first: $first, after: $after, sortBy: ["sku", "PREFIXid"], sortOrder: ["ASC", "ASC"]) { edges { node { key: sku } } }
}`

	pageIDsQuery = `query pageIds($filter: String, $first: Int, $after: Int) {
  getContentPageListing(filter: $filter, first: $first, after: $after, sortBy: ["PREFIXkey", "PREFIXid"], sortOrder: ["ASC", "ASC"]) { edges { node { key } } }
}`
)

// document is what an operation sends, and where its answer is. Nobody changes it.
type document struct {
	traits commerce.Traits

	name  string // the operationName, by which a call can be told apart on the wire
	root  string // the one root field
	head  []byte // of every body: all before its variables
	once  []byte // the same where the language is the fallback: texts are asked for once
	whole bool   // a listing in which a row is broken is of no use
}

// fallbacks are the fields of a query that ask for a text in the default language.
var fallbacks = regexp.MustCompile(` fallback[A-Za-z]+: [a-z]+\(language: \$fallback\)`)

// before is what a body that asks query has before its variables.
func (d document) before(query string) []byte {
	head := quick.AppendText([]byte(`{"query":`), query)
	head = quick.AppendText(append(head, `,"operationName":`...), d.name)
	return append(head, `,"variables":{`...)
}

// documents are the queries for the configured sizes of pictures; prefix is that of system columns.
func documents(p *pictures, prefix string, all map[commerce.Operation]commerce.Traits) map[commerce.Operation]*document {
	sized := func(query string) string {
		return strings.ReplaceAll(query, "THUMBNAILS", p.selection())
	}
	const products, categories, pages = "getProductListing", "getCategoryListing", "getContentPageListing"
	list := map[commerce.Operation]*document{}
	write := func(op commerce.Operation, d document, query string) {
		d.traits, d.head, d.once = all[op], d.before(query), d.before(fallbacks.ReplaceAllString(query, ""))
		list[op] = &d
	}
	write(commerce.OpProducts, document{name: "products", root: products}, sized(productsQuery))
	write(commerce.OpRelated, document{name: "related", root: products}, sized(relatedQuery))
	write(commerce.OpReviews, document{name: "reviews", root: products}, reviewsQuery)
	write(commerce.OpCategoryTree, document{name: "categories", root: categories, whole: true}, sized(categoriesQuery))
	write(commerce.OpPages, document{name: "pages", root: pages}, sized(pagesQuery))
	write(commerce.OpSKUs, document{name: "skus", root: products, whole: true}, strings.ReplaceAll(skusQuery, "PREFIX", prefix))
	write(commerce.OpPageIDs, document{name: "pageIds", root: pages, whole: true}, strings.ReplaceAll(pageIDsQuery, "PREFIX", prefix))
	return list
}
