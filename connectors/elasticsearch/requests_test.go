package elasticsearch_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/elasticsearch"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

var update = flag.Bool("update", false, "writes what is sent into testdata")

// heard is an upstream that notes what it is sent, and always has one product more.
type heard struct {
	facets []string
	source string
	sort   string
	body   string
}

func (h *heard) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	h.body = string(body)
	var aggs []string
	for _, code := range h.facets {
		aggs = append(aggs, fmt.Sprintf(`%q:{"values":{"buckets":[]}}`, code))
	}
	answer := fmt.Sprintf(`{"timed_out":false,"_shards":{"failed":0},"hits":{"total":{"value":9,"relation":"eq"},`+
		`"hits":[{"_source":%s,"sort":[%s,"A-1"]}]},"aggregations":{%s}}`, h.source, h.sort, strings.Join(aggs, ","))
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(answer)), ContentLength: -1,
	}, nil
}

// asking makes searches of all kinds: of the seed, always the same.
type asking struct{ *rand.Rand }

func (a asking) of(list ...string) string { return list[a.IntN(len(list))] }

func (a asking) market() commerce.Market {
	return commerce.Market{
		Locale:   a.of("en", "fr-CA", "fr", "he", "zh-Hant-TW", "ja", ""),
		Currency: a.of("USD", "EUR", "GBP"),
	}
}

func (a asking) values(code string) []string {
	var list []string
	for range a.IntN(4) {
		value := a.of("Red", "blau & grün", `a"b\c`, "<é>", "\u2028", "", "5|five", "\x01")
		if code == "price" {
			value = a.of("0-50", "50-100", "2000-")
		}
		list = append(list, value)
	}
	return list
}

func (a asking) query(codes []string) commerce.SearchQuery {
	q := commerce.SearchQuery{
		First: 1 + a.IntN(commerce.MaxBatch),
		Text:  a.of("", "", " ", "helmet", " vélo <b>&amp; \"x\\y\" ", "hel\u2029met\x7f"),
		Sort:  commerce.Sort(a.of("", "", "RELEVANCE", "NAME", "PRICE_ASC", "PRICE_DESC", "NEWEST")),
		Filter: commerce.SearchFilter{
			Category: commerce.CategoryID(a.of("", "101", "b-2")), InStock: a.IntN(3) == 0,
			PriceMin: a.of("", "0.0001", "10"), PriceMax: a.of("", "10", "99999.5"),
		},
	}
	if len(codes) > 0 && a.IntN(2) == 0 {
		q.Filter.Facets = map[string][]string{}
		for range 1 + a.IntN(3) {
			code := a.of(codes...)
			q.Filter.Facets[code] = a.values(code)
		}
	}
	return q
}

func (a asking) sortOf(q commerce.SearchQuery) string {
	switch q.Sort {
	case commerce.SortRelevance:
		return a.of("1.5e-7", "12.25")
	case commerce.SortPriceAsc, commerce.SortPriceDesc, commerce.SortNewest:
		return a.of("34.99", `"Infinity"`, `"-Infinity"`, "null", "1370000000000")
	case commerce.SortName:
	}
	if q.Sort == "" && strings.TrimSpace(q.Text) != "" {
		return "7"
	}
	return a.of(`"Helmet"`, "null", `"<a & b>"`, `"\"\\\u2028é\u0001"`, "\"\u2028\"")
}

// Without facets the same is asked for, but nothing is counted.
func TestASearchWithoutFacetsCountsNothing(t *testing.T) {
	t.Parallel()
	for _, at := range indexes() {
		upstream := &heard{facets: at.codes, source: at.source}
		at.cfg.NoHedge = true // it hears one at a time
		ports, err := elasticsearch.New(at.cfg, transport.Deps{Wire: upstream})
		require.NoError(t, err)
		random := asking{rand.New(rand.NewPCG(2, 7))}
		for range 300 {
			market, q := random.market(), random.query(at.codes)
			upstream.sort = random.sortOf(q)
			with, err := ports.Search.Search(t.Context(), market, q)
			require.NoError(t, err, "%+v", q)
			require.Len(t, with.Facets, len(at.codes))
			counted := decoded(t, upstream.body)
			delete(counted, "aggs")
			q.NoFacets = true
			without, err := ports.Search.Search(t.Context(), market, q)
			require.NoError(t, err, "%+v", q)
			require.Equal(t, counted, decoded(t, upstream.body))
			with.Facets = nil
			require.Equal(t, with, without)
		}
	}
}

func decoded(t *testing.T, body string) (all map[string]any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(body), &all), body)
	return all
}

// index is a document model, and what a hit's source looks like in it.
type index struct {
	name   string
	cfg    elasticsearch.Config
	codes  []string // of its facets
	source string
}

func indexes() []index {
	const base = "https://search.example"
	plain, other := settings(base), settings(base)
	plain.Facets, plain.PriceSteps, plain.TextFields = []string{"none"}, []string{"none"}, []string{"text_{language}^2"}
	other.Languages = []string{"en=english", "fr=french.v2"}
	other.TextFields, other.SKUTextField = []string{"a.{language}", "b^1.5"}, "ids.search"
	other.SKUField, other.NameField, other.PriceField = "ids.sku", "n", "p.{currency}.{language}"
	other.Facets, other.PriceSteps = []string{"size=s", "z-last=z/z_label", "brand=b@1"}, []string{"0", "50", "100", "2000"}
	return []index{
		{"sandbox", settings(base), []string{"category", "color", "size", "brand", "price"}, `{"sku":"A-1"}`},
		{"plain", plain, nil, `{"sku":"A-1"}`},
		{"other", other, []string{"size", "z-last", "brand", "price"}, `{"ids":{"sku":"A-1"}}`},
	}
}

// told is what is sent for searches of an index, and where they end: a few of them, and the sum of all.
func told(t *testing.T, at index) string {
	t.Helper()
	const searches, shown = 1500, 10
	upstream := &heard{facets: at.codes, source: at.source}
	at.cfg.NoHedge = true // it hears one at a time
	ports, err := elasticsearch.New(at.cfg, transport.Deps{Wire: upstream})
	require.NoError(t, err)
	random := asking{rand.New(rand.NewPCG(1, 7))}
	var text strings.Builder
	sum := sha256.New()
	for n := range searches {
		market, q := random.market(), random.query(at.codes)
		upstream.sort = random.sortOf(q)
		for range 2 { // the second goes on behind the first
			got, err := ports.Search.Search(t.Context(), market, q)
			require.NoError(t, err, "%+v", q)
			line := fmt.Sprintf("%s\n%s\n", upstream.body, got.EndCursor)
			_, _ = sum.Write([]byte(line))
			if n < shown {
				text.WriteString(line)
			}
			q.After = got.EndCursor
		}
	}
	fmt.Fprintf(&text, "%s, %d searches: %s\n", at.name, searches, hex.EncodeToString(sum.Sum(nil)))
	return text.String()
}

// What is sent for a search, and the cursors of its hits, stay what they were: an index's log can
// be compared, and a client that is at the second page goes on to the third.
func TestSearchesAreAskedAsEver(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, at := range indexes() {
		all.WriteString(told(t, at))
	}
	const golden = "testdata/requests.golden"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(all.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, strings.Split(string(want), "\n"), strings.Split(all.String(), "\n"))
}
