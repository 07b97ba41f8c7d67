package commerce

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// State is how a value relates to its source.
type State string

// The states of a value.
const (
	StateFresh   State = "fresh"
	StateStale   State = "stale"   // older than its lifetime; the source did not answer in time
	StateFiller  State = "filler"  // a declared constant in place of the value
	StateMissing State = "missing" // nothing could be had
)

// Reason says in one word why a value is not fresh or a call failed.
type Reason string

// The reasons, one vocabulary for logs, metrics and both channels' reports.
const (
	ReasonRetried      Reason = "retried"
	ReasonHedged       Reason = "hedged"
	ReasonBreakerOpen  Reason = "breaker-open"
	ReasonBulkheadFull Reason = "bulkhead-full"
	ReasonBudgetSpent  Reason = "budget-spent"
	ReasonTimeout      Reason = "timeout"
	ReasonUnavailable  Reason = "unavailable"
	ReasonRateLimited  Reason = "rate-limited"
	ReasonBadAnswer    Reason = "bad-answer"
)

// ReasonOf is the reason of a failed call: what its [CallError] names, else one
// that fits its kind.
func ReasonOf(err error) Reason {
	if call, ok := errors.AsType[*CallError](err); ok && call.Reason != "" {
		return call.Reason
	}
	switch KindOf(err) {
	case ErrTimeout:
		return ReasonTimeout
	case ErrRateLimited:
		return ReasonRateLimited
	case ErrUpstream:
		return ReasonBadAnswer
	default:
		return ReasonUnavailable
	}
}

// Source says where a value came from and how it stands. It never travels with
// the value through a cache: each waiter gets its own report.
type Source struct {
	System     string
	Operation  Operation
	Key        string // the batch key, as text; empty when the operation has none
	State      State
	Age        time.Duration // since the value left its source
	Reason     Reason        // empty when fresh
	RetryAfter time.Duration // 0 when unknown
	Outcomes   []Reason      // what happened on the way to an answer: retried, hedged
	Scope      Scope         // who may share the value
	Way        Way           // how the value was come by
	Fresh      time.Duration // how much longer what is made of the value may be kept; 0: not at all
	Tags       []Tag         // what the value was made of; shared, read-only; nil when it may not be kept
	Wait       *Wait         // what was waited for; nil when the value lay in memory
	Kept       Kept          // tells the value's version; nil when nobody can, and when it is not fresh
}

// Kept is a value of which a validator can be made (RFC 9110, 8.8). It is safe for concurrent use.
type Kept interface {
	// Version is a hash of the value as it is written: equal values of an operation have equal
	// versions, wherever they come from and on every node of a release, and versions of others
	// differ. That there is no such thing is a value, too. It is 0 when the value cannot be written.
	Version() uint64
}

// Way says how a waiter came by a value, or by the lack of it.
type Way uint8

// The ways.
const (
	WayUnknown Way = iota
	WayMemory      // it lay in this process's memory
	WayRedis       // it lay in Redis
	WayLoaded      // it was loaded for this waiter, and perhaps for others
	WayJoined      // another's load of it was under way
	WayDirect      // it was asked for this caller alone; nothing is shared
)

// String is the way in one word.
func (w Way) String() string {
	return [...]string{"unknown", "memory", "redis", "loaded", "joined", "direct"}[min(w, WayDirect)]
}

// Wait is what one waiter waited for.
type Wait struct {
	Asked time.Time
	Took  time.Duration // until there was an answer, or no point in waiting on
	Trail *Trail        // of the load, which may still be under way; nil when its system was not asked
}

// maxSources bounds what one request may collect.
const maxSources = 10_000

// Sink collects the sources of one request. It is safe for concurrent use.
type Sink struct {
	mu    sync.Mutex
	lists [][]Source // in the order they came
	n     int        // sources in them
	open  bool       // the last list is the sink's own, and may be added to

	// Room for what most calls of a port report.
	list  [1][]Source
	first [1]Source
}

// nextSources is for how many sources there is room at least once there is more than one.
const nextSources = 8

type sinkKey struct{}

// WithSink returns a context whose reports go to a new sink, and the sink.
func WithSink(ctx context.Context) (context.Context, *Sink) {
	own := &sinking{Context: ctx}
	own.sink.lists = own.sink.list[:0]
	return own, &own.sink
}

// sinking is a context with a sink, in one piece: a request has one for each call of a port.
type sinking struct {
	context.Context
	sink Sink
}

// Value is the sink, or what the context has beside it.
func (s *sinking) Value(key any) any {
	if _, own := key.(sinkKey); own {
		return &s.sink
	}
	return s.Context.Value(key)
}

// SinkOf is the context's sink; nil when nobody wants to know.
func SinkOf(ctx context.Context) *Sink {
	sink, _ := ctx.Value(sinkKey{}).(*Sink)
	return sink
}

// Report adds sources to the context's sink; without one it does nothing. Only
// the goroutine that answers a waiter reports, never a shared flight.
func Report(ctx context.Context, sources ...Source) { SinkOf(ctx).Report(sources...) }

// Report adds sources, which are copied; to a nil sink it does nothing.
func (s *Sink) Report(sources ...Source) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sources = sources[:min(maxSources-s.n, len(sources))]
	if len(sources) == 0 {
		return
	}
	if !s.open {
		s.lists, s.open = append(s.lists, s.room(len(sources))), true
	}
	s.n += len(sources)
	last := &s.lists[len(s.lists)-1]
	if len(*last)+len(sources) > cap(*last) {
		*last = slices.Grow(*last, max(len(sources), nextSources))
	}
	*last = append(*last, sources...)
}

// room is a list of the sink's own for so many sources.
func (s *Sink) room(sources int) []Source {
	if s.n == 0 && sources == 1 {
		return s.first[:0]
	}
	return make([]Source, 0, sources)
}

// ReportAll is [Report] of a list that is handed over: nobody writes to it from here on.
func ReportAll(ctx context.Context, sources []Source) {
	s := SinkOf(ctx)
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sources = sources[:min(maxSources-s.n, len(sources))]; len(sources) > 0 {
		s.lists, s.open = append(s.lists, slices.Clip(sources)), false
		s.n += len(sources)
	}
}

// Visit shows see each source reported so far, which is read-only and only good until
// see returns; see must not use the sink.
func (s *Sink) Visit(see func(*Source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.lists {
		for i := range list {
			see(&list[i])
		}
	}
}

// Sources is a copy of what was reported so far.
func (s *Sink) Sources() []Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.lists...)
}

// Lists appends what was reported so far to lists, in pieces that are shared: they are
// read-only.
func (s *Sink) Lists(lists [][]Source) [][]Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.lists {
		lists = append(lists, slices.Clip(list))
	}
	return lists
}
