package waterfall

import (
	"time"

	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// Call is one call of an upstream.
type Call struct {
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
	Wait         Wait               `json:"wait,omitzero"`
	Bytes        int64              `json:"bytes,omitempty"`     // decoded
	WireBytes    *int64             `json:"wireBytes,omitempty"` // absent when not known
	Tries        int                `json:"tries"`
	Attempts     []Attempt          `json:"attempts,omitempty"`
	Paths        []string           `json:"paths,omitempty"`
}

// Wait is the time of a call in which nothing was asked.
type Wait struct {
	QueueMS   float64 `json:"queueMs,omitempty"`   // for a place in the system's bulkhead
	BackoffMS float64 `json:"backoffMs,omitempty"` // before attempts were repeated, as long as the system asked for or as we do
}

// Attempt is one attempt of a call.
type Attempt struct {
	StartMS float64 `json:"startMs"`
	MS      float64 `json:"ms"`
	Status  int16   `json:"status,omitempty"`
	Outcome string  `json:"outcome,omitempty"`
	Hedge   bool    `json:"hedge"`
	QueueMS float64 `json:"queueMs,omitempty"`
	Open    bool    `json:"open,omitempty"`
}

// callOf is a call as who waited for it in w sees it.
func callOf(c *commerce.Call, began time.Time, w timing.Window) *Call {
	start := c.Began.Sub(began)
	t := &Call{
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
	t.Wait = Wait{timing.Milliseconds(queued), timing.Milliseconds(backoff)}
	return t
}

// attemptOf is an attempt of a call that began start after the request; until is how
// long the call was waited for.
func attemptOf(a commerce.Attempt, start, until time.Duration) Attempt {
	took := a.Took
	if a.Open {
		took = max(0, until-a.After)
	}
	return Attempt{
		StartMS: timing.Milliseconds(start + a.After), MS: timing.Milliseconds(took), Status: a.Status, Outcome: a.Outcome,
		Hedge: a.Hedge, QueueMS: timing.Milliseconds(a.Queued), Open: a.Open,
	}
}

// readBy notes which of reads the call, found on a trail, was made for.
func (t *Call) readBy(reads []*Read, trail *commerce.Trail) {
	for _, r := range reads {
		if r.trail == trail {
			t.Paths = united(t.Paths, r.Paths...)
			t.Joined = t.Joined || r.Cache == commerce.WayJoined.String()
		}
	}
}
