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

// Product pages at 500 a second ask one system up to five things each, and it answers in
// 20 ms: 50 attempts at a time. A system that is well refuses none of them, however a
// process comes to that load.
func TestASystemThatIsWellRefusesNobodyAfterAStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		rates []float64 // a second each
	}{
		{"at once", []float64{2500}},
		{"at once, somewhat less", []float64{1500}},
		{"in steps, as behind a load balancer", []float64{500, 1000, 1500, 2000, 2500}},
		{"at once after a calm time", []float64{20, 20, 2500}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBulkhead(128)
				s := newSimulation(b, newWorkers(1000))
				calls := newKind(takes(20 * ms)).always
				for _, rate := range test.rates {
					s.offer(rate, time.Second, calls)
				}
				s.offer(test.rates[len(test.rates)-1], 10*time.Second, calls)
				s.calls.Wait()
				all := s.score(0, 20)
				assert.Equal(t, all.offered, all.good)
				limit, _, _ := b.stats()
				t.Logf("limit %d, longest %v, refused %d", limit, all.took[len(all.took)-1], all.refused)
			})
		})
	}
}
