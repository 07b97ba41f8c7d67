package recent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

const ms = time.Millisecond

// document is a trusted one.
type document string

func (d document) ID() string { return string(d) }

// roomy has room for whatever a test asks.
var roomy = Config{Slow: 500 * ms, Bytes: 16 << 20}

// made is what is known of an answer for which a system was called n times, each with an
// attempt that failed.
func made(t testing.TB, calls int) *Made {
	t.Helper()
	ctx, trail := commerce.WithTrail(t.Context())
	for range calls {
		r := trail.Record("odoo", commerce.OpPrices, "product.product.search_read")
		r.Attempted(r.Attempt(false), 503, "unavailable")
		r.End("unavailable", 0)
	}
	ctx, sink := commerce.WithSink(ctx)
	return &Made{Spent: timing.Of(ctx, sink.Lists(nil)), Market: commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}}
}

// listed is what is shown, as far as tests look at it.
type listed struct {
	Number            int
	At                time.Time
	Why, Errors       []string
	RequestID, Method string
	Route, Operation  string
	Document, Answer  string
	Status            int
	MS                float64
	Market            map[string]string
	Parts             []Part
	MoreParts         int
	Waterfall         *struct {
		TotalMS      float64
		Calls        []map[string]any
		Reads        []map[string]any
		OmittedCalls int
	}
}

func list(t testing.TB, r *Requests) []listed {
	t.Helper()
	all := []listed{}
	for _, text := range r.Snapshot().Requests {
		var one listed
		require.NoError(t, json.Unmarshal(text, &one), string(text))
		all = append(all, one)
	}
	return all
}

// ids are those of what is shown, in its order.
func ids(t testing.TB, r *Requests) (all []string) {
	t.Helper()
	for _, one := range list(t, r) {
		all = append(all, one.RequestID)
	}
	return all
}

func TestWhatIsKeptAndWhy(t *testing.T) {
	t.Parallel()
	partly := func() *Made {
		m := made(t, 1)
		m.Degraded = true
		m.Tell = func() Told {
			return Told{Errors: []string{"UNAVAILABLE", "UNAVAILABLE"}, Parts: []Part{
				{Part: "products.*.price", System: "odoo", State: commerce.StateMissing, Reason: commerce.ReasonBreakerOpen, RetryAfterMS: 800, Count: 1},
				{Part: "products.*.price", System: "odoo", State: commerce.StateMissing, Reason: commerce.ReasonBreakerOpen, RetryAfterMS: 900, Count: 1},
				{Part: "products.*.availability", System: "odoo", State: commerce.StateStale, Reason: commerce.ReasonTimeout, AgeMS: 42, Count: 1},
			}}
		}
		return m
	}
	wholly := made(t, 2)
	wholly.Failed, wholly.Degraded, wholly.Document = true, true, document("sha256:ab")
	for name, tc := range map[string]struct {
		request Request
		why     []string // nil: it is not kept
	}{
		"a kept answer":              {Request{Status: 200, Duration: 499 * ms, Answer: "hit"}, nil},
		"a slow kept answer":         {Request{Status: 200, Duration: 500 * ms, Answer: "hit"}, []string{"slow"}},
		"one that nothing is run of": {Request{Status: 400, Duration: ms, Made: &Made{}}, nil},
		"an ordinary one":            {Request{Status: 200, Duration: 3 * ms, Made: made(t, 1)}, []string{"slowest"}},
		"a client's mistake":         {Request{Status: 404, Duration: 3 * ms}, nil},
		"a slow mistake":             {Request{Status: 401, Duration: time.Second}, []string{"slow"}},
		"a failure":                  {Request{Status: 503, Duration: 3 * ms}, []string{"failed"}},
		"a slow failure":             {Request{Status: 504, Duration: 5 * time.Second, Made: made(t, 1)}, []string{"failed", "slow"}},
		"a degraded one":             {Request{Status: 200, Duration: 3 * ms, Made: partly()}, []string{"degraded"}},
		"a slow degraded one":        {Request{Status: 200, Duration: time.Second, Made: partly()}, []string{"degraded", "slow"}},
		"one without what it is for": {Request{Status: 200, Duration: 3 * ms, Made: wholly}, []string{"failed", "degraded"}},
		"one that is refused late":   {Request{Status: 409, Duration: ms, Made: made(t, 1)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := New(roomy)
			tc.request.ID = name
			r.Observe(t.Context(), &tc.request)
			all := list(t, r)
			if tc.why == nil {
				assert.Empty(t, all)
				return
			}
			require.Len(t, all, 1)
			assert.Equal(t, tc.why, all[0].Why)
			assert.Equal(t, name, all[0].RequestID)
			assert.Equal(t, tc.request.Status, all[0].Status)
			assert.InDelta(t, float64(tc.request.Duration/ms), all[0].MS, 0)
			assert.Equal(t, name == "one without what it is for", all[0].Document == "sha256:ab")
			if strings.Contains(name, "degraded") {
				assert.Equal(t, []string{"UNAVAILABLE"}, all[0].Errors)
				assert.Equal(t, []Part{
					{Part: "products.*.price", System: "odoo", State: commerce.StateMissing, Reason: commerce.ReasonBreakerOpen, RetryAfterMS: 900, Count: 2},
					{Part: "products.*.availability", System: "odoo", State: commerce.StateStale, Reason: commerce.ReasonTimeout, AgeMS: 42, Count: 1},
				}, all[0].Parts)
				require.NotNil(t, all[0].Waterfall)
				assert.Equal(t, "unavailable", all[0].Waterfall.Calls[0]["outcome"])
				assert.Equal(t, "us", all[0].Market["channel"])
			}
		})
	}
	var none *Requests
	none.Observe(t.Context(), &Request{Status: 500})
	assert.Equal(t, Snapshot{Requests: []json.RawMessage{}}, none.Snapshot())
	counting := New(Config{Slow: time.Second})
	counting.Observe(t.Context(), &Request{Status: 500})
	counting.Observe(t.Context(), &Request{Status: 200, Duration: time.Second})
	counting.Observe(t.Context(), &Request{Status: 200, Made: &Made{Spent: &timing.Elapsed{}}})
	assert.Equal(t, Snapshot{SlowMS: 1000, Seen: Seen{Failed: 1, Slow: 1}, Requests: []json.RawMessage{}}, counting.Snapshot())
}

func TestTheLastComeFirstAndTheOldestGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := New(roomy)
		fail := func(name string) { r.Observe(t.Context(), &Request{ID: name, Status: 500}) }
		for i := range 3 * places {
			fail(fmt.Sprint("burst ", i))
		}
		assert.Len(t, list(t, r), places, "of many at once a shelf's worth is kept")
		assert.Equal(t, "burst 39", ids(t, r)[0])
		assert.EqualValues(t, 3*places, r.Snapshot().Seen.Failed, "and all are counted")
		for i := range 5 {
			time.Sleep(every)
			fail(fmt.Sprint("a ", i))
			fail(fmt.Sprint("b ", i))
		}
		assert.Equal(t, []string{"a 4", "a 3", "a 2", "a 1", "a 0", "burst 39"}, ids(t, r)[:6], "then one a second")
		r.Observe(t.Context(), &Request{ID: "slow", Status: 200, Duration: time.Second})
		assert.Equal(t, "slow", ids(t, r)[0], "failures take no place from slow ones")
		time.Sleep(time.Hour)
		for i := range 2 * places {
			fail(fmt.Sprint("later ", i))
		}
		assert.Len(t, list(t, r), places+1)
		assert.Equal(t, "later 39", ids(t, r)[0])
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Slow: 500 * ms, Bytes: leastBytes}
		r := New(cfg)
		for i := range 1000 {
			time.Sleep(every)
			m := made(t, i%70)
			m.Tell = func() Told {
				var told Told
				for n := range 2 * maxParts {
					told.Parts = append(told.Parts, Part{Part: fmt.Sprint(strings.Repeat("p", i%9), n), Count: 1})
				}
				return told
			}
			m.Degraded = i%4 == 1
			r.Observe(t.Context(), &Request{
				ID: fmt.Sprint(i), Status: []int{500, 200, 200, 200}[i%4], Duration: []time.Duration{ms, ms, time.Second, time.Duration(i) * 100 * time.Microsecond}[i%4],
				Operation: strings.Repeat("o", 200), Made: m,
			})
			size := 0
			for _, text := range r.Snapshot().Requests {
				size += len(text)
			}
			require.LessOrEqual(t, size, cfg.Bytes)
		}
		all := list(t, r)
		assert.NotEmpty(t, all)
		for _, one := range all {
			assert.Len(t, one.Operation, maxName)
			assert.LessOrEqual(t, len(one.Parts), maxParts)
			assert.LessOrEqual(t, len(one.Waterfall.Calls), maxLines)
		}
	})
}

func TestWhatOneRecordHoldsIsBounded(t *testing.T) {
	t.Parallel()
	r := New(roomy)
	m := made(t, 100)
	m.Tell = func() (told Told) {
		for n := range 3 * maxParts {
			told.Parts = append(told.Parts, Part{Part: fmt.Sprint(n), Count: 1})
		}
		return told
	}
	r.Observe(t.Context(), &Request{Status: 500, Made: m})
	one := list(t, r)[0]
	assert.Len(t, one.Parts, maxParts)
	assert.Equal(t, 2*maxParts, one.MoreParts)
	assert.Len(t, one.Waterfall.Calls, maxLines)
	assert.Equal(t, 100-maxLines, one.Waterfall.OmittedCalls)
}

func TestTheSlowestOfTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := New(roomy)
		m := made(t, 1)
		ask := func(took time.Duration) {
			r.Observe(t.Context(), &Request{ID: took.String(), Status: 200, Duration: took, Made: m})
		}
		for i := range 100 {
			ask(time.Duration(37*i%100) * ms) // each of 0 to 99 ms, in no order
		}
		took := func() (all []float64) {
			for _, one := range list(t, r) {
				all = append(all, one.MS)
			}
			return all
		}
		assert.ElementsMatch(t, []float64{92, 93, 94, 95, 96, 97, 98, 99}, took())
		time.Sleep(window)
		ask(3 * ms)
		ask(2 * ms)
		assert.ElementsMatch(t, []float64{2, 3, 92, 93, 94, 95, 96, 97, 98, 99}, took(), "a new window, and the one before")
		time.Sleep(window)
		ask(ms)
		assert.ElementsMatch(t, []float64{1, 2, 3}, took())
		assert.Equal(t, Seen{}, r.Snapshot().Seen)
	})
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	r := New(Config{Slow: 500 * ms, Bytes: 256 << 10})
	m := made(t, 3)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 500 {
				r.Observe(t.Context(), &Request{Status: []int{200, 500}[i%2], Duration: time.Duration(n*i) * ms, Made: m})
				if i%50 == 0 {
					r.Snapshot()
				}
			}
		})
	}
	wg.Wait()
	all := list(t, r)
	assert.NotEmpty(t, all)
	seen := map[int]bool{}
	for _, one := range all {
		assert.False(t, seen[one.Number], "each is there once")
		seen[one.Number] = true
	}
	assert.EqualValues(t, 8*250, r.Snapshot().Seen.Failed)
}

// What nearly every request costs: nothing is made for one that is not kept.
func TestOrdinaryRequestsCostNoMemory(t *testing.T) {
	r := New(roomy)
	m := made(t, 1)
	for range ranks {
		r.Observe(t.Context(), &Request{Status: 200, Duration: 400 * ms, Made: m})
	}
	for name, q := range map[string]Request{
		"kept":     {Status: 200, Duration: ms, Answer: "hit"},
		"executed": {Status: 200, Duration: ms, Made: m},
	} {
		assert.Zero(t, testing.AllocsPerRun(1000, func() {
			own := q
			r.Observe(t.Context(), &own)
		}), name)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	assert.NoError(t, roomy.Validate())
	assert.NoError(t, Config{Slow: ms}.Validate())
	err := Config{Slow: 0, Bytes: 1}.Validate()
	assert.ErrorContains(t, err, "REQUESTS_SLOW")
	assert.ErrorContains(t, err, "REQUESTS_BYTES")
	assert.ErrorContains(t, Config{Slow: ms, Bytes: -1}.Validate(), "REQUESTS_BYTES")
}

func BenchmarkObserve(b *testing.B) {
	r, m := New(roomy), made(b, 12)
	for range ranks {
		r.Observe(b.Context(), &Request{Status: 200, Duration: 400 * ms, Made: m})
	}
	for name, q := range map[string]Request{
		"kept answer": {Status: 200, Duration: ms, Answer: "hit"},
		"executed":    {Status: 200, Duration: ms, Made: m},
		"refused":     {Status: 503, Duration: ms},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				own := q
				r.Observe(b.Context(), &own)
			}
		})
	}
	b.Run("written down", func(b *testing.B) {
		b.ReportAllocs()
		q := Request{Status: 503, Duration: ms, Made: m}
		for b.Loop() {
			recordOf(context.Background(), 1, &q, nil, time.Now())
		}
	})
}
