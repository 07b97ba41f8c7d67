package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	upstreamLatency = 20 * time.Millisecond
	openRate        = 500
	latencyRounds   = 3
	latencyLength   = 1600 * time.Millisecond
)

// paced is who answers pages over slow systems, and what came of it.
type paced struct {
	at     *target
	calls  page
	pages  []arm
	direct []arm // the same calls, made by the client
	narrow []arm // one call for each round of them
}

// added is what pages take above others.
func (p *paced) added(above []arm) (p50, p99 time.Duration) {
	pages, bare := figures(p.pages), figures(above)
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
		err = r.slowly(ctx, side.ask, ours, each, plain)
		profiled()
		if failed, ok := errors.AsType[*failedError](err); ok {
			fmt.Fprintln(os.Stderr, failed.sample)
			to.add(row{id: "B4", channel: side.name, what: "added p50 and p99", value: "no figure: " + failed.Error(), must: "no errors", holds: missed})
			err = nil
		} else if err == nil {
			to.paced(side.name+", cache off", ours, plain, side.must, side.goal)
			to.paced(side.name+", each kept", each, plain, 0, 0)
		}
		if err = errors.Join(err, r.end(off), r.end(kept)); err != nil {
			return err
		}
	}
	return nil
}

// paced adds what a channel's and the baseline's pages take above their calls; without a
// must it only says it.
func (r *report) paced(channel string, ours, plain *paced, must, goal time.Duration) {
	mine, late := ours.added(ours.direct)
	theirs, theirLate := plain.added(plain.direct)
	over, _ := ours.added(ours.narrow)
	theirOver, _ := plain.added(plain.narrow)
	p50 := row{
		id: "B4", channel: channel, what: fmt.Sprintf("added p50 at %d a second over %d ms", openRate, upstreamLatency.Milliseconds()),
		value: fmt.Sprintf("%s ms above its %s calls (baseline %s, %s); %s above %d (%s, %d)",
			milli(mine), ours.calls.shape(), milli(theirs), plain.calls.shape(), milli(over), len(ours.calls), milli(theirOver), len(plain.calls)),
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

// slowly measures all sides, and the calls of their pages without them, in turns. Sides
// whose pages make as many calls at a time share those.
func (r *rig) slowly(ctx context.Context, a ask, sides ...*paced) error {
	for _, p := range sides {
		var err error
		if p.calls, err = r.pageOf(p.at, a); err != nil {
			return err
		}
	}
	for range r.repeats(latencyRounds) {
		bare := map[string]arm{} // by shape
		for _, p := range sides {
			if err := errors.Join(r.bare(ctx, p.calls, bare), r.bare(ctx, p.calls.narrow(), bare)); err != nil {
				return err
			}
			got, err := r.steadily(ctx, p.at, a)
			if err != nil {
				return err
			}
			p.pages = append(p.pages, arm{load: got})
			p.direct = append(p.direct, bare[p.calls.shape()])
			p.narrow = append(p.narrow, bare[p.calls.narrow().shape()])
		}
	}
	return nil
}

// bare measures a page's calls, unless a page of that shape was measured in this round.
func (r *rig) bare(ctx context.Context, p page, measured map[string]arm) error {
	if _, known := measured[p.shape()]; known {
		return nil
	}
	got, err := r.steadily(ctx, r.stubAt, p.ask(r.stubAt))
	measured[p.shape()] = arm{load: got}
	return err
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
