package elasticsearch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// answering is an upstream that always says the same.
func answering(t *testing.T, status int, contentType, body string) commerce.Search {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(web.Close)
	cfg := settings(web.URL)
	cfg.Facets, cfg.PriceSteps = []string{"color=color"}, nil
	return connect(t, cfg)
}

// fine is an answer that can be used; tests spoil a part of it.
const fine = `{"took":4,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},
 "hits":{"total":{"value":3,"relation":"eq"},"max_score":null,"hits":[
  {"_id":"KB-100","_source":{"sku":"KB-100"},"sort":["Keyboard","KB-100"]},
  {"_id":"KB-200","_source":{"sku":"KB-200"},"sort":["Keys",null,"KB-200"]}]},
 "aggregations":{"color":{"doc_count":3,"values":{"buckets":[{"key":"Red","doc_count":2},{"key":7,"doc_count":1}]}}}}`

var good = strings.Replace(fine, `["Keys",null,"KB-200"]`, `["Keys","KB-200"]`, 1)

func TestAGoodAnswer(t *testing.T) {
	t.Parallel()
	port := answering(t, http.StatusOK, "application/vnd.elasticsearch+json;compatible-with=8", good)
	got, err := port.Search(t.Context(), us, commerce.SearchQuery{First: 1})
	require.NoError(t, err)
	assert.Equal(t, []commerce.SKU{"KB-100"}, got.SKUs)
	assert.True(t, got.HasNext)
	assert.Equal(t, 3, got.Total)
	assert.Equal(t, []commerce.FacetValue{{Value: "Red", Label: "Red", Count: 2}, {Value: "7", Label: "7", Count: 1}}, got.Facets[0].Values)
}

func TestN16_BadAnswersAreTyped(t *testing.T) {
	t.Parallel()
	spoiled := func(part, with string) string {
		require.Contains(t, good, part)
		return strings.Replace(good, part, with, 1)
	}
	const canary = "canary-5f2c"
	for name, c := range map[string]struct {
		status      int
		contentType string
		body        string
		kind        error
	}{
		"html":             {200, "text/html", "<html>" + canary + "</html>", commerce.ErrUpstream},
		"garbage":          {200, "application/json", canary, commerce.ErrUpstream},
		"cut off":          {200, "application/json", good[:len(good)/2], commerce.ErrUpstream},
		"more than one":    {200, "application/json", good + good, commerce.ErrUpstream},
		"nothing":          {200, "application/json", "{}", commerce.ErrUpstream},
		"null":             {200, "application/json", "null", commerce.ErrUpstream},
		"a list":           {200, "application/json", "[]", commerce.ErrUpstream},
		"timed out":        {200, "application/json", spoiled(`"timed_out":false`, `"timed_out":true`), commerce.ErrUpstream},
		"a shard failed":   {200, "application/json", spoiled(`"failed":0`, `"failed":1`), commerce.ErrUpstream},
		"an estimate":      {200, "application/json", spoiled(`"eq"`, `"gte"`), commerce.ErrUpstream},
		"text for a count": {200, "application/json", spoiled(`"value":3`, `"value":"many"`), commerce.ErrUpstream},
		"negative count":   {200, "application/json", spoiled(`"value":3`, `"value":-3`), commerce.ErrUpstream},
		"too few":          {200, "application/json", spoiled(`"value":3`, `"value":1`), commerce.ErrUpstream},
		"a bad SKU":        {200, "application/json", spoiled(`{"sku":"KB-100"}`, `{"sku":"../`+canary+`"}`), commerce.ErrUpstream},
		"no source":        {200, "application/json", spoiled(`"_source":{"sku":"KB-100"},`, ``), commerce.ErrUpstream},
		"a bad sort":       {200, "application/json", fine, commerce.ErrUpstream},
		"no facet":         {200, "application/json", spoiled(`"color"`, `"colour"`), commerce.ErrUpstream},
		"a bad bucket":     {200, "application/json", spoiled(`"doc_count":2`, `"doc_count":2.5`), commerce.ErrUpstream},
		"refused key":      {401, "application/json", `{"error":{"reason":"` + canary + `"}}`, commerce.ErrUnavailable},
		"forbidden":        {403, "application/json", `{}`, commerce.ErrUnavailable},
		"no index":         {404, "application/json", `{}`, commerce.ErrUnavailable},
		"refused query":    {400, "application/json", `{"error":{"reason":"` + canary + `"}}`, commerce.ErrUpstream},
		"busy":             {429, "application/json", `{}`, commerce.ErrRateLimited},
		"down":             {503, "text/html", canary, commerce.ErrUnavailable},
		"a redirect":       {302, "text/html", "", commerce.ErrUpstream},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := answering(t, c.status, c.contentType, c.body)
			got, err := port.Search(t.Context(), us, commerce.SearchQuery{First: 2, Text: "", Filter: commerce.SearchFilter{Category: "secret-category"}})
			assert.Nil(t, got)
			require.ErrorIs(t, err, c.kind)
			var call *commerce.CallError
			require.ErrorAs(t, err, &call)
			assert.Equal(t, commerce.OpSearch, call.Operation)
			assert.Equal(t, "elasticsearch", call.System)
			assert.NotEmpty(t, call.Reason)
			for _, secret := range []string{canary, "c2FuZGJveDpzZWNyZXQ", "secret-category"} {
				assert.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	web.Close()
	_, err := connect(t, settings(web.URL)).Search(t.Context(), us, commerce.SearchQuery{First: 2})
	require.ErrorIs(t, err, commerce.ErrUnavailable)
}

// More values of a facet than were asked for are no reason to be without a search: those that come
// first count, and those that are chosen.
func TestN16_OfTooManyFacetValuesTheFirstCount(t *testing.T) {
	t.Parallel()
	const sent, most, chosen = 300, 50, 250
	buckets := make([]string, sent)
	for i := range buckets {
		buckets[i] = fmt.Sprintf(`{"key":"c%d","doc_count":%d}`, i, 1000-i)
	}
	few := `{"key":"Red","doc_count":2},{"key":7,"doc_count":1}`
	require.Contains(t, good, few)
	port := answering(t, http.StatusOK, "application/json", strings.Replace(good, few, strings.Join(buckets, ","), 1))
	got, err := port.Search(t.Context(), us, commerce.SearchQuery{
		First: 2, Filter: commerce.SearchFilter{Facets: map[string][]string{"color": {fmt.Sprintf("c%d", chosen), "c0", "gone"}}},
	})
	require.NoError(t, err)
	assert.Len(t, got.SKUs, 2)
	values := got.Facets[0].Values
	require.Len(t, values, most+2)
	for i := range most {
		name := fmt.Sprintf("c%d", i)
		assert.Equal(t, commerce.FacetValue{Value: name, Label: name, Count: 1000 - i, Selected: i == 0}, values[i])
	}
	assert.Equal(t, []commerce.FacetValue{
		{Value: "c250", Label: "c250", Count: 750, Selected: true}, {Value: "gone", Label: "gone", Selected: true},
	}, values[most:])
}
