package openloyalty_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/openloyalty"
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

func connect(t *testing.T, base, claim string) commerce.Ports {
	t.Helper()
	ports, err := openloyalty.New(openloyalty.Config{
		Config: transport.Config{BaseURL: base, AllowPrivate: true, MaxAttempts: 1}, APIKey: "sandbox-loyalty-key", IDClaim: claim,
	}, transport.Deps{})
	require.NoError(t, err)
	return ports
}

func TestKeepsTheContracts(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports, fixture := connect(t, box.URL+"/openloyalty", ""), box.Fixture()
	t.Run("customers", func(t *testing.T) { commercetest.Customers(t, ports.Customers, fixture) })
	t.Run("loyalty", func(t *testing.T) { commercetest.Loyalty(t, ports.Loyalty, fixture) })
}
