package pimcore_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/pimcore"
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

// connect is a connector of the sandbox's Pimcore.
func connect(t *testing.T, url string) commerce.Ports {
	t.Helper()
	ports, err := pimcore.New(pimcore.Config{
		Config:    transport.Config{BaseURL: url + "/pimcore", AllowPrivate: true},
		APIKey:    "sandbox-pimcore-key",
		Languages: []string{"en", "fr", "he", "th", "ar", "zh-Hant"},
	}, transport.Deps{})
	require.NoError(t, err)
	return ports
}

func TestKeepsTheContracts(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports, fixture := connect(t, box.URL), box.Fixture()
	t.Run("catalog", func(t *testing.T) { commercetest.Catalog(t, ports.Catalog, fixture) })
	t.Run("related", func(t *testing.T) { commercetest.Related(t, ports.Related, ports.Catalog, fixture) })
	t.Run("categories", func(t *testing.T) { commercetest.Categories(t, ports.Categories, fixture) })
	t.Run("content", func(t *testing.T) { commercetest.Content(t, ports.Content, fixture) })
	t.Run("listing", func(t *testing.T) { commercetest.Listing(t, ports, fixture) })
	t.Run("reviews", func(t *testing.T) { commercetest.Reviews(t, ports.Reviews, fixture) })
}
