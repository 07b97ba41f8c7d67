package limits_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/limits"
)

func TestValidateNamesEveryBadLimit(t *testing.T) {
	t.Parallel()
	err := limits.Config{DrainDelay: -1}.Validate()
	for _, name := range []string{"REQUEST_TIMEOUT", "MAX_IN_FLIGHT", "DRAIN_DELAY"} {
		assert.ErrorContains(t, err, name)
	}
	require.NoError(t, limits.Config{RequestTimeout: time.Second, MaxInFlight: 1}.Validate())
}

type key struct{}

func TestDetachOutlivesTheCallerButNotTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		caller, leave := context.WithTimeout(context.WithValue(t.Context(), key{}, "v"), 2*time.Second)
		ctx, cancel := limits.Detach(caller, time.Minute)
		defer cancel()
		leave()
		require.NoError(t, ctx.Err())
		assert.Equal(t, "v", ctx.Value(key{}))
		time.Sleep(2*time.Second + 1)
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)

		ctx, cancel = limits.Detach(context.WithoutCancel(t.Context()), time.Second)
		defer cancel()
		time.Sleep(time.Second + 1)
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	})
}
