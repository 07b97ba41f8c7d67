package elasticsearch_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/elasticsearch"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// own answers each search with hits of its own: as many as are asked for, and their names tell
// how many those are. What some say is not usual, and some break off.
type own struct{}

func (own) RoundTrip(req *http.Request) (*http.Response, error) {
	var asked struct {
		Size int `json:"size"`
	}
	if err := json.NewDecoder(req.Body).Decode(&asked); err != nil {
		return nil, err
	}
	n := asked.Size - 1
	var hits, buckets []string
	for i := range n {
		hits = append(hits, fmt.Sprintf(`{"_source":{"sku":"S%d-%d"},"sort":["n%d","S%d-%d"]}`, n, i, n, n, i))
	}
	for i := range n % 50 {
		buckets = append(buckets, fmt.Sprintf(`{"key":"c%d-%d","doc_count":%d}`, n, i, 1+n*100+i))
	}
	answer := fmt.Sprintf(`{"timed_out":false,"_shards":{"failed":0},"hits":{"total":{"value":%d,"relation":"eq"},"hits":[%s]},`+
		`"aggregations":{"color":{"values":{"buckets":[%s]}}}}`, n, strings.Join(hits, ","), strings.Join(buckets, ","))
	switch n % 5 {
	case 3:
		answer = `{"profile":{},` + answer[1:] // is read by encoding/json
	case 4:
		answer = answer[:len(answer)-n]
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(answer)), ContentLength: int64(len(answer)),
	}, nil
}

// Answers are read where others were read before, and into: what was made of them stays what it was.
func TestResultsOutliveTheRoomTheyWereReadIn(t *testing.T) {
	t.Parallel()
	cfg := settings("https://search.example")
	cfg.Facets, cfg.PriceSteps = []string{"color=color"}, nil
	cfg.NoHedge = true
	ports, err := elasticsearch.New(cfg, transport.Deps{Wire: own{}})
	require.NoError(t, err)
	const readers, searches = 4, 150
	var all sync.WaitGroup
	for reader := range readers {
		all.Go(func() {
			found := map[int]*commerce.SearchResult{}
			for i := range searches {
				n := 1 + (reader*31+i*7)%commerce.MaxBatch
				if n%5 == 4 && i > 20 {
					continue // a few are enough: its breaker would open
				}
				got, err := ports.Search.Search(t.Context(), us, commerce.SearchQuery{First: n})
				if n%5 == 4 {
					assert.ErrorIs(t, err, commerce.ErrUpstream)
				} else if assert.NoError(t, err) {
					found[n] = got
				}
			}
			assert.Greater(t, len(found), 50)
			for n, got := range found {
				assert.Len(t, got.SKUs, n)
				for i, sku := range got.SKUs {
					assert.Equal(t, fmt.Sprintf("S%d-%d", n, i), string(sku))
				}
				assert.Len(t, got.Facets[0].Values, n%50)
				for i, v := range got.Facets[0].Values {
					value := fmt.Sprintf("c%d-%d", n, i)
					assert.Equal(t, commerce.FacetValue{Value: value, Label: value, Count: 1 + n*100 + i}, v)
				}
				next, err := ports.Search.Search(t.Context(), us, commerce.SearchQuery{First: 1, After: got.Cursors[n-1]})
				if assert.NoError(t, err, "its cursors are good") {
					assert.Len(t, next.SKUs, 1)
				}
			}
		})
	}
	all.Wait()
}
