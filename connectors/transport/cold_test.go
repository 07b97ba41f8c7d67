package transport

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/schema/commerce"
)

// page is what a product page asks of an ERP that nobody has asked before: price
// and stock at once, each a lookup and then the rows.
func page(ctx context.Context, c *Client) error {
	var both errgroup.Group
	for _, op := range []commerce.Operation{commerce.OpPrices, commerce.OpAvailability} {
		both.Go(func() error {
			for _, step := range []string{"lookup", "rows"} {
				r := get(step)
				r.Step = step
				if _, err := c.Do(ctx, commerce.Traits{System: "odoo", Operation: op, Access: commerce.Read}, r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return both.Wait()
}

// coldBurst asks for so many pages at once, of a process that has just started.
// It answers how many are complete within a second, and the limit then.
func coldBurst(t *testing.T, pages int, takes time.Duration) (complete int64, limit int) {
	var done atomic.Int64
	synctest.Test(t, func(t *testing.T) {
		c := over(t, Config{}, &answering{takes: func(int64) (time.Duration, int, error) { return takes, http.StatusOK, nil }})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var all errgroup.Group
		for range pages {
			all.Go(func() error {
				if page(ctx, c) == nil {
					done.Add(1)
				}
				return nil
			})
		}
		_ = all.Wait() // pages that are not complete are counted, not told
		limit, _, _ = c.bulkhead.stats()
	})
	return done.Load(), limit
}

// A process that starts under a burst must not take it for overload of a system
// that is well: with a limit at its floor it would have to refuse most of it.
func TestAColdStartUnderABurst(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pages int
		takes time.Duration
		least int64
	}{
		{50, 50 * ms, 50},
		{100, 50 * ms, 45},
		{200, 50 * ms, 0}, // 400 calls at once for 160 places: hardly a page gets both
		{50, 300 * ms, 0}, // 32 at a time, and a wait of 250 ms is shorter than a round
		{200, 300 * ms, 0},
	} {
		complete, limit := coldBurst(t, test.pages, test.takes)
		t.Logf("%d pages, %v: %d complete", test.pages, test.takes, complete)
		assert.GreaterOrEqual(t, complete, test.least, "%d pages, %v", test.pages, test.takes)
		assert.GreaterOrEqual(t, limit, firstLimit, "%d pages, %v", test.pages, test.takes)
	}
}
