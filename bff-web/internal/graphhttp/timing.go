package graphhttp

import (
	"context"
	"time"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/edge/waterfall"
)

// hitTiming is of answers that were kept.
var hitTiming = []string{timing.Hit}

// timed tells the client where the request's time went. A hit is told by GET, whose answer
// may be one that a cache on the way has kept since: by POST an answer that names no time took none.
func (w *writer) timed(s *timing.Elapsed, result cache.Result) {
	if result == cache.Hit {
		if w.get {
			w.Header()[timing.Header] = hitTiming
		}
		return
	}
	w.Header()[timing.Header] = []string{s.Text(w.began, time.Now(), result)}
}

// told is o with what making it took, and with the trace where one is shown. ctx is the
// execution's, each tells what went to which path.
func (o outcome) told(ctx context.Context, each uses) outcome {
	o.spent = timing.Of(ctx, o.sources)
	if began, ok := tracedSince(ctx); ok {
		o.trace = waterfall.Of(began, time.Now(), o.spent, each.asText())
	}
	return o
}

// cameIn is when the request came in.
func (t *Transport) cameIn(ctx context.Context) time.Time {
	if t.Began == nil {
		return time.Now()
	}
	return t.Began(ctx)
}

// kept is what is kept for q, which is nil when nothing kept is to be given.
func (t *Transport) kept(q *cache.Question) *cache.Answer {
	if q == nil {
		return nil
	}
	return t.Answers.Kept(q)
}
