package elasticsearch_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/connectors/sandbox/elasticsearch"
)

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	const all = "/products/_search"
	for name, c := range map[string]struct {
		method, target, body string
		headers              []string
		status               int
		want                 string // the whole body
	}{
		"no credentials": {"POST", all, `{}`, []string{"Authorization", ""}, 401, `{"error":{"root_cause":[{"type":"security_exception",
			"reason":"missing authentication credentials for REST request [/products/_search]",
			"header":{"WWW-Authenticate":["Basic realm=\"security\", charset=\"UTF-8\"","Bearer realm=\"security\"","ApiKey"]}}],
			"type":"security_exception","reason":"missing authentication credentials for REST request [/products/_search]",
			"header":{"WWW-Authenticate":["Basic realm=\"security\", charset=\"UTF-8\"","Bearer realm=\"security\"","ApiKey"]}},"status":401}`},
		"no such index": {"POST", "/nothing/_search", `{}`, nil, 404, `{"error":{"root_cause":[{"type":"index_not_found_exception","reason":"no such index [nothing]",
			"index":"nothing","resource.id":"nothing","resource.type":"index_or_alias"}],"type":"index_not_found_exception","reason":"no such index [nothing]",
			"index":"nothing","resource.id":"nothing","resource.type":"index_or_alias"},"status":404}`},
		"another content type": {"POST", all, `{}`, []string{"Content-Type", "text/plain"}, 406, `{"error":"Content-Type header [text/plain] is not supported","status":406}`},
		"another method": {
			"DELETE", all, ``, nil, 405,
			`{"error":"Incorrect HTTP method for uri [/products/_search] and method [DELETE], allowed: [POST, GET]","status":405}`,
		},
		"no such route": {"POST", "/products/_bulk", ``, nil, 400, `{"error":"no handler found for uri [/products/_bulk] and method [POST]"}`},
		"an unknown parameter": {"POST", all + "?foo=1", `{}`, nil, 400, `{"error":{"root_cause":[{"type":"illegal_argument_exception",
			"reason":"request [/products/_search] contains unrecognized parameter: [foo]"}],"type":"illegal_argument_exception",
			"reason":"request [/products/_search] contains unrecognized parameter: [foo]"},"status":400}`},
		"an unknown key": {"POST", all, "{\n \"queery\":{}}", nil, 400, `{"error":{"root_cause":[{"type":"parsing_exception",
			"reason":"Unknown key for a START_OBJECT in [queery].","line":2,"col":2}],"type":"parsing_exception","reason":"Unknown key for a START_OBJECT in [queery].","line":2,"col":2},"status":400}`},
		"an unknown query": {"POST", all, `{"query":{"mtch":{}}}`, nil, 400, `{"error":{"root_cause":[{"type":"parsing_exception","reason":"unknown query [mtch]","line":1,"col":11}],
			"type":"parsing_exception","reason":"unknown query [mtch]","line":1,"col":11,"caused_by":{"type":"named_object_not_found_exception","reason":"[1:11] unknown field [mtch]"}},"status":400}`},
		"a window too wide": {"POST", all, `{"from":9999,"size":2}`, nil, 400, `{"error":{"root_cause":[{"type":"illegal_argument_exception","index":"products","reason":"` + tooWide + `"}],
			"type":"search_phase_execution_exception","reason":"all shards failed","phase":"query","grouped":true,
			"failed_shards":[{"shard":0,"index":"products","node":"sandbox","reason":{"type":"illegal_argument_exception","index":"products","reason":"` + tooWide + `"}}],
			"caused_by":{"type":"illegal_argument_exception","reason":"` + tooWide + `","caused_by":{"type":"illegal_argument_exception","index":"products","reason":"` + tooWide + `"}}},"status":400}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := send(t, c.method, c.target, c.body, c.headers...)
			assert.Equal(t, c.status, got.status)
			assert.JSONEq(t, c.want, got.body)
			assert.Equal(t, "application/json", got.header.Get("Content-Type"))
			if c.status == http.StatusUnauthorized {
				assert.Contains(t, got.header["Www-Authenticate"], "ApiKey")
			}
		})
	}
}

const tooWide = "Result window is too large, from + size must be less than or equal to: [10000] but was [10001]. " +
	"See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting."

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	for body, reason := range map[string]string{
		`{"query":`:                                                                  "failed to parse",
		`{"query":{}}`:                                                               "query malformed, empty clause found",
		`{"query":{"term":{}}}`:                                                      "No field name specified for [term] query",
		`{"query":{"bool":{"musst":[]}}}`:                                            "[bool] query does not support [musst]",
		`{"query":{"term":{"a":1,"b":2}}}`:                                           "[term] query doesn't support multiple fields, found [a] and [b]",
		`{"query":{"term":{"color":{"value":"Red","x":1}}}}`:                         "[term] query does not support [x]",
		`{"query":{"terms":{"color":"Red"}}}`:                                        "[terms] query does not support [color]",
		`{"query":{"range":{"price.USD":{"above":1}}}}`:                              "[range] query does not support [above]",
		`{"query":{"range":{"price.USD":{"gte":"cheap"}}}}`:                          `For input string: \"cheap\"`,
		`{"query":{"multi_match":{"query":"a","fields":["name"],"type":"x"}}}`:       "failed to parse [multi_match] query type [x]",
		`{"query":{"multi_match":{"query":"a","fields":["name"],"operator":"xor"}}}`: "operator needs to be either AND or OR",
		`{"query":{"multi_match":{"query":"a","fields":["name^much"]}}}`:             "failed to parse field boost",
		`{"query":{"multi_match":{"query":"a","fields":["name"],"type":"cross_fields","fuzziness":"AUTO"}}}`: "Fuzziness not allowed for type [cross_fields]",
		`{"sort":["name"]}`:                                 "Fielddata is disabled on [name]",
		`{"sort":["nothing"]}`:                              "No mapping found for [nothing] in order to sort on",
		`{"sort":[{"sku":"up"}]}`:                           "SortOrder.up",
		`{"sort":["sku"],"search_after":["a","b"]}`:         "search_after has 2 value(s) but sort has 1.",
		`{"search_after":["a"]}`:                            "Sort must contain at least one field.",
		`{"sort":["price.USD"],"search_after":["a"]}`:       "Failed to parse search_after value for field [price.USD].",
		`{"sort":["sku"],"search_after":["a"],"from":1}`:    "`from` parameter must be set to 0",
		`{"size":-1}`:                                       "[size] parameter cannot be negative, found [-1]",
		`{"aggs":{"a":{"terms":{"field":"name"}}}}`:         "Fielddata is disabled on [name]",
		`{"aggs":{"a":{"trems":{"field":"sku"}}}}`:          "Unknown aggregation type [trems]",
		`{"aggs":{"a":{"terms":{"field":"sku","size":0}}}}`: "[size] must be greater than 0",
		`{"aggs":{"a":{"min":{"field":"price.USD"},"aggs":{"b":{"min":{"field":"weight"}}}}}}`: "cannot accept sub-aggregations",
		`{"aggs":{"a":{}}}`: "Missing definition for aggregation [a]",
	} {
		got := send(t, http.MethodPost, "/products/_search", body)
		assert.Equal(t, http.StatusBadRequest, got.status, body)
		assert.Contains(t, got.body, reason, body)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/": "info", "/products/_search": "_search", "/elasticsearch/products/_search": "_search", "/_mget": "_mget",
		"/products/_doc/_search": "_doc", "/_cluster/health": "_cluster", "/products": "unknown",
	} {
		assert.Equal(t, want, elasticsearch.Operation(httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil), nil), target)
	}
}
