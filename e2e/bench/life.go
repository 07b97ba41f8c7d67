package main

import (
	"context"
	"fmt"
	"time"
)

const starts = 5

// starts measures B7's first half: from start to ready, and memory after that.
func (r *rig) starts(ctx context.Context, to *report) error {
	if !r.wanted("B7") {
		return nil
	}
	for _, name := range []string{"web", "mobile"} {
		var took []time.Duration
		var idle []float64
		for range r.repeats(starts) {
			c, err := r.startChannel(ctx, name)
			if err != nil {
				return err
			}
			took = append(took, c.took)
			time.Sleep(time.Second) // what a start needs is done, and given back
			now, _, err := c.resident()
			if err != nil {
				return err
			}
			idle = append(idle, now)
			if err := r.end(c); err != nil {
				return err
			}
		}
		to.add(row{
			id: "B7", channel: name, what: "start to ready", value: milli(median(took)) + " ms", must: "≤ 100 / 50 ms",
			holds: atMost(float64(median(took)), float64(100*time.Millisecond), float64(50*time.Millisecond)),
		})
		to.add(row{
			id: "B7", channel: name, what: "resident memory, idle", value: fmt.Sprintf("%.1f MiB", median(idle)), must: "≤ 40 / 25 MiB",
			holds: atMost(median(idle), 40, 25),
		})
	}
	return nil
}

// saturating is how long pages come as fast as they are answered before memory is read.
const saturating = 8 * time.Second

// memory measures B7's second half, on processes that have gone through all of the above.
func (r *rig) memory(_ context.Context, to *report) error {
	if !r.wanted("B7") {
		return nil
	}
	for _, side := range []struct {
		channel *channel
		ask     ask
	}{{r.web, r.webPage()}, {r.mobile, r.mobilePage()}} {
		closed(side.channel.target, side.ask, identical, r.length(saturating), &r.distinct)
		now, most, err := side.channel.resident()
		if err != nil {
			return err
		}
		to.add(row{
			id: "B7", channel: side.channel.name(), what: "resident memory, saturated", value: fmt.Sprintf("%.1f MiB, at most %.1f MiB", now, most), must: "≤ 120 / 80 MiB",
			holds: atMost(most, 120, 80),
		})
	}
	return nil
}
