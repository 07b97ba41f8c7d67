package pimcore_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/pimcore"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// sent is what a Data Hub got.
type sent struct {
	path   string
	header http.Header
	body   struct {
		Query, OperationName string
		Variables            struct {
			Filter, Language, Fallback string
			First                      *int
			After                      int
		}
	}
}

// recording is a Data Hub that knows nothing and keeps what it was sent.
func recording(t *testing.T, change func(*pimcore.Config)) (commerce.Ports, <-chan sent) {
	t.Helper()
	calls := make(chan sent, 1)
	server := upstreamURL(t, func(w http.ResponseWriter, r *http.Request) {
		s := sent{path: r.URL.Path, header: r.Header}
		_ = json.NewDecoder(r.Body).Decode(&s.body)
		calls <- s
		answering(200, "application/json", `{"data":{"getProductListing":{"edges":[]},"getCategoryListing":{"edges":[]},"getContentPageListing":{"edges":[]}}}`)(w, r)
	})
	cfg := pimcore.Config{
		Config: transport.Config{BaseURL: server, AllowPrivate: true}, APIKey: "a key",
		Languages: []string{"en", "fr", "zh-Hant=zh_Hant", "de-AT=de_AT"},
	}
	change(&cfg)
	ports, err := pimcore.New(cfg, transport.Deps{})
	require.NoError(t, err)
	return ports, calls
}

func TestWhatIsAskedOfTheUpstream(t *testing.T) {
	t.Parallel()
	ports, calls := recording(t, func(c *pimcore.Config) { c.Endpoint, c.ColumnPrefix = "b2c", "o_" })
	evil := commerce.SKU(`A"}]},{"$or":[{"sku":"B`)
	_, err := ports.Catalog.Products(t.Context(), market, []commerce.SKU{"A", evil, "A"})
	require.NoError(t, err)
	got := <-calls
	assert.Equal(t, "/pimcore-graphql-webservices/b2c", got.path)
	assert.Equal(t, "a key", got.header.Get("X-API-Key"))
	assert.Equal(t, "products", got.body.OperationName)
	require.NotNil(t, got.body.Variables.First, "without first the whole table would come")
	assert.GreaterOrEqual(t, *got.body.Variables.First, 2)
	want, err := json.Marshal(map[string]any{"$or": []map[string]string{{"sku": "A"}, {"sku": string(evil)}}})
	require.NoError(t, err)
	assert.JSONEq(t, string(want), got.body.Variables.Filter, "each key once, as data")

	_, err = ports.Content.Pages(t.Context(), market, []commerce.PageID{"home"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"$or":[{"o_key":"home"}]}`, (<-calls).body.Variables.Filter)
}

// A text is asked for in the fallback language only where that is another one.
func TestTextsAreAskedForOnceInTheFallbackLanguage(t *testing.T) {
	t.Parallel()
	ports, calls := recording(t, func(*pimcore.Config) {})
	for locale, times := range map[string]int{"en": 1, "fr": 2, "de": 1} {
		m := market
		m.Locale = locale
		_, err := ports.Catalog.Products(t.Context(), m, []commerce.SKU{"A"})
		require.NoError(t, err)
		got := (<-calls).body
		for _, text := range []string{" name(language:", " description(language:"} {
			assert.Equal(t, times*strings.Count(got.Query, text+" $language)"), strings.Count(got.Query, text), "%s in %s", text, locale)
		}
		assert.Contains(t, got.Query, "defaultLanguage: $fallback", "a variable that nothing uses is refused")
		assert.Equal(t, "en", got.Variables.Fallback)
	}
}

func TestLocalesBecomeThePIMsLanguages(t *testing.T) {
	t.Parallel()
	ports, calls := recording(t, func(*pimcore.Config) {})
	for locale, want := range map[string]string{
		"en": "en", "FR": "fr", "fr-CA": "fr", "zh-Hant": "zh_Hant", "zh-hant-tw": "zh_Hant", "de-AT": "de_AT", "de": "en", "": "en",
	} {
		m := market
		m.Locale = locale
		_, err := ports.Categories.Tree(t.Context(), m)
		require.NoError(t, err)
		got := <-calls
		assert.Equal(t, want, got.body.Variables.Language, locale)
		assert.Equal(t, "en", got.body.Variables.Fallback)
	}
}

func TestTextsFallBackToTheDefaultLanguage(t *testing.T) {
	t.Parallel()
	ports := upstream(t, answering(200, "application/json", `{"data":{"getProductListing":{"edges":[
		{"node":{"sku":"A","name":null,"fallbackName":"mug","description":"une tasse","fallbackDescription":"a mug"}},
		{"node":{"sku":"B","name":null,"fallbackName":null,"description":"","fallbackDescription":"a bowl"}}]}}}`))
	got, err := ports.Catalog.Products(t.Context(), market, []commerce.SKU{"A", "B"})
	require.NoError(t, err)
	assert.Equal(t, "mug", got["A"].Name)
	assert.Equal(t, "une tasse", got["A"].Description)
	assert.Equal(t, "B", got["B"].Name)
	assert.Equal(t, "a bowl", got["B"].Description)
}

func TestWherePicturesAre(t *testing.T) {
	t.Parallel()
	const product = `{"data":{"getProductListing":{"edges":[{"node":{"sku":"A","images":[
		{"image":{"t0":"/Products/v%C3%A9lo 1.jpg","t1":"https://old.example.test/large/1.jpg?v=2"}},
		{"image":{"t0":"javascript:alert(1)","t1":"relative.gif"}},
		{"image":{"t0":null,"t1":""}}, {"image":null}, null]}}]}}}`
	urls := func(public string) []commerce.Rendition {
		server := upstreamURL(t, answering(200, "application/json", product))
		ports, err := pimcore.New(pimcore.Config{
			Config: transport.Config{BaseURL: server + "/pim", AllowPrivate: true}, APIKey: "key",
			Thumbnails: []string{"big=600", "list=150"}, PublicAssetURL: public,
		}, transport.Deps{})
		require.NoError(t, err)
		got, err := ports.Catalog.Products(t.Context(), market, []commerce.SKU{"A"})
		require.NoError(t, err)
		require.Len(t, got["A"].Images, 1, "pictures without a usable address are left out")
		for i, r := range got["A"].Images[0].Renditions {
			if public == "" && i == 0 {
				require.Equal(t, server+"/pim/Products/v%C3%A9lo%201.jpg", r.URL)
			}
		}
		return got["A"].Images[0].Renditions
	}
	assert.Equal(t, []commerce.Rendition{
		{Width: 150, URL: "https://cdn.example.test/a/Products/v%C3%A9lo%201.jpg"},
		{Width: 600, URL: "https://cdn.example.test/a/large/1.jpg?v=2"},
	}, urls("https://cdn.example.test/a"))
	assert.Equal(t, "https://old.example.test/large/1.jpg?v=2", urls("")[1].URL)
}

func TestTreesOfAnyShape(t *testing.T) {
	t.Parallel()
	ports := upstream(t, answering(200, "application/json", `{"data":{"getCategoryListing":{"totalCount":9,"edges":[
		{"node":{"id":"2","index":2,"name":"second","parent":null}},
		{"node":{"id":"1","index":1,"name":"first","parent":{}}},
		{"node":{"id":"11","index":1,"name":"child","parent":{"id":"1"}}},
		{"node":{"id":"11","index":2,"name":"the same again","parent":{"id":"2"}}},
		{"node":{"id":"31","name":"its parent is unpublished","parent":{"id":"30"}}},
		{"node":{"id":"41","name":"loop","parent":{"id":"42"}}},
		{"node":{"id":"42","name":"loop","parent":{"id":"41"}}},
		{"node":{"id":"no id","name":"bad"}},
		{"node":null}]}}}`))
	tree, err := ports.Categories.Tree(t.Context(), market)
	require.NoError(t, err)
	require.Len(t, tree.Roots, 2)
	assert.Equal(t, "first", tree.Roots[0].Name)
	require.Len(t, tree.Roots[0].Children, 1)
	assert.Equal(t, "child", tree.Category("11").Name)
	assert.Empty(t, tree.Roots[1].Children)
	for _, id := range []commerce.CategoryID{"31", "41", "42"} {
		assert.Nil(t, tree.Category(id), id)
	}
}

func TestReviewsAreCountedAndCut(t *testing.T) {
	t.Parallel()
	rows := `null,{"id":"bad","rating":9},{"id":"none","rating":0}`
	for n := range 25 {
		row, err := json.Marshal(map[string]any{"id": string(rune('a' + n)), "rating": 1 + n%5, "date": 1000 + n, "author": "Kim", "email": "kim@example.test"})
		require.NoError(t, err)
		rows += "," + string(row)
	}
	ports := upstream(t, answering(200, "application/json", `{"data":{"getProductListing":{"edges":[{"node":{"sku":"A","reviews":[`+rows+
		`,{"id":"extra","rating":5,"date":1}]}}]}}}`))
	got, err := ports.Reviews.Reviews(t.Context(), market, []commerce.SKU{"A"})
	require.NoError(t, err)
	assert.Equal(t, 26, got["A"].Count)
	assert.InDelta(t, 3.08, got["A"].Average, 1e-9, "80 / 26, two places")
	require.Len(t, got["A"].Reviews, commerce.MaxReviews)
	assert.Equal(t, "y", got["A"].Reviews[0].ID, "newest first")
}

func TestRelatedAreUsableAndOnce(t *testing.T) {
	t.Parallel()
	ports := upstream(t, answering(200, "application/json", `{"data":{"getProductListing":{"edges":[
		{"node":{"sku":"A","related":[{"sku":"C","name":"c","fallbackName":"C","brand":{"name":"Acme"},"images":[{"image":null},{"image":{"t0":"/c_80.png","t1":null}}]},
			null,{"sku":"A"},{},{"sku":"bad sku"},{"sku":"B","name":null,"fallbackName":"Bee","brand":null,"images":[]},{"sku":"C"},{"sku":"D"}]}},
		{"node":{"sku":"B","related":null}}]}}}`))
	got, err := ports.Related.Related(t.Context(), market, []commerce.SKU{"A", "B", "C"})
	require.NoError(t, err)
	require.NotNil(t, got["A"][0].Image)
	assert.Equal(t, map[commerce.SKU][]commerce.RelatedProduct{
		"A": {{SKU: "C", Name: "c", Brand: "Acme", Image: &commerce.Image{Alt: "c", Renditions: got["A"][0].Image.Renditions}}, {SKU: "B", Name: "Bee"}, {SKU: "D", Name: "D"}},
		"B": {},
	}, got)
	assert.Regexp(t, `/c_80\.png$`, got["A"][0].Image.URL(480))
}

func TestVariantsSayInWhatTheyDiffer(t *testing.T) {
	t.Parallel()
	ports := upstream(t, answering(200, "application/json", `{"data":{"getProductListing":{"edges":[
		{"node":{"sku":"A","name":"a","color":"Red","size":"S","variants":[
			{"sku":"A","name":"a","color":"Red","size":"S"},null,{"sku":"B","name":"b","color":"Red","size":"M"},{"sku":"bad sku","size":"L"}]}},
		{"node":{"sku":"C","variants":[{"sku":"C","color":"Red"},{"sku":"D","color":"Red"}]}}]}}}`))
	got, err := ports.Catalog.Products(t.Context(), market, []commerce.SKU{"A", "C"})
	require.NoError(t, err)
	assert.Equal(t, []commerce.Variant{
		{SKU: "A", Name: "a", Options: []commerce.Option{{Code: "size", Value: "S"}}},
		{SKU: "B", Name: "b", Options: []commerce.Option{{Code: "size", Value: "M"}}},
	}, got["A"].Variants)
	assert.Empty(t, got["C"].Variants)
}

func TestBadSettingsAreAllReported(t *testing.T) {
	t.Parallel()
	_, err := pimcore.New(pimcore.Config{
		Config:   transport.Config{BaseURL: "ftp://pim.example.test"},
		Endpoint: "../shop", Languages: []string{"en us"}, Thumbnails: []string{"small"}, ColumnPrefix: "o'", PublicAssetURL: "cdn",
	}, transport.Deps{})
	require.Error(t, err)
	for _, part := range []string{"API_KEY", "BASE_URL", "ENDPOINT", "LANGUAGES", "THUMBNAILS", "COLUMN_PREFIX"} {
		assert.Contains(t, err.Error(), part)
	}
	_, err = pimcore.New(pimcore.Config{Config: transport.Config{BaseURL: "https://pim.example.test"}, APIKey: "k", PublicAssetURL: "cdn"}, transport.Deps{})
	assert.ErrorContains(t, err, "PUBLIC_ASSET_URL")
}
