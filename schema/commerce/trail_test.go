package commerce_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func calls(trail *commerce.Trail) (list []commerce.Call, lost int) {
	lost = trail.Visit(func(c *commerce.Call) { list = append(list, *c) })
	return list, lost
}

func TestATrailKeepsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, trail := commerce.WithTrail(t.Context())
		trail.For(24)
		begun := time.Now()
		record := commerce.TrailOf(ctx).Record("odoo", commerce.OpPrices, "step")
		time.Sleep(time.Millisecond)
		n := record.Attempt(false)
		time.Sleep(5 * time.Millisecond)
		record.Queued(n, 2*time.Millisecond)
		record.Attempted(n, 503, "unavailable")
		record.Answered(20, 10)
		record.End("unavailable", time.Second)
		list, lost := calls(trail)
		assert.Zero(t, lost)
		want := commerce.Call{
			System: "odoo", Operation: commerce.OpPrices, Step: "step", Keys: 24, Began: begun, Took: 6 * time.Millisecond,
			Outcome: "unavailable", RetryAfter: time.Second, Bytes: 20, Wire: 10, Tries: 1,
		}
		want.Attempts[0] = commerce.Attempt{After: time.Millisecond, Took: 5 * time.Millisecond, Queued: 2 * time.Millisecond, Outcome: "unavailable", Status: 503}
		assert.Equal(t, []commerce.Call{want}, list)
	})
}

func TestNoTrailRecordsNothing(t *testing.T) {
	t.Parallel()
	record := commerce.TrailOf(t.Context()).Record("odoo", commerce.OpPrices, "")
	require.Nil(t, record)
	record.Queued(record.Attempt(true), time.Second)
	record.Attempted(0, 200, "ok")
	record.Answered(1, 1)
	record.End("ok", 0)
	list, lost := calls(nil)
	assert.Empty(t, list)
	assert.Zero(t, lost)
}

func TestATrailIsBounded(t *testing.T) {
	t.Parallel()
	_, trail := commerce.WithTrail(t.Context())
	for range 130 {
		record := trail.Record("odoo", commerce.OpPrices, "")
		for range commerce.MaxTried + 2 {
			record.Attempted(record.Attempt(false), 200, "ok")
		}
	}
	list, lost := calls(trail)
	assert.Len(t, list, 128)
	assert.Equal(t, 2, lost)
	assert.Equal(t, commerce.MaxTried+2, list[0].Tries)
}

func TestATrailShowsWhatItFollows(t *testing.T) {
	t.Parallel()
	_, own := commerce.WithTrail(t.Context())
	_, other := commerce.WithTrail(t.Context())
	own.Follow(other)
	own.Follow(other)
	own.Follow(own)
	own.Follow(nil)
	var none *commerce.Trail
	none.Follow(other)
	own.Record("pimcore", commerce.OpProducts, "")
	other.Record("odoo", commerce.OpPrices, "")
	list, _ := calls(own)
	require.Len(t, list, 2)
	assert.Equal(t, []string{"pimcore", "odoo"}, []string{list[0].System, list[1].System})
	list, _ = calls(other)
	assert.Len(t, list, 1)
}

func TestATrailMayBeReadWhileItIsWritten(t *testing.T) {
	t.Parallel()
	_, trail := commerce.WithTrail(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				record := trail.Record("odoo", commerce.OpPrices, "")
				record.Attempted(record.Attempt(false), 200, "ok")
				record.End("ok", 0)
				calls(trail)
			}
		})
	}
	wg.Wait()
	list, _ := calls(trail)
	assert.Len(t, list, 80)
}

func TestWaysHaveAWordEach(t *testing.T) {
	t.Parallel()
	words := map[string]bool{}
	for way := commerce.WayUnknown; way <= commerce.WayDirect; way++ {
		words[way.String()] = true
	}
	assert.Len(t, words, 6)
	assert.True(t, words["joined"])
}

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
