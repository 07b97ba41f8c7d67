package transport

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// panicking calls once more, meets the panic that its first attempt ends in after late, and
// answers how long that took; by then nothing of the call is under way.
func panicking(t *testing.T, upstream *answering, late time.Duration) time.Duration {
	c := over(t, Config{}, upstream)
	var signed atomic.Int64
	c.sign = func(*http.Request) error {
		if signed.Add(1) == 101 {
			time.Sleep(late)
			panic("signing")
		}
		return nil
	}
	warm(t, c, 100)
	begun := time.Now()
	assert.PanicsWithValue(t, "signing", func() { _, _ = do(t, c, readTraits, get("x")) })
	took := time.Since(begun)
	_, inFlight, _ := c.bulkhead.stats()
	assert.Zero(t, inFlight, "its slot is free")
	return took
}

// Who has panicked gets no company.
func TestN11_NoHedgeBeginsForAnAttemptThatPanicked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: slowAfter(100, time.Second)}
		assert.Zero(t, panicking(t, upstream, 0))
		time.Sleep(time.Minute)
		assert.EqualValues(t, 100, upstream.calls.Load())
	})
}

// A hedge that is out when the first attempt panics is cancelled, and waited for.
func TestN11_AHedgeEndsWithAnAttemptThatPanicked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &answering{takes: slowAfter(100, time.Second)}
		assert.Equal(t, 100*time.Millisecond, panicking(t, upstream, 100*time.Millisecond))
		assert.EqualValues(t, 101, upstream.calls.Load())
		assert.Len(t, upstream.cancelled, 1)
	})
}
