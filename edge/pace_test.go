package edge

import (
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAHeapHasRoomWhileItIsSmallAndBusy(t *testing.T) {
	t.Parallel()
	began := time.Now()
	for what, c := range map[string]struct {
		scanned, allocated uint64 // in MiB
		took               time.Duration
		percent            int
	}{
		"small and busy":            {scanned: 8, allocated: 100, took: time.Second, percent: 600},
		"small, and not so busy":    {scanned: 8, allocated: 14, took: 5 * time.Second, percent: 350},
		"busy again":                {scanned: 8, allocated: 90, took: 10 * time.Second, percent: 600},
		"idle":                      {scanned: 8, allocated: 8, took: time.Minute, percent: 100},
		"a cache that is full":      {scanned: 32, allocated: 100, took: time.Second, percent: 100},
		"larger":                    {scanned: 900, allocated: 2000, took: time.Second, percent: 100},
		"next to nothing":           {scanned: 0, allocated: 100, took: time.Second, percent: 5600},
		"no time since":             {scanned: 16, allocated: 1, took: 0, percent: 250},
		"a clock that was set back": {scanned: 16, allocated: 1, took: -time.Hour, percent: 250},
	} {
		now := heap{at: began.Add(c.took), allocated: c.allocated << 20, scanned: c.scanned << 20}
		assert.Equal(t, c.percent, percentOf(heap{at: began}, now), what)
	}
}

// The pace is the process's: no other test may run beside this one.
//
//nolint:paralleltest // see above
func TestGarbageIsPacedUntilTheEnd(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	for _, said := range []string{"GOGC=200", "GOMEMLIMIT=1GiB"} {
		b := &Backend{}
		b.PaceGC([]string{said})
		require.Nil(t, b.pace, said)
		b.pace.stop()
	}

	b := &Backend{}
	b.PaceGC([]string{"GOGC=", "HOME=/"})
	require.NotNil(t, b.pace)
	var garbage [][]byte
	for range 20_000 { // 20 GB at most; a few collections do
		garbage = append(garbage[:0], make([]byte, 1<<20))
		if inForce(b.pace) > 100 {
			break
		}
	}
	require.Len(t, garbage, 1)
	paced := inForce(b.pace)
	require.Greater(t, paced, 100)
	b.pace.stop()
	b.pace.stop()
	assert.False(t, b.pace.adjust(sample()), "what was stopped sets nothing")
	assert.Equal(t, 100, debug.SetGCPercent(100))
}

func inForce(p *pacer) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.percent
}
