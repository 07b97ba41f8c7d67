package graphhttp

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// trace is extensions.trace: every call of an upstream that the request waited for, as
// a waterfall, and what the cache did about each operation. It holds names from the
// schema, the query and the configuration, words of ours and figures; no key, no URL,
// nothing that a system said. Times are in milliseconds since the request came in.
type trace struct {
	TotalMS float64       `json:"totalMs"` // until the answer was complete
	OwnMS   float64       `json:"ownMs"`   // of them, those in which no system was waited for
	Systems []traceSystem `json:"systems"`
	Reads   []*traceRead  `json:"reads"`
	Calls   []*traceCall  `json:"calls"`
	Omitted int           `json:"omittedCalls,omitempty"` // too many to be kept
}

// traceSystem is a system's share, as Server-Timing has it.
type traceSystem struct {
	System string  `json:"system"`
	Calls  int     `json:"calls"`
	MS     float64 `json:"ms"` // waited for; overlapping calls count once
}

// traceRead is what the cache did about keys of one operation.
type traceRead struct {
	System       string             `json:"system"`
	Operation    commerce.Operation `json:"operation"`
	Keys         int                `json:"keys"`
	Cache        string             `json:"cache"` // memory, redis, loaded, joined or direct
	State        commerce.State     `json:"state"`
	AgeMS        int64              `json:"ageMs"` // of the oldest
	Reason       commerce.Reason    `json:"reason,omitempty"`
	RetryAfterMS int64              `json:"retryAfterMs,omitempty"`
	StartMS      *float64           `json:"startMs,omitempty"` // absent when nothing was waited for
	MS           *float64           `json:"ms,omitempty"`
	Paths        []string           `json:"paths,omitempty"`
	trail        *commerce.Trail
}

// traceCall is one call of an upstream.
type traceCall struct {
	System       string             `json:"system"`
	Operation    commerce.Operation `json:"operation"`
	Step         string             `json:"step,omitempty"`
	Keys         int                `json:"keys,omitempty"`   // of the load that it was made for
	StartMS      float64            `json:"startMs"`          // below 0: begun by another request, before this one came in
	MS           float64            `json:"ms"`               // so far, when it is open
	Open         bool               `json:"open,omitempty"`   // not waited for any longer, and still under way
	Joined       bool               `json:"joined,omitempty"` // begun by another request
	Outcome      string             `json:"outcome,omitempty"`
	RetryAfterMS int64              `json:"retryAfterMs,omitempty"`
	Wait         traceWait          `json:"wait,omitzero"`
	Bytes        int64              `json:"bytes,omitempty"`     // decoded
	WireBytes    *int64             `json:"wireBytes,omitempty"` // absent when not known
	Tries        int                `json:"tries"`
	Attempts     []traceAttempt     `json:"attempts,omitempty"`
	Paths        []string           `json:"paths,omitempty"`
}

// traceWait is the time of a call in which nothing was asked.
type traceWait struct {
	QueueMS   float64 `json:"queueMs,omitempty"`   // for a place in the system's bulkhead
	BackoffMS float64 `json:"backoffMs,omitempty"` // before attempts were repeated, as long as the system asked for or as we do
}

// traceAttempt is one attempt of a call.
type traceAttempt struct {
	StartMS float64 `json:"startMs"`
	MS      float64 `json:"ms"`
	Status  int16   `json:"status,omitempty"`
	Outcome string  `json:"outcome,omitempty"`
	Hedge   bool    `json:"hedge"`
	QueueMS float64 `json:"queueMs,omitempty"`
	Open    bool    `json:"open,omitempty"`
}

// maxTracePaths bounds how many paths a line names.
const maxTracePaths = 20

// uses calls see for what went to each path of the answer.
type uses func(see func(op commerce.Operation, key string, path ast.Path))

// waterfall makes the trace of a request that came in at began.
func waterfall(began, now time.Time, sources []commerce.Source, list []timing.Window, each uses) *trace {
	took := timing.Spend(list)
	t := &trace{
		TotalMS: timing.Milliseconds(now.Sub(began)),
		OwnMS:   timing.Milliseconds(now.Sub(began) - took.Union(began, now, "")),
		Systems: []traceSystem{}, Reads: readsOf(began, sources, each), Calls: []*traceCall{},
	}
	for _, of := range took.Calls {
		ms := took.Union(began, now, of.System)
		t.Systems = append(t.Systems, traceSystem{of.System, of.Calls, timing.Milliseconds(ms)})
	}
	seen := map[*commerce.Call]*traceCall{}
	for _, w := range list {
		t.Omitted += w.Trail.Visit(func(c *commerce.Call) {
			if seen[c] == nil {
				seen[c] = callOf(c, began, w)
				t.Calls = append(t.Calls, seen[c])
			}
			for _, r := range t.Reads {
				if r.trail == w.Trail {
					seen[c].Paths = united(seen[c].Paths, r.Paths)
					seen[c].Joined = seen[c].Joined || r.Cache == commerce.WayJoined.String()
				}
			}
		})
	}
	slices.SortStableFunc(t.Calls, func(a, b *traceCall) int {
		return cmp.Or(cmp.Compare(a.StartMS, b.StartMS), cmp.Compare(a.System, b.System), cmp.Compare(a.Operation, b.Operation))
	})
	return t
}

// readsOf groups sources by what the cache did.
func readsOf(began time.Time, sources []commerce.Source, each uses) []*traceRead {
	type group struct {
		op     commerce.Operation
		way    commerce.Way
		state  commerce.State
		reason commerce.Reason
		trail  *commerce.Trail
	}
	type at struct {
		op  commerce.Operation
		key string
	}
	reads := []*traceRead{}
	groups, byKey := map[group]*traceRead{}, map[at][]*traceRead{}
	for i := range sources {
		s := &sources[i]
		g := group{op: s.Operation, way: s.Way, state: s.State, reason: s.Reason}
		if s.Wait != nil {
			g.trail = s.Wait.Trail
		}
		r := groups[g]
		if r == nil {
			r = &traceRead{System: s.System, Operation: s.Operation, Cache: s.Way.String(), State: s.State, Reason: s.Reason, trail: g.trail}
			groups[g] = r
			reads = append(reads, r)
		}
		r.add(s, began)
		byKey[at{s.Operation, s.Key}] = append(byKey[at{s.Operation, s.Key}], r)
		byKey[at{s.Operation, ""}] = append(byKey[at{s.Operation, ""}], r) // for what is used without a key
	}
	each(func(op commerce.Operation, key string, path ast.Path) {
		text := []string{pathText(path)}
		for _, r := range byKey[at{op, key}] {
			r.Paths = united(r.Paths, text)
		}
	})
	slices.SortStableFunc(reads, func(a, b *traceRead) int {
		return cmp.Or(cmp.Compare(a.start(), b.start()), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Cache, b.Cache))
	})
	return reads
}

func (r *traceRead) add(s *commerce.Source, began time.Time) {
	r.Keys++
	r.AgeMS = max(r.AgeMS, s.Age.Milliseconds())
	r.RetryAfterMS = max(r.RetryAfterMS, wholeMS(s.RetryAfter))
	if s.Wait == nil {
		return
	}
	start, ms := timing.Milliseconds(s.Wait.Asked.Sub(began)), timing.Milliseconds(s.Wait.Took)
	if r.StartMS == nil {
		r.StartMS, r.MS = &start, &ms
		return
	}
	*r.StartMS, *r.MS = min(*r.StartMS, start), max(*r.MS, ms)
}

// start is where the read stands among others; what lay in memory comes first.
func (r *traceRead) start() float64 {
	if r.StartMS == nil {
		return -1
	}
	return *r.StartMS
}

// callOf is a call as who waited for it in w sees it.
func callOf(c *commerce.Call, began time.Time, w timing.Window) *traceCall {
	start := c.Began.Sub(began)
	t := &traceCall{
		System: c.System, Operation: c.Operation, Step: c.Step, Keys: c.Keys,
		StartMS: timing.Milliseconds(start), MS: timing.Milliseconds(c.Took), Open: c.Open, Joined: c.Began.Before(w.From),
		Outcome: c.Outcome, RetryAfterMS: wholeMS(c.RetryAfter), Tries: c.Tries, Bytes: c.Bytes,
	}
	if c.Open {
		t.MS = timing.Milliseconds(max(0, w.To.Sub(c.Began)))
	}
	if c.Wire >= 0 {
		wire := c.Wire
		t.WireBytes = &wire
	}
	var queued, backoff, ended time.Duration
	for i, a := range c.Attempts[:min(c.Tries, commerce.MaxTried)] {
		if i > 0 && a.After > ended && !a.Hedge {
			backoff += a.After - ended
		}
		ended = max(ended, a.After+a.Took)
		queued += a.Queued
		t.Attempts = append(t.Attempts, attemptOf(a, start, w.To.Sub(c.Began)))
	}
	t.Wait = traceWait{timing.Milliseconds(queued), timing.Milliseconds(backoff)}
	return t
}

// attemptOf is an attempt of a call that began start after the request; until is how
// long the call was waited for.
func attemptOf(a commerce.Attempt, start, until time.Duration) traceAttempt {
	took := a.Took
	if a.Open {
		took = max(0, until-a.After)
	}
	return traceAttempt{
		StartMS: timing.Milliseconds(start + a.After), MS: timing.Milliseconds(took), Status: a.Status, Outcome: a.Outcome,
		Hedge: a.Hedge, QueueMS: timing.Milliseconds(a.Queued), Open: a.Open,
	}
}

// wholeMS is d in milliseconds, rounded up: whoever comes back then is not early.
func wholeMS(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

// united are the paths of both, each once, no more than are named.
func united(paths, more []string) []string {
	for _, path := range more {
		if len(paths) < maxTracePaths && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// pathText is a path of the answer with its places in lists left out: "search.nodes.*.price".
func pathText(path ast.Path) string {
	parts := make([]string, len(path))
	for i, element := range path {
		if name, ok := element.(ast.PathName); ok {
			parts[i] = string(name)
		} else {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, ".")
}
