package elasticsearch_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/elasticsearch"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestMain(m *testing.M) {
	// The pool keeps idle connections of clients that tests have left behind.
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
	)
}

// settings are those of the sandbox's index.
func settings(base string) elasticsearch.Config {
	return elasticsearch.Config{
		Config:     transport.Config{BaseURL: base, AllowPrivate: true, MaxAttempts: 1},
		APIKey:     "c2FuZGJveDpzZWNyZXQ=",
		Languages:  []string{"en", "fr", "he", "th", "ar", "zh-Hant"},
		Currencies: []string{"USD", "EUR", "GBP"},
		TextFields: []string{"name^3", "category_names^2", "brand.text", "color.text", "description.{language}"},
		Facets:     []string{"category=category_ids/category_facet", "color=color", "size=size", "brand=brand"},
		PriceSteps: []string{"0", "50", "100", "250", "500", "1000", "2000"},
	}
}

func connect(t *testing.T, cfg elasticsearch.Config) commerce.Search {
	t.Helper()
	ports, err := elasticsearch.New(cfg, transport.Deps{})
	require.NoError(t, err)
	return ports.Search
}

func TestKeepsTheContract(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	commercetest.Search(t, connect(t, settings(box.URL+"/elasticsearch")), box.Fixture())
}
