package elasticsearch_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// TestN18_HitsFacetsAndCursorsArriveExact sends 100,000 random values through: SKUs, facet values of
// all of Unicode, counts above 2⁵³, and sort values that must come back as they were.
func TestN18_HitsFacetsAndCursorsArriveExact(t *testing.T) {
	t.Parallel()
	const seed, searches, hits, buckets = 18, 700, 100, 50
	rnd := rand.New(rand.NewPCG(seed, 0))
	answers, sent := make(chan string, 1), make(chan string, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent <- string(body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, <-answers)
	}))
	t.Cleanup(web.Close)
	cfg := settings(web.URL)
	cfg.NoHedge = true // one answer for each call
	cfg.Facets, cfg.PriceSteps = []string{"color=color"}, nil
	port := connect(t, cfg)
	after, price := "", ""
	for n := range searches {
		skus, values := make([]commerce.SKU, hits), make([]string, buckets)
		var rows, counted []string
		next := ""
		for i := range skus {
			skus[i] = commerce.SKU(fmt.Sprintf("S%d-%X", i, rnd.Uint64()))
			next = fmt.Sprintf("%d.%04d", rnd.Uint64N(1<<60), rnd.IntN(10_000))
			rows = append(rows, fmt.Sprintf(`{"_source":{"sku":%q},"sort":[%s,%q]}`, skus[i], next, skus[i]))
		}
		for i := range values {
			values[i] = fmt.Sprint(i, sandboxtest.Text(rnd, 12))
			counted = append(counted, fmt.Sprintf(`{"key":%s,"doc_count":%d}`, sandboxtest.Escaped(values[i]), 1<<53+1+i))
		}
		answers <- fmt.Sprintf(`{"timed_out":false,"_shards":{"failed":0},"hits":{"total":{"value":%d,"relation":"eq"},"hits":[%s]},
			"aggregations":{"color":{"values":{"buckets":[%s]}}}}`, 1<<53+1, strings.Join(rows, ","), strings.Join(counted, ","))
		got, err := port.Search(t.Context(), us, commerce.SearchQuery{First: hits, Sort: commerce.SortPriceAsc, After: after})
		require.NoError(t, err)
		require.Equal(t, 1<<53+1, got.Total)
		require.Equal(t, skus, got.SKUs)
		for i, v := range got.Facets[0].Values {
			if v.Value != values[i] || v.Label != values[i] || v.Count != 1<<53+1+i {
				require.FailNow(t, "changed on the way", "seed %d search %d: %q became %+v", seed, n, values[i], v)
			}
		}
		var asked struct {
			After []json.RawMessage `json:"search_after"`
		}
		require.NoError(t, json.Unmarshal([]byte(<-sent), &asked))
		if after != "" {
			require.Equal(t, price, string(asked.After[0]), "a cursor's value is sent as it came")
		}
		after, price = got.EndCursor, next
	}
}
