package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
)

func start(t *testing.T, level slog.Level) (*telemetry.Telemetry, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	tel, err := telemetry.New(telemetry.Config{LogLevel: level, Out: &out}, "web")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, tel.Close(t.Context())) })
	return tel, &out
}

func scrape(t *testing.T, tel *telemetry.Telemetry) string {
	t.Helper()
	rec := httptest.NewRecorder()
	tel.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, rec.Code)
	return rec.Body.String()
}

func TestARequestIsOneLineAndOneObservation(t *testing.T) {
	t.Parallel()
	tel, out := start(t, slog.LevelInfo)
	ctx := requestid.With(t.Context(), "req-1")
	tel.ObserveRequest(ctx, telemetry.Request{
		Method: "POST", Route: "/graphql", Operation: "ProductPage", Status: 200, Duration: 30 * time.Millisecond, Bytes: 1234,
	})
	assert.Equal(t, 1, strings.Count(out.String(), "\n"))
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	delete(line, "time")
	assert.Equal(t, map[string]any{
		"level": "INFO", "msg": "request", "channel": "web", "requestId": "req-1", "method": "POST", "route": "/graphql",
		"operation": "ProductPage", "status": 200.0, "durationMs": 30.0, "bytes": 1234.0,
	}, line)

	metrics := scrape(t, tel)
	labels := `http_request_method="POST",http_response_status_code="200",http_route="/graphql"`
	assert.Regexp(t, `(?m)^http_server_request_duration_seconds_count\{`+labels+`.*\} 1$`, metrics)
	assert.Regexp(t, `(?m)^http_server_request_duration_seconds_bucket\{`+labels+`.*,le="0.05"\} 1$`, metrics)
	assert.Regexp(t, `(?m)^http_server_request_duration_seconds_bucket\{`+labels+`.*,le="0.025"\} 0$`, metrics)
	assert.Contains(t, metrics, "go_memory_used_bytes")
}

// Whoever has read the clock already is not to have it read again.
func TestALineSaysWhenTheRequestHadBeenAnswered(t *testing.T) {
	t.Parallel()
	tel, out := start(t, slog.LevelInfo)
	tel.ObserveRequest(t.Context(), telemetry.Request{Method: "GET", Route: "/", Status: 200, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
	assert.Contains(t, out.String(), `"time":"2026-01-02T03:04:05Z"`)
}

func TestAFailureIsAnErrorWithItsCause(t *testing.T) {
	t.Parallel()
	tel, out := start(t, slog.LevelError)
	tel.ObserveRequest(t.Context(), telemetry.Request{Method: "GET", Route: "/v1/orders", Status: 200})
	assert.Empty(t, out.String(), "below the level")
	tel.ObserveRequest(t.Context(), telemetry.Request{
		Method: "GET", Route: "/v1/orders", Status: 500, RequestID: "req-2", Err: errors.New("boom"),
	})
	assert.Contains(t, out.String(), `"level":"ERROR"`)
	assert.Contains(t, out.String(), `"error":"boom"`)
	assert.Contains(t, out.String(), `"requestId":"req-2"`)
}

func TestClientsCannotGrowMetricsOrLines(t *testing.T) {
	t.Parallel()
	tel, out := start(t, slog.LevelInfo)
	for _, method := range []string{"BREW", "PROPFIND"} {
		tel.ObserveRequest(t.Context(), telemetry.Request{Method: method, Route: "/", Status: 405, Operation: strings.Repeat("x", 500)})
	}
	assert.Regexp(t, `(?m)^http_server_request_duration_seconds_count\{http_request_method="_OTHER".*\} 2$`, scrape(t, tel))
	assert.NotContains(t, out.String(), strings.Repeat("x", 65))
}
