package cache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestInspectTellsWhatBecameOfLeases(t *testing.T) {
	t.Parallel()
	url := urlOf(newRedis(t))
	a, b := newNode(t, url), newNode(t, url)
	upstream := &source{takes: 400 * time.Millisecond}
	require.Empty(t, stampede(t, over(a, upstream), over(b, upstream)))
	one, two := a.Inspect().Redis.Leases, b.Inspect().Redis.Leases
	assert.Equal(t, LeaseState{Granted: 1, WaitedFor: 1}, LeaseState{
		Granted: one.Granted + two.Granted, WaitedFor: one.WaitedFor + two.WaitedFor,
		TakenOver: one.TakenOver + two.TakenOver, Failed: one.Failed + two.Failed,
	}, "who is first is chance")

	for range breakAfter {
		a.remote.leases.done(time.Now(), false)
	}
	a.remote.leases.next = time.Now().Add(time.Hour) // no probe
	_, _, err := ask(t.Context(), over(a, upstream), commerce.SKU("other"))
	require.NoError(t, err)
	state := a.Inspect().Redis
	assert.Equal(t, "open", state.Leasing)
	assert.Equal(t, "closed", state.Reads)
	assert.EqualValues(t, 1, state.Leases.Failed)
}
