package magento_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/magento"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config reaches the sandbox's shop at base, with its credentials.
func config(base string) magento.Config {
	return magento.Config{
		Config:      transport.Config{BaseURL: base, AllowPrivate: true},
		ConsumerKey: "sandbox-consumer", ConsumerSecret: "sandbox-consumer-secret",
		Token: "sandbox-token", TokenSecret: "sandbox-token-secret",
	}
}

func quiet() transport.Deps {
	return transport.Deps{Log: slog.New(slog.DiscardHandler)}
}

func connect(t *testing.T, base string) commerce.Ports {
	t.Helper()
	ports, err := magento.New(config(base), quiet())
	require.NoError(t, err)
	return ports
}

func TestContracts(t *testing.T) {
	t.Parallel()
	shop := sandboxtest.Start(t)
	ports := connect(t, shop.URL+"/magento")
	commercetest.OrderHistory(t, ports.PlacedOrders, shop.Fixture())
	commercetest.Carts(t, ports, shop.Fixture())
}
