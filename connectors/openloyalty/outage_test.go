package openloyalty_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/openloyalty"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestOutagesAreTyped(t *testing.T) {
	t.Parallel()
	for mode, kind := range map[string]error{
		sandbox.ModeStatus: commerce.ErrUnavailable, sandbox.ModeReset: commerce.ErrUnavailable, sandbox.ModeHang: commerce.ErrTimeout,
		sandbox.ModeDrip: commerce.ErrTimeout, sandbox.ModeTruncate: commerce.ErrUpstream, sandbox.ModeGarbage: commerce.ErrUpstream,
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			box := sandboxtest.Start(t)
			cfg := openloyalty.Config{
				Config: transport.Config{
					BaseURL: box.URL + "/openloyalty", AllowPrivate: true, MaxAttempts: 1,
					AttemptTimeout: 20 * time.Second, Timeout: 20 * time.Second, // however busy the machine is
				},
				APIKey: "sandbox-loyalty-key",
			}
			if mode == sandbox.ModeHang || mode == sandbox.ModeDrip {
				cfg.AttemptTimeout, cfg.Timeout = 2*time.Second, 2*time.Second // it has to be waited for, and to do for the good call
			}
			ports, err := openloyalty.New(cfg, transport.Deps{})
			require.NoError(t, err)
			who := box.Fixture().Customer
			box.Faults(t, sandbox.Fault{System: "openloyalty", Mode: mode, ErrorRate: 1})
			_, err = ports.Customers.Customer(t.Context(), who)
			require.ErrorIs(t, err, kind, "while the principal is looked up")
			box.ClearFaults(t)
			_, err = ports.Customers.Customer(t.Context(), who)
			require.NoError(t, err, "a lookup that failed is not remembered")
			box.Faults(t, sandbox.Fault{System: "openloyalty", Mode: mode, ErrorRate: 1})
			_, err = ports.Loyalty.Loyalty(t.Context(), who)
			require.ErrorIs(t, err, kind, "once the principal is known")
		})
	}
}
