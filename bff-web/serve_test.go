package bffweb

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServeStartsAndStops(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "WEB_ADDR=127.0.0.1:0", "WEB_ADMIN_ADDR=127.0.0.1:0", "LOG_LEVEL=error"})
	require.NoError(t, err)
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	assert.Empty(t, app.Addr())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- app.Serve(ctx) }()
	select {
	case <-app.Ready():
	case err := <-stopped:
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	status := func(method, url, body string) int {
		req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	assert.Equal(t, http.StatusOK, status(http.MethodPost, "http://"+app.Addr()+"/graphql", `{"query":"{__typename}"}`))
	assert.Equal(t, http.StatusOK, status(http.MethodGet, "http://"+app.AdminAddr()+"/readyz", ""))
	assert.NotNil(t, app.Backend())
	assert.NotNil(t, app.Handler())
	cancel()
	assert.NoError(t, <-stopped)
}

func TestServeAnswersWhenAnAddressIsTaken(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "WEB_ADDR=256.0.0.1:1", "WEB_ADMIN_ADDR=127.0.0.1:0", "LOG_LEVEL=error"})
	require.NoError(t, err)
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	assert.ErrorContains(t, app.Serve(t.Context()), "listen on 256.0.0.1:1")
}

func TestLoadReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Load([]string{"REQUEST_TIMEOUT=soon", "PIM_KIND=nothing"})
	require.Error(t, err)
	for _, variable := range []string{"REQUEST_TIMEOUT", "PIM_KIND", "ORDER_TOKEN_KEY"} {
		assert.ErrorContains(t, err, variable)
	}
}

// TestW12_TimeoutsAreSet holds the server's limits on slow clients.
func TestW12_TimeoutsAreSet(t *testing.T) {
	t.Parallel()
	s := server(http.NotFoundHandler())
	assert.Equal(t, 2*time.Second, s.ReadHeaderTimeout)
	assert.Equal(t, 5*time.Second, s.ReadTimeout)
	assert.Equal(t, 15*time.Second, s.WriteTimeout)
	assert.Equal(t, 60*time.Second, s.IdleTimeout)
	assert.Equal(t, 16<<10, s.MaxHeaderBytes)
}
