package elasticsearch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/elasticsearch"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// BenchmarkCold is what a search that nobody has kept costs this connector, over answers
// recorded once.
func BenchmarkCold(b *testing.B) {
	box := sandboxtest.Start(b)
	ports, err := elasticsearch.New(elasticsearch.Config{
		Config: transport.Config{BaseURL: box.URL + "/elasticsearch", AllowPrivate: true}, APIKey: "c2FuZGJveDpzZWNyZXQ=",
		Facets:     []string{"category=category_ids/category_facet", "color=color", "size=size", "brand=brand"},
		PriceSteps: []string{"0", "50", "100", "250", "500", "1000", "2000"},
	}, transport.Deps{Wire: &sandboxtest.Recorded{}})
	require.NoError(b, err)
	market := commerce.Market{Locale: "en", Currency: "USD", Country: "US"}
	q := commerce.SearchQuery{First: commerce.MaxBatch, Filter: commerce.SearchFilter{Category: "2", PriceMin: "0.0001"}}
	ask := func(b *testing.B) {
		got, err := ports.Search.Search(b.Context(), market, q)
		require.NoError(b, err)
		require.NotEmpty(b, got.SKUs)
	}
	b.Run("list", func(b *testing.B) {
		ask(b)
		b.ReportAllocs()
		for b.Loop() {
			ask(b)
		}
	})
}
