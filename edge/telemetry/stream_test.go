package telemetry_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/recent"
	"github.com/portico-bff/portico/edge/telemetry"
)

// A stream lasts for as long as its client likes: it is kept for what went wrong, not for that.
func TestStreamsAreNotSlow(t *testing.T) {
	t.Parallel()
	kept := recent.New(recent.Config{Slow: time.Millisecond, Bytes: 1 << 20})
	tel, err := telemetry.New(telemetry.Config{Out: io.Discard, Requests: kept}, "web")
	require.NoError(t, err)
	defer func() { require.NoError(t, tel.Close(t.Context())) }()
	for id, r := range map[string]telemetry.Request{
		"a stream":         {Status: http.StatusOK, Duration: time.Hour, Lasts: true},
		"a socket":         {Status: http.StatusSwitchingProtocols, Duration: time.Hour, Lasts: true},
		"one that failed":  {Status: http.StatusServiceUnavailable, Duration: time.Hour, Lasts: true},
		"one that is slow": {Status: http.StatusOK, Duration: time.Hour},
	} {
		r.RequestID, r.Method, r.Route = id, http.MethodPost, "/graphql"
		tel.ObserveRequest(t.Context(), r)
	}
	var ids []string
	for _, raw := range kept.Snapshot().Requests {
		var r struct{ RequestID string }
		require.NoError(t, json.Unmarshal(raw, &r))
		ids = append(ids, r.RequestID)
	}
	assert.ElementsMatch(t, []string{"one that failed", "one that is slow"}, ids)
}
