package elasticsearch_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/elasticsearch"
	"github.com/portico-bff/portico/connectors/sandbox/world"
)

var dialect = sync.OnceValue(func() http.Handler {
	w, err := world.Load()
	if err != nil {
		panic(err)
	}
	return elasticsearch.New(w, elasticsearch.Options{})
})

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, method, target, body string, headers ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "ApiKey "+elasticsearch.DefaultAPIKey)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	dialect().ServeHTTP(w, r)
	res := w.Result()
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(text)}
}

// hits is as much of a search's answer as the tests look at.
type hits struct {
	TimedOut bool `json:"timed_out"`
	Shards   struct {
		Total, Failed int
	} `json:"_shards"`
	Hits struct {
		Total *struct {
			Value    int
			Relation string
		}
		MaxScore *json.Number `json:"max_score"`
		Hits     []struct {
			ID     string            `json:"_id"`
			Score  *json.Number      `json:"_score"`
			Source json.RawMessage   `json:"_source"`
			Sort   []json.RawMessage `json:"sort"`
		}
	}
	Aggregations json.RawMessage
}

func search(t *testing.T, body string) hits {
	t.Helper()
	got := send(t, http.MethodPost, "/products/_search", body)
	require.Equal(t, http.StatusOK, got.status, got.body)
	var h hits
	require.NoError(t, json.Unmarshal([]byte(got.body), &h))
	return h
}

func (h hits) ids() []string {
	ids := []string{}
	for _, one := range h.Hits.Hits {
		ids = append(ids, one.ID)
	}
	return ids
}

func TestQueries(t *testing.T) {
	t.Parallel()
	const helmets = `"HL-U509","HL-U509-B","HL-U509-R"`
	for name, c := range map[string]struct {
		query string
		total int
	}{
		"all":                         {`{"match_all":{}}`, 295},
		"none":                        {`{"match_none":{}}`, 0},
		"match":                       {`{"match":{"name":"helmet"}}`, 3},
		"match with options":          {`{"match":{"name":{"query":"red helmets","operator":"and"}}}`, 1},
		"match any word":              {`{"match":{"name":{"query":"helmet vest"}}}`, 6},
		"match with a mistake":        {`{"match":{"name":{"query":"hlemet","fuzziness":"AUTO"}}}`, 3},
		"multi_match across fields":   {`{"multi_match":{"query":"helmet accessories","fields":["name","category_names"],"type":"cross_fields","operator":"and"}}`, 3},
		"multi_match in one field":    {`{"multi_match":{"query":"helmet accessories","fields":["name^3","category_names"],"operator":"and"}}`, 3},
		"multi_match of a keyword":    {`{"multi_match":{"query":"HL-U509","fields":["sku^5"]}}`, 1},
		"keywords keep their case":    {`{"term":{"sku":"hl-u509"}}`, 0},
		"but where they are folded":   {`{"term":{"sku.search":{"value":"HL-u509","boost":2}}}`, 1},
		"term":                        {`{"term":{"color":"Red"}}`, 38},
		"term of a word":              {`{"term":{"name":"helmet"}}`, 3},
		"terms":                       {`{"terms":{"sku":[` + helmets + `,"NOPE"]}}`, 3},
		"ids":                         {`{"ids":{"values":[` + helmets + `]}}`, 3},
		"a field that is not there":   {`{"term":{"colour":"Red"}}`, 0},
		"range":                       {`{"range":{"price.USD":{"gte":34.99,"lte":34.99}}}`, 4},
		"range that leaves bounds":    {`{"range":{"price.USD":{"gt":34.99,"lt":35}}}`, 0},
		"range of dates":              {`{"range":{"sell_start":{"gte":"2100-01-01"}}}`, 0},
		"exists":                      {`{"bool":{"must_not":{"exists":{"field":"color"}}}}`, 50},
		"bool":                        {`{"bool":{"must":[{"match":{"name":"helmet"}}],"filter":{"term":{"color":"Red"}},"must_not":[{"term":{"color":"Blue"}}]}}`, 1},
		"should alone has to hold":    {`{"bool":{"should":[{"term":{"color":"Red"}}]}}`, 38},
		"should beside must need not": {`{"bool":{"must":[{"match":{"name":"helmet"}}],"should":[{"term":{"color":"Red"}}]}}`, 3},
		"should that must":            {`{"bool":{"must":[{"match":{"name":"helmet"}}],"should":[{"term":{"color":"Red"}}],"minimum_should_match":1}}`, 1},
		"an empty bool":               {`{"bool":{}}`, 295},
		"a boolean":                   {`{"bool":{"filter":[{"term":{"in_stock":true}},{"term":{"in_stock":"false"}}]}}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := search(t, `{"size":3,"track_total_hits":true,"query":`+c.query+`}`)
			assert.Equal(t, c.total, got.Hits.Total.Value)
			count := send(t, http.MethodPost, "/products/_count", `{"query":`+c.query+`}`)
			var n struct{ Count int }
			require.NoError(t, json.Unmarshal([]byte(count.body), &n))
			assert.Equal(t, c.total, n.Count)
		})
	}
}

func TestScoresAndSorts(t *testing.T) {
	t.Parallel()
	scored := search(t, `{"query":{"match":{"name":"helmet"}},"size":2}`)
	assert.NotNil(t, scored.Hits.MaxScore)
	assert.Equal(t, scored.Hits.MaxScore, scored.Hits.Hits[0].Score)
	sorted := search(t, `{"query":{"match":{"name":"helmet"}},"sort":["price.EUR",{"sku":{"order":"desc"}}]}`)
	assert.Nil(t, sorted.Hits.MaxScore)
	assert.Nil(t, sorted.Hits.Hits[0].Score)
	assert.Equal(t, []string{"HL-U509-R", "HL-U509-B", "HL-U509"}, sorted.ids())
	assert.Equal(t, `32.19`, string(sorted.Hits.Hits[0].Sort[0]))
	both := search(t, `{"query":{"match":{"name":"helmet"}},"sort":[{"_score":"desc"},{"sku":"asc"}]}`)
	assert.NotNil(t, both.Hits.Hits[0].Score)
	missing := search(t, `{"size":295,"sort":[{"weight":{"order":"asc","missing":"_last"}},"sku"]}`)
	assert.Equal(t, `"Infinity"`, string(missing.Hits.Hits[294].Sort[0]))
	behind := search(t, `{"size":10,"sort":["weight","sku"],"search_after":["Infinity","`+missing.ids()[292]+`"]}`)
	assert.Equal(t, missing.ids()[293:], behind.ids())
}

func TestPages(t *testing.T) {
	t.Parallel()
	first := search(t, `{"size":2,"sort":["sku"],"query":{"term":{"color":"Red"}}}`)
	next := search(t, `{"size":2,"sort":["sku"],"query":{"term":{"color":"Red"}},"search_after":[`+string(first.Hits.Hits[1].Sort[0])+`]}`)
	skipped := search(t, `{"from":2,"size":2,"sort":["sku"],"query":{"term":{"color":"Red"}}}`)
	assert.Equal(t, skipped.ids(), next.ids())
	assert.Equal(t, first.Hits.Total, next.Hits.Total)
	capped := search(t, `{"size":0,"track_total_hits":100}`)
	assert.Equal(t, 100, capped.Hits.Total.Value)
	assert.Equal(t, "gte", capped.Hits.Total.Relation)
	assert.Nil(t, search(t, `{"size":0,"track_total_hits":false}`).Hits.Total)
	assert.Len(t, search(t, ``).Hits.Hits, 10)
}

func TestSourceFilters(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]string{
		`["sku"]`:     `{"sku":"HL-U509"}`,
		`"price.USD"`: `{"price":{"USD":34.99}}`,
		`["pri*"]`:    `{"price":{"EUR":32.19,"GBP":27.64,"USD":34.99}}`,
		`["nothing"]`: `{}`,
		`{"includes":["sku","price"],"excludes":["price.EUR","price.GBP"]}`: `{"price":{"USD":34.99},"sku":"HL-U509"}`,
	} {
		got := search(t, `{"query":{"term":{"sku":"HL-U509"}},"_source":`+filter+`}`)
		assert.JSONEq(t, want, string(got.Hits.Hits[0].Source), filter)
	}
	assert.Nil(t, search(t, `{"_source":false}`).Hits.Hits[0].Source)
}

func TestAggregations(t *testing.T) {
	t.Parallel()
	for aggs, want := range map[string]string{
		`{"a":{"terms":{"field":"color","size":2}}}`: `{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":118,"buckets":[{"key":"Black","doc_count":89},{"key":"Red","doc_count":38}]}}`,
		`{"a":{"range":{"field":"price.USD","ranges":[{"to":50},{"from":50,"to":100.5},{"key":"dear","from":1000}]}}}`:                           `{"a":{"buckets":[{"key":"*-50.0","to":50.0,"doc_count":53},{"key":"50.0-100.5","from":50.0,"to":100.5,"doc_count":37},{"key":"dear","from":1000.0,"doc_count":86}]}}`,
		`{"a":{"filter":{"term":{"color":"Red"}},"aggs":{"b":{"terms":{"field":"category_facet","size":1}},"c":{"min":{"field":"price.USD"}}}}}`: `{"a":{"doc_count":38,"b":{"doc_count_error_upper_bound":0,"sum_other_doc_count":56,"buckets":[{"key":"102|Road Bikes","doc_count":20}]},"c":{"value":34.99}}}`,
		`{"a":{"max":{"field":"nothing"}}}`: `{"a":{"value":null}}`,
	} {
		got := search(t, `{"size":0,"post_filter":{"match_none":{}},"aggs":`+aggs+`}`)
		assert.JSONEq(t, want, string(got.Aggregations), aggs)
		assert.Zero(t, got.Hits.Total.Value, "a post_filter narrows the hits, not the buckets")
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	found := send(t, http.MethodGet, "/products/_doc/HL-U509", "")
	assert.Equal(t, http.StatusOK, found.status)
	assert.Contains(t, found.body, `"found":true`)
	assert.Contains(t, found.body, `"description":{"ar":`)
	assert.Contains(t, found.body, `"category_facet":["131|Helmets","4|Accessories"]`)
	miss := send(t, http.MethodGet, "/products/_doc/X", "")
	assert.Equal(t, http.StatusNotFound, miss.status)
	assert.JSONEq(t, `{"_index":"products","_id":"X","found":false}`, miss.body)
	many := send(t, http.MethodPost, "/products/_mget", `{"ids":["X","HL-U509"],"_source":["sku"]}`)
	assert.JSONEq(t, `{"docs":[{"_index":"products","_id":"X","found":false},
		{"_index":"products","_id":"HL-U509","_version":1,"_seq_no":0,"_primary_term":1,"found":true,"_source":{"sku":"HL-U509"}}]}`, many.body)
	named := send(t, http.MethodPost, "/_mget", `{"docs":[{"_index":"products","_id":"HL-U509","_source":["brand"]},{"_index":"other","_id":"1"}]}`)
	assert.Contains(t, named.body, "index_not_found_exception")
	source := send(t, http.MethodGet, "/products/_source/HL-U509", "")
	assert.Contains(t, source.body, `"sku":"HL-U509"`)
	assert.NotContains(t, source.body, "_source")
}

func TestRootAndHealth(t *testing.T) {
	t.Parallel()
	root := send(t, http.MethodGet, "/", "")
	assert.Contains(t, root.body, "You Know, for Search")
	assert.Equal(t, "Elasticsearch", root.header.Get("X-Elastic-Product"))
	assert.Contains(t, send(t, http.MethodGet, "/_cluster/health", "").body, `"status":"green"`)
}
