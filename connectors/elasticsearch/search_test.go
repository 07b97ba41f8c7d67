package elasticsearch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/elasticsearch"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

var us = commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}

// shop is a connector and the sandbox it searches.
func shop(t *testing.T) (commerce.Search, *sandboxtest.Sandbox) {
	t.Helper()
	box := sandboxtest.Start(t)
	return connect(t, settings(box.URL+"/elasticsearch")), box
}

func search(t *testing.T, port commerce.Search, q commerce.SearchQuery) *commerce.SearchResult {
	t.Helper()
	if q.First == 0 {
		q.First = commerce.MaxBatch
	}
	got, err := port.Search(t.Context(), us, q)
	require.NoError(t, err)
	return got
}

func facet(t *testing.T, r *commerce.SearchResult, code string) commerce.Facet {
	t.Helper()
	i := slices.IndexFunc(r.Facets, func(f commerce.Facet) bool { return f.Code == code })
	require.GreaterOrEqual(t, i, 0, code)
	return r.Facets[i]
}

func TestTexts(t *testing.T) {
	t.Parallel()
	port, _ := shop(t)
	for _, c := range []struct{ name, text, first string }{
		{"a word of the name", "helmet", "HL-U509"},
		{"words in any order", "red helmet", "HL-U509-R"},
		{"a plural", "helmets", "HL-U509"},
		{"a typing error", "hemlet", "HL-U509"},
		{"a SKU", "BK-M82S-38", "BK-M82S-38"},
		{"a SKU in lower case", "bk-m82s-38", "BK-M82S-38"},
		{"around it blanks", "  helmet ", "HL-U509"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := search(t, port, commerce.SearchQuery{Text: c.text})
			require.NotEmpty(t, got.SKUs)
			assert.True(t, strings.HasPrefix(string(got.SKUs[0]), c.first), got.SKUs)
		})
	}
	assert.Empty(t, search(t, port, commerce.SearchQuery{Text: `"}]} {"match_all":{} !!!`}).SKUs, "a text is only ever a text")
	assert.Empty(t, search(t, port, commerce.SearchQuery{Text: "!?"}).SKUs)
}

func TestTextsInTheMarketsLanguage(t *testing.T) {
	t.Parallel()
	port, _ := shop(t)
	french := us
	french.Locale = "fr-CA"
	query := commerce.SearchQuery{Text: "vététiste amateur", First: 5}
	inFrench, err := port.Search(t.Context(), french, query)
	require.NoError(t, err)
	assert.Positive(t, inFrench.Total)
	assert.Zero(t, search(t, port, query).Total)
}

func TestFilters(t *testing.T) {
	t.Parallel()
	port, box := shop(t)
	all := search(t, port, commerce.SearchQuery{})
	assert.Equal(t, 295, all.Total)
	w := box.Server.World
	t.Run("a category holds what lies below it", func(t *testing.T) {
		bikes := search(t, port, commerce.SearchQuery{Filter: commerce.SearchFilter{Category: "1"}})
		mountain := search(t, port, commerce.SearchQuery{Filter: commerce.SearchFilter{Category: "101"}})
		assert.Equal(t, 97, bikes.Total)
		assert.Positive(t, mountain.Total)
		assert.Less(t, mountain.Total, bikes.Total)
		assert.Zero(t, search(t, port, commerce.SearchQuery{Filter: commerce.SearchFilter{Category: "nowhere"}}).Total)
	})
	t.Run("prices are bounds that count", func(t *testing.T) {
		exact := search(t, port, commerce.SearchQuery{Filter: commerce.SearchFilter{PriceMin: "34.99", PriceMax: "34.99"}})
		require.NotEmpty(t, exact.SKUs)
		assert.Contains(t, exact.SKUs, commerce.SKU("HL-U509-R"))
		for _, sku := range exact.SKUs {
			assert.Equal(t, "34.99", w.BySKU(string(sku)).ListPrice.Number())
		}
		above := search(t, port, commerce.SearchQuery{Filter: commerce.SearchFilter{PriceMin: "34.9901", PriceMax: "35"}})
		assert.NotContains(t, above.SKUs, commerce.SKU("HL-U509-R"))
	})
	t.Run("in stock", func(t *testing.T) {
		stocked := search(t, port, commerce.SearchQuery{Filter: commerce.SearchFilter{InStock: true}})
		assert.Less(t, stocked.Total, all.Total)
		for _, sku := range stocked.SKUs {
			assert.Positive(t, w.Free(w.BySKU(string(sku)).ID))
		}
	})
}

func TestChosenFacetsStayOpen(t *testing.T) {
	t.Parallel()
	port, _ := shop(t)
	open := search(t, port, commerce.SearchQuery{})
	labels := map[string]string{}
	for _, v := range facet(t, open, "category").Values {
		labels[v.Value] = v.Label
	}
	assert.Equal(t, "Mountain Bikes", labels["101"])

	filter := commerce.SearchFilter{Facets: map[string][]string{"color": {"Red"}, "price": {"500-1000", "2000-"}}}
	got := search(t, port, commerce.SearchQuery{Filter: filter})
	onlyPrice := search(t, port, commerce.SearchQuery{Filter: commerce.SearchFilter{Facets: map[string][]string{"price": {"500-1000", "2000-"}}}})
	onlyRed := search(t, port, commerce.SearchQuery{Filter: commerce.SearchFilter{Facets: map[string][]string{"color": {"Red"}}}})

	red, dear := 0, 0
	for _, v := range facet(t, got, "color").Values {
		assert.Equal(t, v.Value == "Red", v.Selected)
		if v.Selected {
			red = v.Count
		}
	}
	for _, v := range facet(t, got, "price").Values {
		if v.Selected {
			dear += v.Count
		}
	}
	assert.Equal(t, got.Total, red, "colors are counted within the prices chosen")
	assert.Equal(t, got.Total, dear, "prices are counted within the color chosen")
	assert.Len(t, facet(t, got, "color").Values, len(facet(t, onlyPrice, "color").Values))
	assert.Len(t, facet(t, got, "price").Values, len(facet(t, onlyRed, "price").Values))

	none := search(t, port, commerce.SearchQuery{Filter: commerce.SearchFilter{Facets: map[string][]string{"color": {"Mauve"}}}})
	assert.Zero(t, none.Total)
	mauve := facet(t, none, "color").Values
	assert.Equal(t, commerce.FacetValue{Value: "Mauve", Label: "Mauve", Selected: true}, mauve[len(mauve)-1], "what was chosen can be unchosen")
}

func TestOrders(t *testing.T) {
	t.Parallel()
	port, box := shop(t)
	w := box.Server.World
	for _, order := range []commerce.Sort{commerce.SortPriceAsc, commerce.SortPriceDesc} {
		got := search(t, port, commerce.SearchQuery{Sort: order})
		assert.True(t, slices.IsSortedFunc(got.SKUs, func(a, b commerce.SKU) int {
			c, err := w.BySKU(string(a)).ListPrice.Cmp(w.BySKU(string(b)).ListPrice)
			require.NoError(t, err)
			if order == commerce.SortPriceDesc {
				c = -c
			}
			if c == 0 {
				return strings.Compare(string(a), string(b))
			}
			return c
		}), order)
	}
	newest := search(t, port, commerce.SearchQuery{Sort: commerce.SortNewest})
	assert.True(t, slices.IsSortedFunc(newest.SKUs, func(a, b commerce.SKU) int {
		return w.BySKU(string(b)).SellStart.Compare(w.BySKU(string(a)).SellStart)
	}))
	named := search(t, port, commerce.SearchQuery{})
	assert.Equal(t, named.SKUs, search(t, port, commerce.SearchQuery{Sort: commerce.SortName}).SKUs)
}

func TestN14_BadInputCostsNoCall(t *testing.T) {
	t.Parallel()
	port, box := shop(t)
	page := search(t, port, commerce.SearchQuery{First: 3})
	box.ResetCalls(t)
	facets := func(code string, values ...string) commerce.SearchFilter {
		return commerce.SearchFilter{Facets: map[string][]string{code: values}}
	}
	for name, c := range map[string]struct {
		query commerce.SearchQuery
		field string
	}{
		"long text":                    {commerce.SearchQuery{First: 1, Text: strings.Repeat("é", 201)}, "text"},
		"broken text":                  {commerce.SearchQuery{First: 1, Text: "\xff"}, "text"},
		"no rows":                      {commerce.SearchQuery{}, "first"},
		"too many rows":                {commerce.SearchQuery{First: 101}, "first"},
		"unknown order":                {commerce.SearchQuery{First: 1, Sort: "RANDOM"}, "sort"},
		"bad category":                 {commerce.SearchQuery{First: 1, Filter: commerce.SearchFilter{Category: "a/b"}}, "filter.category"},
		"price with an exponent":       {commerce.SearchQuery{First: 1, Filter: commerce.SearchFilter{PriceMin: "1e3"}}, "filter.priceMin"},
		"negative price":               {commerce.SearchQuery{First: 1, Filter: commerce.SearchFilter{PriceMax: "-1"}}, "filter.priceMax"},
		"price with a leading zero":    {commerce.SearchQuery{First: 1, Filter: commerce.SearchFilter{PriceMax: "007"}}, "filter.priceMax"},
		"price too fine":               {commerce.SearchQuery{First: 1, Filter: commerce.SearchFilter{PriceMax: "1.00001"}}, "filter.priceMax"},
		"prices the wrong way round":   {commerce.SearchQuery{First: 1, Filter: commerce.SearchFilter{PriceMin: "10", PriceMax: "9.99"}}, "filter.priceMax"},
		"unknown facet":                {commerce.SearchQuery{First: 1, Filter: facets("weight", "1")}, "filter"},
		"unknown price range":          {commerce.SearchQuery{First: 1, Filter: facets("price", "10-20")}, "filter"},
		"too many choices":             {commerce.SearchQuery{First: 1, Filter: facets("color", make([]string, 51)...)}, "filter"},
		"long choice":                  {commerce.SearchQuery{First: 1, Filter: facets("color", strings.Repeat("x", 201))}, "filter"},
		"garbage cursor":               {commerce.SearchQuery{First: 1, After: "%%%"}, "after"},
		"a cursor of another text":     {commerce.SearchQuery{First: 1, After: page.EndCursor, Text: "helmet"}, "after"},
		"a cursor of another order":    {commerce.SearchQuery{First: 1, After: page.EndCursor, Sort: commerce.SortNewest}, "after"},
		"a cursor of another category": {commerce.SearchQuery{First: 1, After: page.EndCursor, Filter: commerce.SearchFilter{Category: "1"}}, "after"},
	} {
		_, err := port.Search(t.Context(), us, c.query)
		var input *commerce.InputError
		require.ErrorAs(t, err, &input, name)
		assert.Equal(t, c.field, input.Field, name)
		require.ErrorIs(t, err, commerce.ErrInvalid, name)
	}
	yen := us
	yen.Currency = "JPY"
	_, err := port.Search(t.Context(), yen, commerce.SearchQuery{First: 1})
	require.ErrorIs(t, err, commerce.ErrInvalid)
	euro := us
	euro.Currency = "EUR"
	_, err = port.Search(t.Context(), euro, commerce.SearchQuery{First: 1, After: page.EndCursor})
	require.ErrorIs(t, err, commerce.ErrInvalid, "prices of another currency are another order")
	assert.Empty(t, box.Calls(t)["elasticsearch"])
}

func TestASearchIsOneCall(t *testing.T) {
	t.Parallel()
	port, box := shop(t)
	box.ResetCalls(t)
	got := search(t, port, commerce.SearchQuery{
		Text: "bike", First: 50, Sort: commerce.SortPriceDesc,
		Filter: commerce.SearchFilter{InStock: true, Facets: map[string][]string{"color": {"Black"}, "size": {"M", "48"}}},
	})
	assert.NotEmpty(t, got.Facets)
	assert.Equal(t, map[string]int{"_search": 1}, box.Calls(t)["elasticsearch"])
}

func TestBadSettingsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := elasticsearch.New(elasticsearch.Config{
		Config: transport.Config{BaseURL: "ftp://example.test"}, Index: "../secret", SKUField: "a b",
		Languages: []string{"fr=$"}, Currencies: []string{"dollar"}, TextFields: []string{"name^^3"},
		Facets: []string{"color", "price=price", "size=size", "size=other"}, PriceSteps: []string{"10", "5"},
	}, transport.Deps{})
	require.Error(t, err)
	for _, part := range []string{"BASE_URL", "API_KEY", "INDEX", `"a b"`, `"fr=$"`, `"dollar"`, `"name^"`, `"color"`, `"price=price"`, `"size=other"`, "PRICE_STEPS"} {
		assert.ErrorContains(t, err, part)
	}
	assert.NotContains(t, err.Error(), `"size=size"`)
}

func TestFacetsCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	cfg := settings(box.URL + "/elasticsearch")
	cfg.Facets, cfg.PriceSteps = []string{"none"}, []string{"none"}
	port := connect(t, cfg)
	assert.Empty(t, search(t, port, commerce.SearchQuery{First: 1}).Facets)
	for _, code := range []string{"color", "price", "none"} {
		_, err := port.Search(t.Context(), us, commerce.SearchQuery{First: 1, Filter: commerce.SearchFilter{Facets: map[string][]string{code: {"0-50"}}}})
		require.ErrorIs(t, err, commerce.ErrInvalid, code)
	}
}

func TestTraits(t *testing.T) {
	t.Parallel()
	ports, err := elasticsearch.New(settings("http://127.0.0.1:1/"), transport.Deps{})
	require.NoError(t, err)
	traits := ports.Traits[commerce.OpSearch]
	assert.Equal(t, commerce.Read, traits.Access, "a search is a POST that may be repeated")
	assert.Equal(t, commerce.ScopePublic, traits.Scope)
	assert.Equal(t, "elasticsearch", traits.System)
}
