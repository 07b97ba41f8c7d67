package magento_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/magento"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config reaches the sandbox's shop at base, with its credentials and so much patience
// that nothing but a fault makes a call fail, however busy the machine is.
func config(base string) magento.Config {
	return magento.Config{
		Config:      transport.Config{BaseURL: base, AllowPrivate: true, AttemptTimeout: 20 * time.Second, Timeout: 20 * time.Second},
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

func TestConfigFromTheEnvironment(t *testing.T) {
	t.Parallel()
	set := map[string]string{
		"CHECKOUT_BASE_URL": "https://shop.test", "CHECKOUT_CONSUMER_KEY": "a", "CHECKOUT_CONSUMER_SECRET": "b",
		"CHECKOUT_TOKEN": "c", "CHECKOUT_TOKEN_SECRET": "d",
	}
	cfg, err := env.ParseAsWithOptions[magento.Config](env.Options{Prefix: "CHECKOUT_", Environment: set})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"USD": "default", "EUR": "eur", "GBP": "gbp"}, cfg.Stores)
	assert.Equal(t, "email", cfg.IDClaim)
	_, err = magento.New(cfg, quiet())
	require.NoError(t, err)

	set["CHECKOUT_STORES"] = "CHF=ch_de,USD=us"
	cfg, err = env.ParseAsWithOptions[magento.Config](env.Options{Prefix: "CHECKOUT_", Environment: set})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"CHF": "ch_de", "USD": "us"}, cfg.Stores)

	_, err = env.ParseAsWithOptions[magento.Config](env.Options{Prefix: "CHECKOUT_", Environment: map[string]string{}})
	for _, name := range []string{"CHECKOUT_BASE_URL", "CHECKOUT_CONSUMER_KEY", "CHECKOUT_CONSUMER_SECRET", "CHECKOUT_TOKEN", "CHECKOUT_TOKEN_SECRET"} {
		assert.ErrorContains(t, err, name)
	}
}
