package transport

import (
	"compress/gzip"
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// callsOn are copies of the calls on a trail, as they are now.
func callsOn(trail *commerce.Trail) (list []commerce.Call) {
	trail.Visit(func(c *commerce.Call) { list = append(list, *c) })
	return list
}

// recordedAfter makes one call of c and answers its record.
func recordedAfter(t *testing.T, c *Client, traits commerce.Traits, r Request) commerce.Call {
	t.Helper()
	ctx, trail := commerce.WithTrail(t.Context())
	trail.For(3)
	begun := time.Now()
	_, _ = c.Do(ctx, traits, r) // how it ends is on the record
	list := callsOn(trail)
	require.Len(t, list, 1)
	assert.Equal(t, begun, list[0].Began)
	assert.Equal(t, time.Since(begun), list[0].Took)
	list[0].Began = time.Time{}
	return list[0]
}

func TestCallsAreRecordedForWhoWaits(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	base := commerce.Call{System: "odoo", Operation: commerce.OpAvailability, Step: "stock.quant.search_read", Keys: 3, Wire: -1, Tries: 1}
	request := get("x")
	request.Step = base.Step
	for name, tc := range map[string]struct {
		make func(t *testing.T) *Client
		want func(*commerce.Call)
	}{
		"one attempt": {
			func(t *testing.T) *Client {
				return over(t, Config{}, &script{steps: []step{{status: 200, body: `{"a":1}`, takes: 30 * ms}}})
			},
			func(c *commerce.Call) {
				c.Took, c.Outcome, c.Bytes, c.Wire = 30*ms, "ok", 7, 7
				c.Attempts[0] = commerce.Attempt{Took: 30 * ms, Status: 200, Outcome: "ok"}
			},
		},
		"a refusal": {
			func(t *testing.T) *Client { return over(t, Config{}, &script{steps: []step{{status: 404, takes: ms}}}) },
			func(c *commerce.Call) {
				c.Took, c.Outcome, c.Wire = ms, "refused", 0
				c.Attempts[0] = commerce.Attempt{Took: ms, Status: 404, Outcome: "refused"}
			},
		},
		"a retry, after the wait that was asked for": {
			func(t *testing.T) *Client {
				busy := step{status: 503, takes: 10 * ms, header: http.Header{"Retry-After": {"1"}}}
				return over(t, Config{}, &script{steps: []step{busy, {status: 200, body: "{}", takes: 20 * ms}}})
			},
			func(c *commerce.Call) {
				c.Took, c.Outcome, c.Bytes, c.Wire, c.Tries = 1030*ms, "ok", 2, 2, 2
				c.Attempts[0] = commerce.Attempt{Took: 10 * ms, Status: 503, Outcome: "unavailable"}
				c.Attempts[1] = commerce.Attempt{After: 1010 * ms, Took: 20 * ms, Status: 200, Outcome: "ok"}
			},
		},
		"a queue": {
			func(t *testing.T) *Client {
				c := over(t, Config{}, &script{steps: []step{{status: 200, takes: 5 * ms}}})
				limit, _, _ := c.bulkhead.stats()
				for range limit {
					require.True(t, c.bulkhead.tryAcquire())
				}
				time.AfterFunc(40*ms, func() { c.bulkhead.release(voteNone) })
				return c
			},
			func(c *commerce.Call) {
				c.Took, c.Outcome, c.Wire = 45*ms, "ok", 0
				c.Attempts[0] = commerce.Attempt{Took: 45 * ms, Queued: 40 * ms, Status: 200, Outcome: "ok"}
			},
		},
		"no place in the queue's time": {
			func(t *testing.T) *Client {
				c := over(t, Config{}, &script{steps: []step{{status: 200}}})
				limit, _, _ := c.bulkhead.stats()
				for range limit {
					require.True(t, c.bulkhead.tryAcquire())
				}
				return c
			},
			func(c *commerce.Call) {
				c.Took, c.Outcome = maxQueueWait, "bulkhead-full"
				c.Attempts[0] = commerce.Attempt{Took: maxQueueWait, Queued: maxQueueWait, Outcome: "bulkhead-full"}
			},
		},
		"an open breaker": {
			func(t *testing.T) *Client {
				c := over(t, Config{}, &script{steps: []step{{status: 200}}})
				b := c.operationOf(base.Operation, base.Step).breaker
				b.mu.Lock()
				defer b.mu.Unlock()
				b.open(time.Since(b.begun))
				return c
			},
			func(c *commerce.Call) {
				c.Outcome, c.RetryAfter = "breaker-open", probeEvery
				c.Attempts[0] = commerce.Attempt{Outcome: "breaker-open"}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				want := base
				tc.want(&want)
				assert.Equal(t, want, recordedAfter(t, tc.make(t), readTraits, request))
			})
		})
	}
}

func TestAHedgeIsRecordedBesideWhatItRaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, Config{}, &answering{takes: slowAfter(100, 1500*time.Millisecond)})
		warm(t, c, 100)
		got := recordedAfter(t, c, readTraits, get("x"))
		require.Equal(t, 2, got.Tries)
		first, hedge := got.Attempts[0], got.Attempts[1]
		assert.False(t, first.Hedge)
		assert.Equal(t, "canceled", first.Outcome)
		assert.True(t, hedge.Hedge)
		assert.Equal(t, "ok", hedge.Outcome)
		assert.Positive(t, hedge.After)
		assert.Equal(t, got.Took, hedge.After+hedge.Took, "the first good answer ends the call")
		assert.Equal(t, "ok", got.Outcome)
	})
}

func TestACallUnderWayIsSeenBeforeItEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, Config{}, &script{steps: []step{{status: 200, takes: time.Second}}})
		ctx, trail := commerce.WithTrail(t.Context())
		go func() { _, _ = c.Do(ctx, readTraits, get("x")) }()
		time.Sleep(100 * time.Millisecond)
		list := callsOn(trail)
		require.Len(t, list, 1)
		assert.True(t, list[0].Open)
		assert.Zero(t, list[0].Took)
		assert.Equal(t, commerce.Attempt{Open: true}, list[0].Attempts[0])
		time.Sleep(time.Second)
		assert.False(t, callsOn(trail)[0].Open)
	})
}

func TestWhatCameCompressedHasNoKnownSizeOnTheWire(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(`{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`))
		_ = z.Close()
	}))
	ctx, trail := commerce.WithTrail(t.Context())
	_, err := c.Do(ctx, readTraits, get("x"))
	require.NoError(t, err)
	got := callsOn(trail)[0]
	assert.EqualValues(t, 46, got.Bytes)
	assert.EqualValues(t, -1, got.Wire)
}

func TestWithoutATrailNothingIsRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, Config{}, &script{steps: []step{{status: 200}}})
		k, err := c.newCall(readTraits, get("x"))
		require.NoError(t, err)
		_, err = c.run(context.Background(), k)
		require.NoError(t, err)
		assert.Nil(t, k.record)
	})
}
