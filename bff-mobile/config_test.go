package bffmobile

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"PORTICO_MODE=development", "MOBILE_ADDR=127.0.0.1:1"})
	require.NoError(t, err)
	require.Equal(t, Channel{Addr: "127.0.0.1:1", AdminAddr: "127.0.0.1:9081", HomePage: "home", LateFrom: 2 * time.Millisecond}, cfg.Channel)

	_, err = Load([]string{"PORTICO_MODE=sandcastle", "MOBILE_ADDR=here", "MOBILE_ADMIN_ADDR=there", "MOBILE_HOME_PAGE=a b"})
	for _, variable := range []string{"PORTICO_MODE", "MOBILE_ADDR", "MOBILE_ADMIN_ADDR", "MOBILE_HOME_PAGE"} {
		require.ErrorContains(t, err, variable)
	}
}

// What is in force, be it set or by default, is in the log once; what is secret is not.
func TestTheConfigurationInForceIsLogged(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"PORTICO_MODE=development", "MOBILE_ADDR=127.0.0.1:1", "MOBILE_HOME_PAGE=start"})
	require.NoError(t, err)
	var log bytes.Buffer
	cfg.Telemetry.Out = &log
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, app.Backend().Close(t.Context()))
	var lines []string
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, `"msg":"configuration of the mobile channel"`) {
			lines = append(lines, line)
		}
	}
	require.Len(t, lines, 1)
	for _, attr := range []string{`"MOBILE_ADDR":"127.0.0.1:1"`, `"MOBILE_ADMIN_ADDR":"127.0.0.1:9081"`, `"MOBILE_HOME_PAGE":"start"`} {
		assert.Contains(t, lines[0], attr)
	}
	for _, s := range Sections() {
		assert.NotEmpty(t, s.Title)
	}
}
