package bffweb

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

const productPage = `query Page($sku: String!) {
  product(sku: $sku) {
    sku name description brand updatedAt
    images(width: 100) { url alt }
    attributes { code label value unit }
    categories { id name }
    price(quantity: 2) { quantity unit { amount currency formatted } list { amount } tiers { minQuantity unit { amount } } }
    availability { quantity inStock locations { locationId name quantity } }
    reviews { count average items { id author rating body createdAt } }
    related { sku name price { unit { formatted } } availability { inStock } }
    variants { sku name options { code value } product { sku price { unit { amount } } } }
  }
}`

func TestProductPage(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.ok(t, productPage, map[string]any{"sku": "MUG-RED"})
	golden(t, "product", a.Raw)
	assert.Equal(t, "max-age=0", a.Header.Get("Cache-Control"))
	assert.Equal(t, "en", a.Header.Get("Content-Language"))
	assert.Equal(t, "USD", a.Header.Get("X-Currency"))
}

func TestProductPageInAnotherMarket(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.ok(t, `{product(sku:"MUG-RED"){name price{unit{amount currency formatted}}}}`, nil, header{"X-Channel", "eu"})
	assert.JSONEq(t, `{"data":{"product":{"name":"Tasse rouge","price":{"unit":{"amount":"12.50","currency":"EUR","formatted":"12,50\u00a0€"}}}}}`, a.Raw)
	assert.Equal(t, "fr", a.Header.Get("Content-Language"))
}

func TestUnknownProductIsNullWithoutError(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.ok(t, productPage, map[string]any{"sku": "NO-SUCH-SKU"})
	assert.JSONEq(t, `{"data":{"product":null}}`, a.Raw)
	a = s.ok(t, `{products(skus:["NO-SUCH-SKU","MUG-RED","MUG-RED"]){sku price{unit{amount}}}}`, nil)
	assert.JSONEq(t, `{"data":{"products":[null,{"sku":"MUG-RED","price":{"unit":{"amount":"12.50"}}},{"sku":"MUG-RED","price":{"unit":{"amount":"12.50"}}}]}}`, a.Raw)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.ok(t, `query($f: SearchFilterInput) {
	  search(text: "mug", filter: $f, sort: PRICE_ASC, first: 1) {
	    totalCount pageInfo { hasNextPage endCursor }
	    facets { code label values { value label count selected } }
	    nodes { sku price { unit { formatted } } }
	    edges { cursor node { name } }
	  }
	}`, map[string]any{"f": map[string]any{"facets": []any{map[string]any{"code": "color", "values": []any{"Red", "Blue"}}}}})
	golden(t, "search", a.Raw)
	end := at(t, a.Data, "search", "pageInfo", "endCursor")
	a = s.ok(t, `query($after: String) { search(text: "mug", first: 1, after: $after) { nodes { sku } pageInfo { hasNextPage } } }`, map[string]any{"after": end})
	assert.Equal(t, false, at(t, a.Data, "search", "pageInfo", "hasNextPage"))
}

func TestCategories(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.ok(t, `{
	  categories { id name children { id name description image { url } } }
	  category(id: "kitchen") { name breadcrumbs { id name } products(first: 2) { totalCount nodes { sku availability { quantity } } } }
	  none: category(id: "nowhere") { name }
	}`, nil)
	golden(t, "categories", a.Raw)
}

// listing asks for everything a list can show, nested and aliased.
const listing = `query($skus: [String!]!, $more: [String!]!) {
  products(skus: $skus) { ...Card variants { product { sku price { unit { amount } } } } related { ...Card related { sku price { unit { amount } } } } }
  more: products(skus: $more) { ...Card bulk: price(quantity: 10) { unit { amount } } }
}
fragment Card on Product { sku price { unit { amount } } availability { quantity } reviews { count } }`

func TestW7_ListsCostOneCallAnOperation(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.ok(t, listing, map[string]any{"skus": []any{"MUG-RED", "MUG-BLUE"}, "more": []any{"VASE-1", "RUG-1"}})
	require.Equal(t, "LAMP-1", at(t, a.Data, "products", 0, "related", 0, "sku"))
	// Both lists in one call; what only their answers name, related products and variants, in one more.
	assert.LessOrEqual(t, s.Calls(commerce.OpProducts), 2)
	assert.LessOrEqual(t, s.Calls(commerce.OpPrices), 2)
	assert.LessOrEqual(t, s.Calls(commerce.OpAvailability), 2)
	assert.LessOrEqual(t, s.Calls(commerce.OpReviews), 2)
	assert.LessOrEqual(t, s.Calls(commerce.OpRelated), 2)

	s.ResetCalls()
	s.ok(t, `{search(first:6){nodes{sku price{unit{amount}} availability{quantity} reviews{count}} edges{node{price(quantity:3){unit{amount}}}}}}`, nil)
	for _, op := range []commerce.Operation{commerce.OpSearch, commerce.OpProducts, commerce.OpPrices, commerce.OpAvailability, commerce.OpReviews} {
		assert.Equal(t, 1, s.Calls(op), op)
	}
}

func TestW7_APageAsksAllPortsAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	// Every port waits until all have been asked: asked one after the other they would wait until the deadline.
	ops := []commerce.Operation{commerce.OpProducts, commerce.OpPrices, commerce.OpAvailability, commerce.OpReviews, commerce.OpRelated}
	meet := newMeeting(len(ops))
	for _, op := range ops {
		s.Hold(op, meet.wait)
	}
	a := s.query(t, `{product(sku:"LAMP-1"){name price{unit{amount}} availability{quantity} reviews{count} related{sku}}}`, nil)
	assert.Equal(t, http.StatusOK, a.Status)
	assert.Empty(t, a.Errors, a.Raw)
}
