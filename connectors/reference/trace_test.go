package reference

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
)

type private struct{}

func TestALoadIsPartOfTheTraceThatCausedIt(t *testing.T) {
	t.Parallel()
	cause := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	ctx := trace.ContextWithSpanContext(context.WithValue(t.Context(), private{}, "ann"), cause)
	c := New[string, int](Config{Name: "ids"})
	_, err := c.Get(ctx, "a", func(ctx context.Context, _ string) (int, error) {
		assert.Equal(t, cause, trace.SpanContextFromContext(ctx))
		assert.Nil(t, ctx.Value(private{}), "and nothing else is passed on")
		return 1, nil
	})
	require.NoError(t, err)
}
