package commercetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// dead is a context whose caller has left.
func dead(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// canceled checks that a caller who left is told just that.
func canceled(t *testing.T, call func(*testing.T) error) {
	t.Run("a caller who left is told so", func(t *testing.T) {
		require.ErrorIs(t, call(t), context.Canceled)
	})
}
