package bffweb

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commercetest"
)

// What is in force, be it set or by default, is in the log once; what is secret is not.
func TestTheConfigurationInForceIsLogged(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("c4n4ry", 8)
	cfg, err := Load([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "WEB_DOCUMENTS_POLL=7s", "WEB_QUERY_CALLS=33", "WEB_TRACE_SECRET=" + secret, "WEB_DEMO_URL=http://me:c4n4ry@demo.test"})
	require.NoError(t, err)
	log := &commercetest.Log{}
	cfg.Telemetry.Out = log
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, app.Close(t.Context()))
	line := ""
	for l := range strings.Lines(log.String()) {
		if strings.Contains(l, `"msg":"configuration of the web channel"`) {
			assert.Empty(t, line, "once")
			line = l
		}
	}
	for _, attr := range []string{
		`"WEB_OPEN_QUERIES":"true"`, `"WEB_DOCUMENTS_DIR":""`, `"WEB_DOCUMENTS_REDIS":"false"`, `"WEB_DOCUMENTS_POLL":"7s"`,
		`"WEB_QUERY_CALLS":"33"`, `"WEB_ADDR":"127.0.0.1:8080"`, `"WEB_ADMIN_ADDR":"127.0.0.1:9080"`, `"WEB_TRACE_SECRET":`,
	} {
		assert.Contains(t, line, attr)
	}
	assert.NotContains(t, log.String(), "c4n4ry")
	for _, s := range Sections() {
		assert.NotEmpty(t, s.Title)
	}
}
