package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	upstreamLatency = 20 * time.Millisecond
	openRate        = 500
	latencyRounds   = 3
	latencyLength   = 2 * time.Second
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

// paced is who answers pages over slow systems, and what came of it.
type paced struct {
	at    *target
	deep  int // calls on the longest way
	pages []arm
}

// bares are what chains of calls took, by how many they are.
type bares map[int][]arm

// added is what p's pages take above the bare chain of their calls.
func (b bares) added(p *paced) (p50, p99 time.Duration) {
	pages, bare := figures(p.pages), figures(b[p.deep])
	return pages.p50 - bare.p50, pages.p99 - bare.p99
}

// latencies measures B4: pages at a fixed rate over slow systems. Like B3's, they are asked
// of a process that keeps nothing; what the shipped setting takes stands beside it.
func (r *rig) latencies(ctx context.Context, to *report) error {
	if !r.wanted("B4") {
		return nil
	}
	defer func() { _, _ = r.set(weather{}) }()
	for _, side := range []struct {
		name       string
		ask        ask
		must, goal time.Duration
	}{
		{"web", r.webPage(), 400 * time.Microsecond, 150 * time.Microsecond},
		{"mobile", r.mobilePage(), 300 * time.Microsecond, 100 * time.Microsecond},
	} {
		off, err := r.accustomed(ctx, side.name, side.ask, cacheOff...)
		if err != nil {
			return err
		}
		kept, err := r.accustomed(ctx, side.name, side.ask)
		if err != nil {
			return err
		}
		ours, each, plain := &paced{at: off.target}, &paced{at: kept.target}, &paced{at: r.plainAt}
		profiled := r.profile(ctx, work{id: "B4", channel: off, name: "cache off"})
		bare, err := r.slowly(ctx, side.ask, ours, each, plain)
		profiled()
		if failed, ok := errors.AsType[*failedError](err); ok {
			fmt.Fprintln(os.Stderr, failed.sample)
			to.add(row{id: "B4", channel: side.name, what: "added p50 and p99", value: "no figure: " + failed.Error(), must: "no errors", holds: missed})
			err = nil
		} else if err == nil {
			to.paced(side.name+", cache off", bare, ours, plain, side.must, side.goal)
			to.paced(side.name+", each kept", bare, each, plain, 0, 0)
		}
		if err = errors.Join(err, r.end(off), r.end(kept)); err != nil {
			return err
		}
	}
	return nil
}

// paced adds what a channel's and the baseline's pages take above their chains; without a
// must it only says it.
func (r *report) paced(channel string, bare bares, ours, plain *paced, must, goal time.Duration) {
	mine, late := bare.added(ours)
	theirs, theirLate := bare.added(plain)
	p50 := row{
		id: "B4", channel: channel, what: fmt.Sprintf("added p50 at %d a second over %d ms", openRate, upstreamLatency.Milliseconds()),
		value: fmt.Sprintf("%s ms, %d deep (baseline %s, %d deep)", milli(mine), ours.deep, milli(theirs), plain.deep),
	}
	p99 := row{id: "B4", channel: channel, what: "added p99", value: fmt.Sprintf("%s ms (baseline %s)", milli(late), milli(theirLate))}
	if must > 0 {
		p50.must, p50.holds = fmt.Sprintf("≤ %s / %s ms", milli(must), milli(goal)), atMost(float64(mine), float64(must), float64(goal))
		p99.must, p99.holds = "≤ baseline + 2 ms / baseline", atMost(float64(late), float64(theirLate+2*time.Millisecond), float64(theirLate))
	}
	r.add(p50)
	r.add(p99)
}

// accustomed is a channel of its own that knows no other systems than these slow ones:
// one that knew them faster would take them for overloaded, and spare them. Its load
// grows to what it will be.
func (r *rig) accustomed(ctx context.Context, name string, a ask, settings ...string) (*channel, error) {
	if _, err := r.set(weather{Latency: upstreamLatency}); err != nil {
		return nil, err
	}
	c, err := r.startChannel(ctx, name, settings...)
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

// slowly measures all sides, and the bare chains of their calls, in turns.
func (r *rig) slowly(ctx context.Context, a ask, sides ...*paced) (bares, error) {
	bare := bares{}
	for _, p := range sides {
		var err error
		if p.deep, err = r.depth(p.at, a); err != nil {
			return nil, err
		}
		bare[p.deep] = nil
	}
	for range r.times(latencyRounds) {
		for deep := range bare {
			got, err := r.steadily(ctx, r.stubAt, chain{r, deep}.ask())
			if err != nil {
				return nil, err
			}
			bare[deep] = append(bare[deep], arm{load: got})
		}
		for _, p := range sides {
			got, err := r.steadily(ctx, p.at, a)
			if err != nil {
				return nil, err
			}
			p.pages = append(p.pages, arm{load: got})
		}
	}
	return bare, nil
}

// steadily asks at the open rate, over connections that are there. An answer that lacks
// anything is a failure.
func (r *rig) steadily(ctx context.Context, at *target, a ask) (*load, error) {
	if _, err := open(ctx, at, a, openRate, r.length(latencyLength)/8, &r.distinct); err != nil {
		return nil, err
	}
	got, err := open(ctx, at, a, openRate, r.length(latencyLength), &r.distinct)
	if err == nil && got.failed > 0 {
		err = &failedError{got}
	}
	return got, err
}

// depth is how many calls, one after the other, a page that nobody asked for before waits
// for: the median of some pages that come alone. Two sides need not make the same.
func (r *rig) depth(t *target, a ask) (int, error) {
	const pages = 25
	alone := &load{}
	for range pages {
		begin := time.Now()
		if _, _, err := t.once(a.set, r.distinct.Add(1)); err != nil {
			return 0, err
		}
		alone.spent = append(alone.spent, time.Since(begin))
	}
	slices.Sort(alone.spent)
	return max(1, int(alone.quantile(0.5)/upstreamLatency)), nil
}
