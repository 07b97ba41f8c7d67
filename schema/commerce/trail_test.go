package commerce_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestTrailKeepsEachMarkOnce(t *testing.T) {
	t.Parallel()
	commerce.Mark(t.Context(), commerce.ReasonRetried) // without a trail nothing happens
	ctx, trail := commerce.WithTrail(t.Context())
	assert.Nil(t, trail.Outcomes())
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { commerce.Mark(ctx, commerce.ReasonRetried) })
	}
	wg.Wait()
	commerce.Mark(ctx, commerce.ReasonHedged)
	got := trail.Outcomes()
	assert.Equal(t, []commerce.Reason{commerce.ReasonRetried, commerce.ReasonHedged}, got)
	got[0] = commerce.ReasonTimeout
	assert.Equal(t, commerce.ReasonRetried, trail.Outcomes()[0], "callers get a copy")
}
