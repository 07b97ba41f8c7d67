package pimcore_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/pimcore"
	"github.com/portico-bff/portico/connectors/sandbox/world"
)

const endpoint = "/pimcore-graphql-webservices/shop"

func dialect(t *testing.T) http.Handler {
	t.Helper()
	w, err := world.Load()
	require.NoError(t, err)
	return pimcore.New(w, pimcore.Options{})
}

func post(h http.Handler, path string, header http.Header, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for name, values := range header {
		req.Header[name] = values
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

// ask answers the body, which always comes with status 200.
func ask(t *testing.T, h http.Handler, query string, variables map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	rec := post(h, endpoint, http.Header{"X-Api-Key": {"sandbox-pimcore-key"}}, string(body))
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, "application/json", rec.Header().Get("Content-Type"))
	return strings.TrimSpace(rec.Body.String())
}

// listed answers the ids of a product listing with these arguments, and its totalCount.
func listed(t *testing.T, h http.Handler, arguments string) ([]string, int) {
	t.Helper()
	var got struct {
		Errors []struct{ Message string }
		Data   struct {
			List struct {
				TotalCount int
				Edges      []struct{ Node struct{ ID string } }
			}
		}
	}
	text := ask(t, h, "{ list: getProductListing("+arguments+") { totalCount edges { node { id } } } }", nil)
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	require.Empty(t, got.Errors, text)
	ids := []string{}
	for _, e := range got.Data.List.Edges {
		ids = append(ids, e.Node.ID)
	}
	return ids, got.Data.List.TotalCount
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	h := dialect(t)
	const query = `{"query":"{ getProductListing(first: 1) { totalCount } }"}`
	right := "sandbox-pimcore-key"
	cases := map[string]struct {
		path   string
		header http.Header
		status int
	}{
		"apikey":              {endpoint, http.Header{"Apikey": {right}}, 200},
		"X-API-Key":           {endpoint, http.Header{"X-Api-Key": {right}}, 200},
		"query":               {endpoint + "?apikey=" + right, nil, 200},
		"apikey comes first":  {endpoint, http.Header{"Apikey": {"wrong"}, "X-Api-Key": {right}}, 403},
		"wrong key":           {endpoint, http.Header{"X-Api-Key": {"wrong"}}, 403},
		"no key":              {endpoint, nil, 403},
		"other configuration": {"/pimcore-graphql-webservices/other", http.Header{"X-Api-Key": {right}}, 404},
		"other path":          {"/admin", nil, 404},
	}
	for name, c := range cases {
		rec := post(h, c.path, c.header, query)
		assert.Equal(t, c.status, rec.Code, name)
		if c.status != 200 {
			assert.Contains(t, rec.Header().Get("Content-Type"), "text/html", name)
		}
	}
}

func TestListings(t *testing.T) {
	t.Parallel()
	h := dialect(t)
	ids, total := listed(t, h, `tags: ""`)
	assert.Len(t, ids, 295, "without first everything comes")
	assert.Equal(t, 295, total, "unpublished parts are left out")
	_, total = listed(t, h, "first: 1, published: false")
	assert.Equal(t, 504, total)

	ids, total = listed(t, h, `ids: "10771,10680, 10707,4711"`)
	assert.Equal(t, []string{"10680", "10707", "10771"}, ids, "asked ids say nothing about the order")
	assert.Equal(t, 3, total)
	ids, _ = listed(t, h, `fullpaths: "/Products/BK-M82S-38,'/Products/HL-U509-R'"`)
	assert.Equal(t, []string{"10707", "10771"}, ids)
	ids, total = listed(t, h, `first: 2, after: 294`)
	assert.Len(t, ids, 1, "after is a number of rows")
	assert.Equal(t, 295, total)
	ids, _ = listed(t, h, `first: 1, after: 9999`)
	assert.Empty(t, ids)
	ids, _ = listed(t, h, `first: 3, sortBy: ["id"], sortOrder: ["DESC"]`)
	assert.Equal(t, []string{"10999", "10998", "10997"}, ids)
	ids, _ = listed(t, h, `tags: "sale"`)
	assert.Empty(t, ids)
}

func TestFilters(t *testing.T) {
	t.Parallel()
	h := dialect(t)
	cases := map[string]struct {
		filter string
		want   int
	}{
		"equals":              {`{"sku":"HL-U509-R"}`, 1},
		"case does not count": {`{"sku":"hl-u509-r"}`, 1},
		"or":                  {`{"$or":[{"sku":"HL-U509-R"},{"sku":"HL-U509"},{"sku":"NONE"}]}`, 2},
		"and":                 {`{"$and":[{"color":"Red"},{"sku":"HL-U509-R"}]}`, 1},
		"top array is an and": {`[{"color":"Blue"},{"sku":"HL-U509-R"}]`, 0},
		"category":            {`{"categories":{"$like":"%,131,%"}}`, 3},
		"like with one":       {`{"sku":{"$like":"HL-U509__"}}`, 2},
		"notlike":             {`{"categories":{"$like":"%,131,%"},"sku":{"$notlike":"%-R"}}`, 2},
		"null":                {`{"color":null}`, 50},
		"not null":            {`{"color":{"$not":null}}`, 245},
		"notnull":             {`{"color":{"$notnull":1}}`, 245},
		"not":                 {`{"color":{"$not":"Red"}}`, 245 - 38},
		"range":               {`{"id":{"$gte":10707,"$lt":"10709"}}`, 2},
		"gt and lte":          {`{"o_id":{"$gt":10707,"$lte":10709}}`, 2},
		"old column":          {`{"o_key":"HL-U509-R"}`, 1},
		"empty":               {`{}`, 295},
	}
	for name, c := range cases {
		_, total := listed(t, h, fmt.Sprintf("first: 1, filter: %q", c.filter))
		assert.Equal(t, c.want, total, name)
	}
	for _, bad := range []string{`x`, `"sku"`, `{"sku":{"$in":["a"]}}`, `{"$or":{"sku":"a"}}`} {
		text := ask(t, h, fmt.Sprintf(`{ getProductListing(first: 1, filter: %q) { totalCount } }`, bad), nil)
		assert.Contains(t, text, "unable to decode filter", bad)
		assert.Contains(t, text, `"data":{"getProductListing":null}`)
	}
	text := ask(t, h, `{ getProductListing(filter: "{\"price\":1}") { totalCount } }`, nil)
	assert.Contains(t, text, "Unknown column 'price'")
}

func TestObjectsByIDAndPath(t *testing.T) {
	t.Parallel()
	h := dialect(t)
	assert.JSONEq(t, `{"data":{"getProduct":{"id":"10707","sku":"HL-U509-R"}}}`,
		ask(t, h, `query one($id: Int) { getProduct(id: $id) { id sku } }`, map[string]any{"id": 10707}), "Int in, String out")
	assert.JSONEq(t, `{"data":{"getCategory":{"name":"Mountain Bikes","parent":{"__typename":"object_Category","id":"1"}}}}`,
		ask(t, h, `{ getCategory(fullpath: "/Categories/bikes/mountain-bikes") { name parent { __typename ... on element { id } } } }`, nil))
	missing := ask(t, h, `{ getProduct(id: 5) { id } }`, nil)
	assert.Contains(t, missing, `"message":"object with id:'5' not found"`)
	assert.Contains(t, missing, `"path":["getProduct"]`)
	assert.Contains(t, missing, `"data":{"getProduct":null}`)
	assert.Contains(t, ask(t, h, `{ getProduct { id } }`, nil), "either id or fullpath expected")
	assert.JSONEq(t, `{"data":{"getAsset":{"filename":"superlight_silver_large.gif","mimetype":"image/gif"}}}`,
		ask(t, h, `{ getAsset(fullpath: "/assets/superlight_silver_large.gif") { filename mimetype } }`, nil))
}

func TestTextsDoNotFallBack(t *testing.T) {
	t.Parallel()
	h := dialect(t)
	text := ask(t, h, `query texts($l: String) { getProduct(id: 10707, defaultLanguage: "fr") {
		name en: name(language: "en") description he: description(language: $l) } }`, map[string]any{"l": "he"})
	var got struct {
		Data struct {
			GetProduct struct {
				Name            *string
				En, Description string
				He              string
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	p := got.Data.GetProduct
	assert.Nil(t, p.Name)
	assert.Equal(t, "Sport-100 Helmet, Red", p.En)
	assert.NotEmpty(t, p.Description)
	assert.NotEmpty(t, p.He)
	assert.NotEqual(t, p.He, p.Description)
}

func TestRelationsHoldNulls(t *testing.T) {
	t.Parallel()
	h := dialect(t)
	text := ask(t, h, `{ getProductListing { edges { node {
		related { ...sku } reviews { ... on object_Review { rating } } } } } }
		fragment sku on object_Product { sku }`, nil)
	var got struct {
		Data struct {
			GetProductListing struct {
				Edges []struct {
					Node struct{ Related, Reviews []*struct{} }
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	hiddenRelated, hiddenReviews := 0, 0
	for _, e := range got.Data.GetProductListing.Edges {
		for _, r := range e.Node.Related {
			if r == nil {
				hiddenRelated++
			}
		}
		for _, r := range e.Node.Reviews {
			if r == nil {
				hiddenReviews++
			}
		}
	}
	assert.Positive(t, hiddenRelated)
	assert.Positive(t, hiddenReviews)
}

func TestQueriesAreRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	h := dialect(t)
	for name, query := range map[string]string{
		"syntax":           `{ getProduct(id: `,
		"unknown field":    `{ getProduct(id: 10707) { price } }`,
		"wrong type":       `{ getProduct(id: "x") { id } }`,
		"missing variable": `query q($id: Int!) { getProduct(id: $id) { id } }`,
		"no such type":     `{ getProduct(id: 10707) { brand { ... on object_Review { id } } } }`,
		"two operations":   `query a { getProduct(id: 1) { id } } query b { getProduct(id: 1) { id } }`,
	} {
		text := ask(t, h, query, nil)
		assert.Contains(t, text, `"errors":[{"message":`, name)
		assert.NotContains(t, text, `"data"`, name)
	}
	assert.Contains(t, ask(t, h, `{ __schema { types { name } } }`, nil), "introspection is not allowed")
}

func TestSelectionsMergeAndCanBeLeftOut(t *testing.T) {
	t.Parallel()
	h := dialect(t)
	got := ask(t, h, `query s($no: Boolean!) {
		getProduct(id: 10707) { brand { ... on object_Brand { name } } sku @skip(if: $no) key @include(if: $no) }
		getProduct(id: 10707) { brand { __typename } }
	}`, map[string]any{"no": false})
	assert.JSONEq(t, `{"data":{"getProduct":{"brand":{"name":"Fabrikam Gear","__typename":"object_Brand"},"sku":"HL-U509-R"}}}`, got)
}

func TestPicturesCanBeFetchedWhereTheySayTheyAre(t *testing.T) {
	t.Parallel()
	h := dialect(t)
	var got struct {
		Data struct {
			GetProduct struct {
				Images []struct {
					Image struct{ Original, Small, Large, Wide, Odd string }
				}
			}
		}
	}
	text := ask(t, h, `{ getProduct(id: 10771) { images { image {
		original: fullpath small: fullpath(thumbnail: "small") large: fullpath(thumbnail: "large") wide: fullpath(thumbnail: "w960") odd: fullpath(thumbnail: "huge") } } } }`, nil)
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	require.Len(t, got.Data.GetProduct.Images, 1)
	image := got.Data.GetProduct.Images[0].Image
	fetch := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		return rec
	}
	assert.Regexp(t, `^/assets/image-thumb__9\d\d__small/superlight_silver_small\.gif$`, image.Small)
	for _, path := range []string{image.Original, image.Small, image.Large, image.Wide} {
		rec := fetch(path)
		assert.Equal(t, http.StatusOK, rec.Code, path)
		assert.Equal(t, "image/gif", rec.Header().Get("Content-Type"))
		assert.Contains(t, rec.Header().Get("Cache-Control"), "immutable")
	}
	for _, path := range []string{
		image.Odd, "/assets/none.gif", "/assets/", "/assets/image-thumb__1__small/superlight_silver_small.gif",
		strings.Replace(image.Small, "__small", "__tiny", 1), "/assets/image-thumb__908/superlight_silver_small.gif",
	} {
		assert.Equal(t, http.StatusNotFound, fetch(path).Code, path)
	}
}

func TestOperationsHaveNames(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"operationName":"products","query":"query products { getProduct(id: 1) { id } }"}`: "products",
		`{"query":"query named { getProduct(id: 1) { id } }"}`:                               "named",
		`{"query":"{ x: getProduct(id: 1) { id } }"}`:                                        "getProduct",
		`{"query":"{"}`: "invalid",
		`{"query":""}`:  "invalid",
		`{`:             "invalid",
	} {
		req := httptest.NewRequest(http.MethodPost, endpoint, nil)
		assert.Equal(t, want, pimcore.Operation(req, []byte(body)), body)
	}
	req := httptest.NewRequest(http.MethodGet, "/assets/a.gif", nil)
	assert.Equal(t, "asset", pimcore.Operation(req, nil))
}
