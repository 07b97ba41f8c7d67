// Package waterfall shows where the time of one request went: every call of an upstream that
// it waited for, and what the cache did about each operation. A waterfall holds names from
// the schema, the query and the configuration, words of ours and figures; no key, no URL,
// nothing that a system said. Times are in milliseconds since the request came in.
package waterfall

import (
	"cmp"
	"slices"
	"time"

	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// Waterfall is one request's.
type Waterfall struct {
	TotalMS float64  `json:"totalMs"` // until the answer was complete
	OwnMS   float64  `json:"ownMs"`   // of them, those in which no system was waited for
	Systems []System `json:"systems"`
	Reads   []*Read  `json:"reads"`
	Calls   []*Call  `json:"calls"`
	Omitted int      `json:"omittedCalls,omitempty"` // too many to be kept
}

// System is a system's share, as Server-Timing has it.
type System struct {
	System string  `json:"system"`
	Calls  int     `json:"calls"`
	MS     float64 `json:"ms"` // waited for; overlapping calls count once
}

// Uses calls see for what went to each path of the answer, an empty key being for what is
// used without one.
type Uses func(see func(op commerce.Operation, key, path string))

// maxPaths bounds how many paths a line names.
const maxPaths = 20

// Of makes the waterfall of a request that came in at began and was answered at now, when
// spent is what making its answer took. each may be nil: then no line names a path.
func Of(began, now time.Time, spent *timing.Elapsed, each Uses) *Waterfall {
	w := &Waterfall{
		TotalMS: timing.Milliseconds(now.Sub(began)),
		OwnMS:   timing.Milliseconds(now.Sub(began) - spent.Union(began, now, "")),
		Systems: []System{}, Reads: readsOf(began, spent.Sources, each), Calls: []*Call{},
	}
	for _, of := range spent.Calls {
		w.Systems = append(w.Systems, System{of.System, of.Calls, timing.Milliseconds(spent.Union(began, now, of.System))})
	}
	seen := map[*commerce.Call]*Call{}
	for _, window := range spent.Windows {
		w.Omitted += window.Trail.Visit(func(c *commerce.Call) {
			if seen[c] == nil {
				seen[c] = callOf(c, began, window)
				w.Calls = append(w.Calls, seen[c])
			}
			seen[c].readBy(w.Reads, window.Trail)
		})
	}
	slices.SortStableFunc(w.Calls, func(a, b *Call) int {
		return cmp.Or(cmp.Compare(a.StartMS, b.StartMS), cmp.Compare(a.System, b.System), cmp.Compare(a.Operation, b.Operation))
	})
	return w
}

// wholeMS is d in milliseconds, rounded up: whoever comes back then is not early.
func wholeMS(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

// united are the paths of both, each once, no more than are named.
func united(paths []string, more ...string) []string {
	for _, path := range more {
		if len(paths) < maxPaths && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}
