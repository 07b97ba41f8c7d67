package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/portico-bff/portico/schema/commerce"
)

// plan is one operation of one kind of system, as the cache treats it.
type plan struct {
	name   commerce.Operation
	tags   []template
	extra  ownTags // what only the value tells; may be nil
	system string
	form   string // see formOf
	policy Policy
	codec  codec
	takes  duration // its loads
	remote bool     // whether its answers may lie in Redis
	labels [len(everyServed)]metric.AddOption
	warm   []metric.AddOption // for what memory answers fresh
	counts tally
	boards boards
}

// own adds to tags those that only value tells; like are those of a value that may be like it.
func (p *plan) own(tags, like []commerce.Tag, value any) []commerce.Tag {
	if p.extra == nil {
		return tags
	}
	return p.extra(tags, like, value)
}

// request asks for keys of one operation.
type request struct {
	plan  *plan
	keys  []string // as stored
	texts []string // as reported and forgotten
	asker string   // what the keys begin with: operation, market, group; empty when nobody else may board
	wish
	sources []commerce.Source // by place, of what was answered

	joint  bool   // whether the keys lie in one piece of memory; see together
	landed uint64 // flights by the time memory was looked at
	bare   []bool // by place, whether memory held nothing then; nil when it held something of all

	epoch *atomic.Uint64 // of who asks, for what belongs to one principal; else nil
}

// wish is a request in its port's own types.
type wish interface {
	// load asks the system for the keys at the places which.
	load(ctx context.Context, which []int) []answer
	// subject is what the tags of the key at place i are named after; empty without keys.
	subject(i int) string
	// together asks for what all on a board led, one after the other.
	together(list []passenger) wish
}

// list adds the place i to places, for which there is room at once.
func (r *request) list(places []int, i int) []int {
	if places == nil {
		places = make([]int, 0, len(r.keys)-i)
	}
	return append(places, i)
}

// void notes that memory holds nothing of the key at place i.
func (r *request) void(i int) {
	if r.bare == nil {
		r.bare = make([]bool, len(r.keys))
	}
	r.bare[i] = true
}

func (r *request) epochNow() uint64 {
	if r.epoch == nil {
		return 0
	}
	return r.epoch.Load()
}

// tags are those of the key at place i. What names the key lies in one piece of memory: it is
// kept with every entry.
func (r *request) tags(i int) []commerce.Tag {
	var room [256]byte
	var places [4]int
	text, ends, subject := room[:0], places[:0], r.subject(i)
	list := make([]commerce.Tag, len(r.plan.tags))
	for n, t := range r.plan.tags {
		if list[n] = t.fixed; t.kind != "" {
			text = commerce.AppendTag(text, t.kind, subject)
			ends = append(ends, len(text))
		}
	}
	all, begin := commerce.Tag(text), 0
	for n, t := range r.plan.tags {
		if t.kind != "" {
			list[n], begin, ends = all[begin:ends[0]], ends[0], ends[1:]
		}
	}
	return list
}

// answer is what a system said of one key.
type answer struct {
	value any
	found bool
	err   error
}

// result is what a waiter gets for one key, of which its request has the source.
type result struct {
	answer
	served served
}

// results are what all keys of a request are answered with, by place. They are lent, since
// nobody looks at them once their values were handed over.
type results struct{ list []result }

var lentResults = sync.Pool{New: func() any { return &results{} }}

func newResults(n int) *results {
	all, _ := lentResults.Get().(*results)
	if cap(all.list) < n {
		all.list = make([]result, n)
	}
	all.list = all.list[:n]
	return all
}

// giveBack holds on to none of the values.
func (all *results) giveBack() {
	clear(all.list)
	lentResults.Put(all)
}

// get answers every key of r: the whole decision, in order. The results are the caller's to give back.
func (c *Cache) get(ctx context.Context, r *request) *results {
	now, asked, takes := time.Now(), c.tags.seq.Load(), toleranceOf(ctx)
	r.landed = c.flights.landed.Load()
	lent := newResults(len(r.keys))
	results := lent.list
	r.sources = make([]commerce.Source, len(r.keys))
	var missing, renew []int
	var stale map[int]*entry // hardly ever
	for i := range r.keys {
		e, bare := c.remembered(r, i)
		switch takes.of(c.judge(r.plan, e, now), e, now) {
		case current:
			results[i] = c.fresh(r, i, e, now)
		case aging:
			results[i] = c.fresh(r, i, e, now)
			if c.due(r.plan, e, now) {
				renew = append(renew, i)
			}
		case revalidated:
			results[i] = r.stale(i, e, "", now)
			renew = append(renew, i)
		case held:
			results[i] = r.stale(i, e, "", now)
		case fallback:
			if stale == nil {
				stale = map[int]*entry{}
			}
			stale[i] = e
			missing = r.list(missing, i)
		case useless:
			missing = r.list(missing, i)
			if bare {
				r.void(i)
			}
		}
	}
	if len(renew) > 0 {
		r.plan.counts.renewed(r, c.refresh(ctx, r, renew))
	}
	if len(missing) > 0 {
		w := &waiter{cache: c, request: r, stale: stale, results: results, timeout: r.plan.timedOut(), asked: asked, takes: takes, began: now}
		flights := c.fly(ctx, r, missing)
		linkJoined(ctx, r.plan, flights)
		r.plan.counts.joined(r, flights)
		w.wait(ctx, missing, flights)
	}
	return lent
}

// remembered is what memory holds of a key, unless it was forgotten; bare says that it holds
// nothing at all.
func (c *Cache) remembered(r *request, i int) (e *entry, bare bool) {
	if r.plan.policy.Fresh == 0 {
		return nil, true
	}
	e = c.memory.get(r.keys[i])
	if e == nil || !c.tags.alive(e) {
		return nil, e == nil
	}
	return e, false
}

// source begins the source of the key at place i anew.
func (r *request) source(i int, state commerce.State, age time.Duration) *commerce.Source {
	at := &r.sources[i]
	*at = commerce.Source{System: r.plan.system, Operation: r.plan.name, Key: r.texts[i], State: state, Age: age, Scope: r.plan.policy.Scope, Way: commerce.WayMemory}
	return at
}

func (c *Cache) fresh(r *request, i int, e *entry, now time.Time) result {
	at := r.source(i, commerce.StateFresh, e.age(now))
	at.Tags, at.Fresh, at.Kept = e.tags, c.left(r.plan, e, now), e
	return result{answer: answer{value: e.value, found: !e.missing}, served: e.served()}
}

// served is what the entry is counted as when memory answers it, fresh.
func (e *entry) served() served {
	if e.missing {
		return memoryAbsent
	}
	return memoryFresh
}

func (r *request) stale(i int, e *entry, reason commerce.Reason, now time.Time) result {
	at := r.source(i, commerce.StateStale, e.age(now))
	at.Tags, at.Reason = e.tags, reason
	if h := e.onHold(now); h != nil {
		at.Reason, at.RetryAfter = h.reason, h.retryAfter
	}
	return result{answer: answer{value: e.value, found: true}, served: memoryStale}
}

func (r *request) failed(i int, err error, s served) result {
	at, res := r.source(i, commerce.StateMissing, 0), result{answer: answer{err: err}, served: s}
	if answered(err) {
		at.State, at.Kept = commerce.StateFresh, answeredAs(err)
		return res
	}
	at.Reason, at.RetryAfter = commerce.ReasonOf(err), retryAfterOf(err)
	return res
}

// answered tells whether err is what a healthy system says: that there is no such
// thing, or that it was asked for something it does not do. Nothing is missing then.
func answered(err error) bool {
	switch commerce.KindOf(err) {
	case commerce.ErrNotFound, commerce.ErrInvalid, commerce.ErrForbidden, commerce.ErrUnauthenticated, commerce.ErrConflict:
		return true
	default:
		return false
	}
}
