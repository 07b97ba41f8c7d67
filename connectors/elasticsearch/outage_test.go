package elasticsearch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
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
			cfg := settings(box.URL + "/elasticsearch")
			cfg.AttemptTimeout, cfg.Timeout = 20*time.Second, 20*time.Second // however busy the machine is
			if mode == sandbox.ModeHang || mode == sandbox.ModeDrip {
				cfg.AttemptTimeout, cfg.Timeout = 2*time.Second, 2*time.Second // it has to be waited for, and to do for the good call
			}
			port := connect(t, cfg)
			box.Faults(t, sandbox.Fault{System: "elasticsearch", Operation: "_search", Mode: mode, ErrorRate: 1})
			_, err := port.Search(t.Context(), us, commerce.SearchQuery{Text: "helmet", First: 5})
			require.ErrorIs(t, err, kind)
			box.ClearFaults(t)
			require.NotEmpty(t, search(t, port, commerce.SearchQuery{Text: "helmet"}).SKUs, "and then it works again")
		})
	}
}
