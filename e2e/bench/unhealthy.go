package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	unhealthyRate   = 200
	unhealthyLength = 6 * time.Second
	warmPages       = 100
)

// forecast is a kind of weather that pages are asked for in.
type forecast struct {
	name    string
	weather weather
}

func forecasts() []forecast {
	return []forecast{
		{"1 % of calls take 1 s more", weather{Slow: 0.01, SlowBy: time.Second}},
		{"30 % of the ERP's calls fail", weather{Errors: map[string]float64{"odoo": 0.3}}},
		{"the ERP is dead", weather{Dead: "odoo"}},
	}
}

// tally is what clients got.
type tally struct {
	complete, degraded, failed atomic.Int64
	mu                         sync.Mutex
	sample                     string // an answer that failed
}

// judged counts what an ask is answered, and takes all of it for right.
func (t *tally) judged(a ask) ask {
	a.right = func(res *fasthttp.Response) bool {
		body := res.Body()
		switch {
		case res.StatusCode() != fasthttp.StatusOK || bytes.Contains(body, []byte(`"data":null`)) || bytes.Contains(body, []byte(`"product":null`)):
			t.failed.Add(1)
			t.mu.Lock()
			t.sample = fmt.Sprintf("%d %.300s", res.StatusCode(), body)
			t.mu.Unlock()
		case bytes.Contains(body, []byte(`"errors":[`)) || bytes.Contains(body, []byte(`"degraded":[`)) || bytes.Contains(body, []byte(`"freshness":[`)):
			t.degraded.Add(1)
		default:
			t.complete.Add(1)
		}
		return true
	}
	return a
}

func (t *tally) String() string {
	all := float64(t.complete.Load() + t.degraded.Load() + t.failed.Load())
	share := func(n int64) float64 { return 100 * float64(n) / max(all, 1) }
	return fmt.Sprintf("%.2f %% complete, %.2f %% degraded, %.2f %% failed", share(t.complete.Load()), share(t.degraded.Load()), share(t.failed.Load()))
}

// weathers measures B6: pages that are warm and pages that are not, half and half, while systems fail.
func (r *rig) weathers(ctx context.Context, to *report) error {
	if !r.wanted("B6") {
		return nil
	}
	defer func() { _, _ = r.set(weather{}) }()
	for _, side := range []struct {
		channel *channel
		ask     ask
	}{{r.web, r.webPage()}, {r.mobile, r.mobilePage()}} {
		for _, f := range forecasts() {
			if err := r.outlast(ctx, side.channel, side.ask, f, to); err != nil {
				return fmt.Errorf("B6 %s: %w", f.name, err)
			}
		}
	}
	return nil
}

// outlast warms pages up, lets a weather come and asks on.
func (r *rig) outlast(ctx context.Context, c *channel, a ask, f forecast, to *report) error {
	if _, err := r.set(weather{}); err != nil {
		return err
	}
	first := r.distinct.Add(warmPages) - warmPages + 1
	for n := range int64(warmPages) {
		if _, _, err := c.once(a.set, first+n); err != nil {
			return err
		}
	}
	healthy, err := r.set(f.weather)
	if err != nil {
		return err
	}
	var warm, cold tally
	var warmLoad, coldLoad *load
	var warmErr, coldErr error
	var wg sync.WaitGroup
	wg.Go(func() {
		var next atomic.Int64
		warmLoad, warmErr = open(ctx, c.target, warm.judged(a).mapped(func(n int64) int64 { return first + n%warmPages }), unhealthyRate/2, r.length(unhealthyLength), &next)
	})
	wg.Go(func() {
		coldLoad, coldErr = open(ctx, c.target, cold.judged(a), unhealthyRate/2, r.length(unhealthyLength), &r.distinct)
	})
	wg.Wait()
	if err := firstOf(warmErr, coldErr); err != nil {
		return err
	}
	made, err := r.set(weather{})
	if err != nil {
		return err
	}
	to.unhealthy(c, f, &warm, &cold, warmLoad, coldLoad)
	to.attempts(c, f, made, healthy, len(coldLoad.spent))
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// unhealthy adds what clients got. What hung up on the client failed.
func (r *report) unhealthy(c *channel, f forecast, warm, cold *tally, warmLoad, coldLoad *load) {
	warm.failed.Add(warmLoad.failed)
	cold.failed.Add(coldLoad.failed)
	holds := reached
	if warm.failed.Load() > 0 {
		holds = missed
	}
	r.add(row{id: "B6", channel: c.name(), what: f.name + ": warm pages", value: warm.String(), must: "100 % answered", holds: holds})
	r.add(row{id: "B6", channel: c.name(), what: f.name + ": cold pages", value: cold.String()})
	p95, p99 := warmLoad.quantile(0.95), warmLoad.quantile(0.99)
	r.add(row{
		id: "B6", channel: c.name(), what: f.name + ": p99 of warm pages", value: fmt.Sprintf("%s ms, p95 %s ms; cold p50 %s, p95 %s, p99 %s ms", milli(p99), milli(p95),
			milli(coldLoad.quantile(0.5)), milli(coldLoad.quantile(0.95)), milli(coldLoad.quantile(0.99))),
		must: "≤ 3 × p95", holds: atMost(float64(p99), 3*float64(p95), 3*float64(p95)),
	})
}

// attempts adds how much more was asked of the systems than a page costs when all is well.
func (r *report) attempts(c *channel, f forecast, made, healthy map[string]int, pages int) {
	asked, well := 0, 0
	for _, n := range made {
		asked += n
	}
	for _, n := range healthy {
		well += n
	}
	per := float64(asked) / max(float64(pages), 1) / (float64(well) / warmPages)
	r.add(row{
		id: "B6", channel: c.name(), what: f.name + ": calls, of those that cold pages cost in good weather", value: fmt.Sprintf("%.2f", per),
		must: "≤ 1.1 attempts", holds: atMost(per, 1.1, 1.1),
	})
}
