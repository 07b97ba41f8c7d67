package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// failing is an exporter whose collector is not there.
type failing struct{ err error }

func (f failing) ExportSpans(context.Context, []sdk.ReadOnlySpan) error { return f.err }
func (failing) Shutdown(context.Context) error                          { return nil }

func TestLostSpansAreLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		e := &spanExporter{SpanExporter: failing{errors.New("CANARY")}, log: slog.New(slog.NewTextHandler(&out, nil))}
		for range 130 { // two minutes and ten seconds
			require.NoError(t, e.ExportSpans(t.Context(), make([]sdk.ReadOnlySpan, 10)))
			time.Sleep(time.Second)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 3)
		assert.Contains(t, lines[0], `msg="spans not exported" spans=10 cause=refused`)
		assert.Contains(t, lines[1], `spans=600`, "none is forgotten")
		assert.NotContains(t, out.String(), "CANARY")
	})
}

func TestCausesAreConstants(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"timeout":     fmt.Errorf("x: %w", &url.Error{Err: context.DeadlineExceeded}),
		"stopped":     fmt.Errorf("x: %w", context.Canceled),
		"unreachable": fmt.Errorf("x: %w", &url.Error{Err: errors.New("dial")}),
		"refused":     errors.New("status 401"),
	} {
		assert.Equal(t, want, exportCause(err))
	}
}
