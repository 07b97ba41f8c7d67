package cache

import (
	"context"
	"math"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// tolerance is the age up to which a caller takes what is stale.
type tolerance time.Duration

// toleranceOf is what the caller says, or no bound beyond the policy's.
func toleranceOf(ctx context.Context) tolerance {
	if most, bounded := commerce.StaleUpTo(ctx); bounded {
		return tolerance(most)
	}
	return math.MaxInt64
}

// takes tells whether the caller takes e at now.
func (t tolerance) takes(e *entry, now time.Time) bool { return e.age(now) <= time.Duration(t) }

// of is what e, judged to be v, is good for to the caller: for whom it is too old there
// is nothing to wait less long for.
func (t tolerance) of(v verdict, e *entry, now time.Time) verdict {
	switch v {
	case fallback, held, revalidated:
		if !t.takes(e, now) {
			return useless
		}
	}
	return v
}

// StaleFor is how long after its lifetime an answer of op may be given, at most, when its
// system cannot answer in time; 0 when it never is.
func StaleFor(op commerce.Operation) time.Duration {
	p := policies[op]
	if p.Fresh == 0 {
		return 0
	}
	return max(p.StaleWhileRevalidate, p.StaleIfError)
}
