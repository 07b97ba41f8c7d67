package bffmobile

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// M9: a channel that has much to do leaves out what is least important, says so, and asks
// nobody for it; the screen that lacks it is not kept, so that the next one has it again.
func TestM9_UnderPressureTheLeastImportantIsLeftOut(t *testing.T) {
	t.Parallel()
	const others = 5 // and the one that is looked at are 6 of the 8 places for reads
	s, _ := keepingLate(t, 0, func(b *edge.Backend) { b.Config.Limits.MaxInFlight, b.Config.Limits.RequestTimeout = 10, time.Minute })
	var inside, done sync.WaitGroup
	inside.Add(others)
	leave := make(chan struct{})
	letGo := sync.OnceFunc(func() { close(leave) })
	defer letGo() // or a failure would be waited for
	s.Hold(commerce.OpSearch, func(context.Context) { inside.Done(); <-leave })
	for i := range others {
		request := get(fmt.Sprintf("/v1/screens/search?q=mug%d", i)).request(t)
		done.Go(func() { assert.Equal(t, http.StatusOK, s.quietly(request)) })
	}
	inside.Wait()
	s.ResetCalls()
	product := get("/v1/screens/products/MUG-RED")
	for range 2 {
		a := s.checked(t, product)
		assert.Equal(t, http.StatusOK, a.Status, a.Raw)
		assert.Equal(t, []api.Degraded{{Part: "related", Source: "mobile", State: api.DegradedMissing, Reason: "bulkhead-full", RetryAfterMs: 1000}}, degradedOf(t, a))
		assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
		assert.Empty(t, a.Header.Get("ETag"))
		assert.Equal(t, "miss", s.how(t))
	}
	assert.Zero(t, s.Calls(commerce.OpRelated))
	s.Hold(commerce.OpSearch, nil)
	letGo()
	done.Wait()
	whole := s.ok(t, product)
	require.Empty(t, degradedOf(t, whole))
	require.Contains(t, whole.Raw, `"related":`)
	require.Equal(t, 1, s.Calls(commerce.OpRelated))
}
