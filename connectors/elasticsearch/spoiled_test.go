package elasticsearch_test

import (
	"context"
	"testing"

	"github.com/portico-bff/portico/connectors/elasticsearch"
	dialect "github.com/portico-bff/portico/connectors/sandbox/elasticsearch"
	"github.com/portico-bff/portico/connectors/sandbox/spoiltest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// TestN16_NoSpoiledAnswerIsTaken gives the call of a search each answer that does not fit.
func TestN16_NoSpoiledAnswerIsTaken(t *testing.T) {
	t.Parallel()
	spoiltest.Run(t, spoiltest.Connector{
		System: "elasticsearch", Name: dialect.Operation,
		Connect: func(base string, deps transport.Deps) (commerce.Ports, error) {
			cfg := settings(base)
			cfg.NoHedge = true
			return elasticsearch.New(cfg, deps)
		},
		Operations: map[commerce.Operation]spoiltest.Operation{
			commerce.OpSearch: func(_ testing.TB, _ commerce.Ports, f commercetest.Fixture) func(context.Context, commerce.Ports) error {
				return func(ctx context.Context, p commerce.Ports) error {
					_, err := p.Search.Search(ctx, f.Market, commerce.SearchQuery{Text: f.Text, First: 5})
					return err
				}
			},
		},
		Inside: map[string]string{
			"an error":                `{"error":{"type":"search_phase_execution_exception","reason":"` + spoiltest.Canary + `"},"status":503}`,
			"timed out":               `{"timed_out":true,"_shards":{"total":1,"failed":0},"hits":{"total":{"value":0,"relation":"eq"},"hits":[]},"aggregations":{}}`,
			"failed shards":           `{"timed_out":false,"_shards":{"total":2,"failed":1},"hits":{"total":{"value":0,"relation":"eq"},"hits":[]},"aggregations":{}}`,
			"hits without their list": `{"timed_out":false,"_shards":{"total":1,"failed":0},"hits":{"total":{"value":0,"relation":"eq"}},"aggregations":{}}`,
			"no aggregations":         `{"timed_out":false,"_shards":{"total":1,"failed":0},"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}`,
		},
	})
}
