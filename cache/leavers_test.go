package cache

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// Who leaves without a deadline ends what nobody else waits for, at once: no deadline does.
func TestC3_WhatNobodyWaitsForEndsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{})
		begun := time.Now()
		ended := make(chan time.Duration, 1)
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, leave)
		_, _, err := a.Do(ctx, questionOf("q"), func(ctx context.Context) (Produced, error) {
			<-ctx.Done()
			ended <- time.Since(begun)
			return Produced{}, ctx.Err()
		})
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 10*time.Millisecond, <-ended)
	})
}
