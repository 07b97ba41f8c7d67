package elasticsearch_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/portico-bff/portico/connectors/elasticsearch"
	dialect "github.com/portico-bff/portico/connectors/sandbox/elasticsearch"
	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

func ExampleNew() {
	w, err := world.Load()
	if err != nil {
		panic(err)
	}
	upstream := httptest.NewServer(dialect.New(w, dialect.Options{}))
	defer upstream.Close()

	ports, err := elasticsearch.New(elasticsearch.Config{
		Config: transport.Config{BaseURL: upstream.URL, AllowPrivate: true}, APIKey: dialect.DefaultAPIKey,
		Facets: []string{"color=color"},
	}, transport.Deps{})
	if err != nil {
		panic(err)
	}
	market := commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}
	page, err := ports.Search.Search(context.Background(), market, commerce.SearchQuery{Text: "helmet", First: 2})
	if err != nil {
		panic(err)
	}
	fmt.Println(page.SKUs, page.Total)
	for _, v := range page.Facets[0].Values {
		fmt.Println(v.Label, v.Count)
	}
	// Output:
	// [HL-U509 HL-U509-B] 3
	// Black 1
	// Blue 1
	// Red 1
}
