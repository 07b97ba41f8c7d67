package main

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnAlarmWakesEachInItsTime(t *testing.T) {
	t.Parallel()
	a, err := newAlarm()
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			d := time.Duration((i*37)%50) * time.Millisecond // those who come later may be due sooner
			begin := time.Now()
			a.wait(d)
			assert.GreaterOrEqual(t, time.Since(begin), d)
		})
	}
	all.Wait()
	assert.Empty(t, a.list)
	require.NoError(t, a.close())
}
