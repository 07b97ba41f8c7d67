package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	overloadBy     = 10                     // times what can be served
	overloadLength = 4 * time.Second        // of each: at capacity, beyond it, and after that
	afterwards     = 0.8                    // of what can be served
	overloadOnset  = 250 * time.Millisecond // what comes first is not known yet to be one
)

// refused tells an answer that says that there is no room now, and when to come back.
func refused(res *fasthttp.Response) bool {
	return res.StatusCode() == fasthttp.StatusServiceUnavailable && len(res.Header.Peek(fasthttp.HeaderRetryAfter)) > 0
}

// served has an ask take every page for a good one, also one that lacks what is least
// important: that is part of how load is shed.
func served(a ask) ask {
	a.right = func(res *fasthttp.Response) bool { return res.StatusCode() == fasthttp.StatusOK }
	a.refused = refused
	return a
}

// overloads measures M9: what becomes of clients, and of the process, when ten times as much
// is asked for as can be served. Lists cost the process much and the client little, which has
// to keep up with ten times as many.
func (r *rig) overloads(ctx context.Context, to *report) error {
	if !r.wanted("M9") {
		return nil
	}
	c, err := r.startChannel(ctx, "mobile")
	if err != nil {
		return err
	}
	a := served(r.mobileList())
	closed(c.target, a, fewClients, r.length(overloadLength)/2, &r.distinct) // its memory grows to what it will be
	normal := closed(c.target, a, fewClients, r.length(overloadLength), &r.distinct)
	before, _, err := c.resident()
	if err != nil {
		return err
	}
	rate := normal.rps()
	crowd := a
	crowd.onset = overloadOnset
	beyond, err := open(ctx, c.target, crowd, int(overloadBy*rate), r.length(overloadLength), &r.distinct)
	if errors.Is(err, errBehind) {
		to.add(row{id: "M9", channel: c.name(), what: "overload", value: "no figure: " + err.Error()})
		return r.end(c)
	}
	if err != nil {
		return err
	}
	after, _, err := c.resident()
	if err != nil {
		return err
	}
	then, err := open(ctx, c.target, a, max(1, int(afterwards*rate)), r.length(overloadLength), &r.distinct)
	if err != nil {
		return err
	}
	to.overload(normal, beyond, then, before, after)
	return r.end(c)
}

// overload adds how a process took it: normal is what it did with as much as it can serve,
// then what it did after the load; memory is in MiB.
func (r *report) overload(normal, beyond, then *load, before, after float64) {
	add := func(what, value, must string, holds verdict) {
		r.add(row{id: "M9", channel: "mobile", what: fmt.Sprintf("lists at %d × capacity: %s", overloadBy, what), value: value, must: must, holds: holds})
	}
	share := beyond.rps() / normal.rps()
	add("served a second", fmt.Sprintf("%.0f of %.0f at capacity (%.0f %%), %d refused", beyond.rps(), normal.rps(), 100*share, len(beyond.refusals)), "", noVerdict)
	add("neither served nor refused with `Retry-After`", fmt.Sprint(beyond.failed), "0", atMost(float64(beyond.failed), 0.5, 0.5))
	p99, usual := beyond.quantile(0.99), normal.quantile(0.99)
	add("p99 of what is served", fmt.Sprintf("%s ms, p50 %s; at capacity %s ms, p50 %s", milli(p99), milli(beyond.quantile(0.5)), milli(usual), milli(normal.quantile(0.5))),
		"≤ 2 × that at capacity", atMost(float64(p99), 2*float64(usual), float64(usual)))
	onset := fmt.Sprintf(", after the first %d ms", overloadOnset.Milliseconds())
	add("p99 of what is served"+onset, fmt.Sprintf("%s ms, p50 %s", milli(beyond.settled.quantile(0.99)), milli(beyond.settled.quantile(0.5))), "", noVerdict)
	late := quantile(beyond.refusals, 0.99)
	add("p99 of refusals", fmt.Sprintf("%s ms, p50 %s", milli(late), milli(quantile(beyond.refusals, 0.5))), "≤ 5 ms", atMost(float64(late), float64(5*time.Millisecond), float64(5*time.Millisecond)))
	add("p99 of refusals"+onset, fmt.Sprintf("%s ms, p50 %s", milli(quantile(beyond.settled.refusals, 0.99)), milli(quantile(beyond.settled.refusals, 0.5))), "", noVerdict)
	add("resident memory", fmt.Sprintf("%.1f MiB, %.1f before", after, before), "≤ 1.5 × that before", atMost(after, 1.5*before, before))
	all := float64(then.answered) + float64(then.failed) + float64(len(then.refusals))
	good := float64(then.answered) / max(1, all)
	add(fmt.Sprintf("from the moment it ends, at %.1f ×", afterwards), fmt.Sprintf("%.1f %% served, p99 %s ms", 100*good, milli(then.quantile(0.99))), "≥ 95 %", atLeast(good, 0.95, 1))
}
