package telemetry

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/requestid"
)

func TestLinesOfARequestCarryItsIDOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := New(Config{Out: &out}, "web")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close(context.Background())) })
	ctx := requestid.With(t.Context(), "abc-1")
	log.Log().WarnContext(ctx, "upstream call failed")
	log.Log().WarnContext(ctx, "named already", slog.String("requestId", "abc-1"))
	log.Log().WarnContext(t.Context(), "nobody's")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 3)
	assert.Contains(t, lines[0], `"channel":"web","requestId":"abc-1"`)
	assert.Equal(t, 1, strings.Count(lines[1], "requestId"))
	assert.NotContains(t, lines[2], "requestId")
}
