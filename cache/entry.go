package cache

import (
	"sync/atomic"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// entry is an answer that is kept: a value shared read-only, or that there is none.
type entry struct {
	value   any
	sealed  seal
	missing bool
	joint   bool          // its key and tags lie in one piece with others': see alone
	size    uint32        // bytes, estimated; set when it is kept
	began   time.Time     // when its load began; its age counts from there
	fresh   time.Duration // its own lifetime: the policy's, or a little less
	life    time.Duration // after which memory lets go of it; set when it is kept
	plan    *plan         // whose answer it is …
	key     string        // … and of what; neither is known of a whole answer
	version atomic.Uint64 // of the value; 0 until it is known
	tags    []commerce.Tag
	stamp   stamp
	seen    atomic.Uint64 // see tagTable.alive
	read    atomic.Int64  // its age when it was last read, in ns …
	gap     atomic.Int64  // … and the longest time between two reads; see due
	held    atomic.Pointer[hold]
}

// hold says that loading the entry anew failed and is not to be tried until a time.
type hold struct {
	until      time.Time
	reason     commerce.Reason
	retryAfter time.Duration
}

// tagged says what the entry was made of and what its load knew of.
func (e *entry) tagged(tags []commerce.Tag, at stamp) *entry {
	const each = 16 // the words of a string
	e.tags, e.stamp = tags, at
	e.size += each * uint32(cap(tags))
	for _, tag := range tags {
		e.size += uint32(len(tag))
	}
	return e
}

// of says whose answer the entry is, and of which key.
func (e *entry) of(p *plan, key string) *entry {
	e.plan, e.key = p, key
	return e
}

// newEntry keeps value for the policy's lifetime.
func newEntry(value any, began time.Time, p Policy) *entry {
	return (&entry{}).holds(value, began, p)
}

func (e *entry) holds(value any, began time.Time, p Policy) *entry {
	e.value, e.began, e.fresh = value, began, p.Fresh
	return e
}

// weigh says what the entry takes under key, before it is kept; its tags were weighed before.
func (e *entry) weigh(key string) {
	if e.life == 0 {
		e.size += overhead + uint32(len(key)) + sizeOf(e.value)
	}
}

// apart takes as much of the spread off the entry's lifetime as its phase says.
func (e *entry) apart(at phase) *entry {
	e.fresh -= time.Duration(float64(at) * float64(e.fresh*spread/100))
	return e
}

func notFound(began time.Time, p Policy) *entry {
	return &entry{missing: true, began: began, fresh: p.Negative}
}

// age is never negative: a clock that steps back makes nothing younger than new.
func (e *entry) age(now time.Time) time.Duration { return max(0, now.Sub(e.began)) }

// verdict says what an entry is good for.
type verdict uint8

const (
	useless     verdict = iota
	fallback            // only if the system fails or is slow
	held                // stale, and the system failed a moment ago: answered without asking again
	revalidated         // stale, answered while it is loaded anew
	aging               // fresh, and loaded anew by what is probably the last read; see due
	current             // fresh
)

// judge is what e, which is as good as new in s, is good for at now.
func (p *Policy) judge(e *entry, s span, now time.Time) verdict {
	age := e.age(now)
	switch {
	case e.missing && age < s.until:
		return current
	case e.missing || age >= p.life():
		return useless
	case age < s.at(watchFrom):
		return current
	case age < s.until && e.onHold(now) == nil:
		return aging
	case age < s.until:
		return current
	case e.onHold(now) != nil && age < e.fresh+p.StaleIfError:
		return held
	case age < e.fresh+p.StaleWhileRevalidate:
		return revalidated
	case age < e.fresh+p.StaleIfError:
		return fallback
	default:
		return useless
	}
}

func (e *entry) onHold(now time.Time) *hold {
	if h := e.held.Load(); h != nil && now.Before(h.until) {
		return h
	}
	return nil
}

// failed puts the entry on hold after a load of it failed with err.
func (e *entry) failed(now time.Time, err error) {
	wait := min(max(failureHold, retryAfterOf(err)), maxHold)
	e.held.Store(&hold{until: now.Add(wait), reason: commerce.ReasonOf(err), retryAfter: retryAfterOf(err)})
}
