package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	upstreamLatency = 20 * time.Millisecond
	openRate        = 500
	latencyRounds   = 3
	latencyLength   = 4 * time.Second
)

// chain is a page's longest way through the systems, one call after the other, as whoever
// makes the requests sees it: what is above it is added by who is measured.
type chain struct {
	rig   *rig
	calls int
}

// ask calls the systems one after the other; only the last call's request is the worker's own.
func (c chain) ask() ask {
	set := func(req *fasthttp.Request, _ int64) {
		req.Header.SetMethod(fasthttp.MethodPost)
		req.SetRequestURI("/odoo/json/2/stock.quant/search_read")
		req.SetBodyString(`{"domain":[["product_id","in",[1]]]}`)
	}
	return ask{set: func(req *fasthttp.Request, n int64) {
		for range c.calls - 1 {
			_, _, _ = c.rig.stubAt.once(set, n) // the last one tells of errors
		}
		set(req, n)
	}}
}

// latencies measures B4: pages at a fixed rate over slow systems.
func (r *rig) latencies(ctx context.Context, to *report) error {
	if !r.wanted("B4") {
		return nil
	}
	defer func() { _, _ = r.set(weather{}) }()
	for _, side := range []struct {
		name  string
		ask   ask
		calls int // on the longest way
		must  time.Duration
		goal  time.Duration
	}{
		{"web", r.webPage(), 2, 400 * time.Microsecond, 150 * time.Microsecond},
		{"mobile", r.mobilePage(), 3, 300 * time.Microsecond, 100 * time.Microsecond},
	} {
		c, err := r.accustomed(ctx, side.name, side.ask)
		if err != nil {
			return err
		}
		bare, ours, plain, err := r.slowly(ctx, c, side.ask, side.calls)
		if failed, ok := errors.AsType[*failedError](err); ok {
			fmt.Fprintln(os.Stderr, failed.sample)
			to.add(row{id: "B4", channel: side.name, what: "added p50 and p99", value: "no figure: " + failed.Error(), must: "no errors", holds: missed})
			err, bare = nil, nil
		}
		if err = errors.Join(err, r.end(c)); err != nil {
			return err
		}
		if bare == nil {
			continue
		}
		mine, theirs := ours.p50-bare.p50, plain.p50-bare.p50
		to.add(row{
			id: "B4", channel: side.name, what: fmt.Sprintf("added p50 at %d a second over %d ms", openRate, upstreamLatency.Milliseconds()),
			value: fmt.Sprintf("%s ms (baseline %s)", milli(mine), milli(theirs)),
			must:  fmt.Sprintf("≤ %s / %s ms", milli(side.must), milli(side.goal)), holds: atMost(float64(mine), float64(side.must), float64(side.goal)),
		})
		late, theirLate := ours.p99-bare.p99, plain.p99-bare.p99
		to.add(row{
			id: "B4", channel: side.name, what: "added p99", value: fmt.Sprintf("%s ms (baseline %s)", milli(late), milli(theirLate)),
			must: "≤ baseline + 2 ms / baseline", holds: atMost(float64(late), float64(theirLate+2*time.Millisecond), float64(theirLate)),
		})
	}
	return nil
}

// accustomed is a channel of its own that knows no other systems than these slow ones:
// one that knew them faster would take them for overloaded, and spare them. Its load
// grows to what it will be.
func (r *rig) accustomed(ctx context.Context, name string, a ask) (*channel, error) {
	if _, err := r.set(weather{Latency: upstreamLatency}); err != nil {
		return nil, err
	}
	c, err := r.startChannel(ctx, name)
	if err != nil {
		return nil, err
	}
	const steps = 5
	for i := range steps {
		if _, err := open(ctx, c.target, a, openRate*(i+1)/steps, r.length(time.Second), &r.distinct); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// slowly measures the bare chain, a channel and the baseline in turns.
func (r *rig) slowly(ctx context.Context, c *channel, a ask, calls int) (bare, ours, plain *armFigures, err error) {
	targets := []struct {
		at  *target
		ask ask
	}{{r.stubAt, chain{r, calls}.ask()}, {c.target, a}, {r.plainAt, a}}
	arms := make([][]arm, len(targets))
	for range r.times(latencyRounds) {
		for i, t := range targets {
			if _, err := open(ctx, t.at, t.ask, openRate, r.length(latencyLength)/8, &r.distinct); err != nil { // connections
				return bare, ours, plain, err
			}
			got, err := open(ctx, t.at, t.ask, openRate, r.length(latencyLength), &r.distinct)
			if err != nil {
				return bare, ours, plain, err
			}
			if got.failed > 0 {
				return bare, ours, plain, &failedError{got}
			}
			arms[i] = append(arms[i], arm{load: got})
		}
	}
	return new(figures(arms[0])), new(figures(arms[1])), new(figures(arms[2])), nil
}
