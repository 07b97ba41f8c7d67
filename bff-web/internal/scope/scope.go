// Package scope carries what the steps of a request find out about it, and when it has
// to end, in one piece: a context, and a copy of the request, for each step would cost
// more than most of the steps do.
package scope

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// room is for so many values: those that the steps of a request put. What does not fit is
// kept as any context's value is.
const room = 6

// Scope is a request's context. Steps put values into it one after another, before
// anything of the request runs at the same time; from then on it is only read.
type Scope struct {
	// Name is the request's id, as a header has it: written once, before anybody reads it.
	Name [1]string

	request http.Request    // in one piece with its context
	parent  context.Context //nolint:containedctx // it is a context itself
	values  [room]pair
	n       int
	end     time.Time // zero: the parent's

	timed  atomic.Pointer[timed] // the context that ends in time; nil until somebody waits for that
	mu     sync.Mutex            // held while timed is made, and at the close
	closed atomic.Bool
}

type pair struct{ key, value any }

type timed struct {
	context.Context //nolint:containedctx // see Scope
	cancel          context.CancelFunc
}

var _ context.Context = (*Scope)(nil)

type scopeKey struct{}

// Begin is r with a scope of its own, and the scope.
func Begin(r *http.Request) (*http.Request, *Scope) {
	s := &Scope{parent: r.Context()}
	s.request = *r.WithContext(s)
	return &s.request, s
}

// Of is the scope that ctx lies within, or nil.
func Of(ctx context.Context) *Scope {
	s, _ := ctx.Value(scopeKey{}).(*Scope)
	return s
}

// Put is r whose context has value under key. Within a scope that is r itself.
func Put(r *http.Request, key, value any) *http.Request {
	ctx := r.Context()
	s := Of(ctx)
	if s == nil || s.n == room {
		return r.WithContext(context.WithValue(ctx, key, value))
	}
	s.values[s.n] = pair{key, value}
	s.n++
	return r
}

// Within is r that ends at that time, and what is to be closed when it has been answered.
func Within(r *http.Request, at time.Time) (*http.Request, End) {
	ctx := r.Context()
	s, ok := ctx.(*Scope)
	if !ok || !s.end.IsZero() || s.timed.Load() != nil {
		ctx, cancel := context.WithDeadline(ctx, at)
		return r.WithContext(ctx), End{cancel: cancel}
	}
	s.end = at
	return r, End{scope: s}
}

// End is the end of a request.
type End struct {
	scope  *Scope
	cancel context.CancelFunc // where the request has another context
}

// Close ends whatever the request started. It may be called twice.
func (e End) Close() {
	if e.scope != nil {
		e.scope.close()
		return
	}
	e.cancel()
}

// close ends the scope.
func (s *Scope) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed.Store(true)
	if t := s.timed.Load(); t != nil {
		t.cancel()
	}
}

// ends is what says when the scope ends: nobody sets a clock for a request that is
// answered before anybody waits for anything.
func (s *Scope) ends() context.Context {
	if t := s.timed.Load(); t != nil {
		return t
	}
	if s.end.IsZero() {
		return s.parent
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.timed.Load(); t != nil {
		return t
	}
	t := &timed{}
	t.Context, t.cancel = context.WithDeadline(s.parent, s.end)
	if s.closed.Load() {
		t.cancel()
	}
	s.timed.Store(t)
	return t
}

// Deadline implements [context.Context].
func (s *Scope) Deadline() (time.Time, bool) {
	at, ok := s.parent.Deadline()
	if s.end.IsZero() || ok && at.Before(s.end) {
		return at, ok
	}
	return s.end, true
}

// Done implements [context.Context].
func (s *Scope) Done() <-chan struct{} { return s.ends().Done() }

// Err implements [context.Context]. To ask whether the end has come is not to wait for it.
func (s *Scope) Err() error {
	if s.timed.Load() != nil || s.end.IsZero() || s.closed.Load() || !time.Now().Before(s.end) {
		return s.ends().Err()
	}
	return s.parent.Err()
}

// Value implements [context.Context]: what was put last under key, or what the parent has.
func (s *Scope) Value(key any) any {
	if key == (scopeKey{}) {
		return s
	}
	for i := s.n - 1; i >= 0; i-- {
		if s.values[i].key == key {
			return s.values[i].value
		}
	}
	if t := s.timed.Load(); t != nil {
		return t.Value(key) // by which contexts that derive from this one find what ends them
	}
	return s.parent.Value(key)
}
