package bffmobile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"PORTICO_MODE=development", "MOBILE_ADDR=127.0.0.1:1"})
	require.NoError(t, err)
	require.Equal(t, Channel{Addr: "127.0.0.1:1", AdminAddr: "127.0.0.1:9081", HomePage: "home"}, cfg.Channel)

	_, err = Load([]string{"PORTICO_MODE=sandcastle", "MOBILE_ADDR=here", "MOBILE_ADMIN_ADDR=there", "MOBILE_HOME_PAGE=a b"})
	for _, variable := range []string{"PORTICO_MODE", "MOBILE_ADDR", "MOBILE_ADMIN_ADDR", "MOBILE_HOME_PAGE"} {
		require.ErrorContains(t, err, variable)
	}
}
