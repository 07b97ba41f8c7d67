package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/schema/commerce"
)

// Origin knows where what one call brought came from. The zero Origin knows nothing.
type Origin struct{ sink *commerce.Sink }

// Listen returns a context for one call of a port, and what will know where its answer
// came from. Calls are told apart because one request may ask for the same twice, taking
// what is stale once and not the other time.
func (l *request) Listen(ctx context.Context) (context.Context, Origin) {
	ctx, sink := commerce.WithSink(ctx)
	from := Origin{sink}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.origins = append(l.origins, from)
	return ctx, from
}

// Use is a value, or its absence, at a path of the answer.
type Use struct {
	Op     commerce.Operation
	Key    any // the batch key; nil for an operation without keys
	Path   ast.Path
	From   Origin // the call that brought it; zero: any of the request's
	Err    error  // what was met in the value's place, or nil
	Filler bool   // whether a constant stands in its place
}

// Uses are values that one field of several parents, or one list, was given. What is
// all fresh interests nobody, as a rule: they are told one by one only when they do.
type Uses interface {
	// Len is how many there are.
	Len() int
	// At is use i.
	At(i int) Use
	// Poor tells whether any has an error, or a filler.
	Poor() bool
}

// Note notes what went to a path of the answer.
func (l *Loader) Note(u Use) {
	l.noting.Lock()
	defer l.noting.Unlock()
	l.uses = append(l.uses, noted{one: &u})
}

// NoteAll notes what went to several paths of the answer.
func (l *Loader) NoteAll(u Uses) {
	l.noting.Lock()
	defer l.noting.Unlock()
	l.uses = append(l.uses, noted{all: u})
}

// noted is one use, or several.
type noted struct {
	one *Use
	all Uses // nil: it is one
}

// each shows every use.
func (n *noted) each(see func(Use)) {
	if n.all == nil {
		see(*n.one)
		return
	}
	for i := range n.all.Len() {
		see(n.all.At(i))
	}
}

// Used notes that what op answered for key went to path; err is what it met, or
// nil. The key is a batch key, or nil for an operation without keys.
func (l *Loader) Used(op commerce.Operation, key any, path ast.Path, err error) {
	l.Note(Use{Op: op, Key: key, Path: path, Err: err})
}

// keyText writes a key as the reports of sources do, which name none for what is read as
// a whole.
func keyText(key any) string {
	switch key.(type) {
	case nil, One:
		return ""
	}
	return fmt.Sprint(key)
}

// Fail notes that the value at path could not be had and that the answer may not do
// without it.
func (l *Loader) Fail(path ast.Path) {
	l.noting.Lock()
	defer l.noting.Unlock()
	l.failed = append(l.failed, path)
}

// Failed are the paths that the answer may not do without.
func (l *Loader) Failed() []ast.Path {
	l.noting.Lock()
	defer l.noting.Unlock()
	return slices.Clone(l.failed)
}

// Report is one line of the freshness report: a part of the answer that is not fresh.
type Report struct {
	Path         ast.Path        `json:"path"`
	Source       string          `json:"source"` // the system
	State        commerce.State  `json:"state"`  // stale, filler or missing
	AgeMS        int64           `json:"ageMs"`
	Reason       commerce.Reason `json:"reason,omitempty"`
	RetryAfterMS int64           `json:"retryAfterMs,omitempty"`
}

// Sources is where all came from that was read so far, in lists that are shared and
// read-only.
func (l *request) Sources() [][]commerce.Source {
	origins := l.heard()
	all := make([][]commerce.Source, 0, len(origins))
	for _, from := range origins {
		all = from.sink.Lists(all)
	}
	return all
}

// heard are all origins that there are so far.
func (l *request) heard() []Origin {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(append(make([]Origin, 0, len(l.origins)+1), l.origins...), Origin{l.sink})
}

// at names what a call told of.
type at struct {
	from Origin
	op   commerce.Operation
	key  string
}

// unfresh are the sources of what is not fresh, as each call told of them and, under the
// zero Origin, as any did.
func (l *request) unfresh() map[at]commerce.Source {
	var sources map[at]commerce.Source
	for _, from := range l.heard() {
		from.sink.Visit(func(s *commerce.Source) {
			if s.State == commerce.StateFresh {
				return
			}
			if sources == nil {
				sources = map[at]commerce.Source{}
			}
			for _, as := range []Origin{from, {}} {
				sources[at{as, s.Operation, s.Key}] = *s
				sources[at{as, s.Operation, ""}] = *s // for what is used without a key
			}
		})
	}
	return sources
}

// Freshness lists what is not fresh in the answer, in the order it was resolved.
func (l *Loader) Freshness() []Report {
	sources := l.unfresh()
	l.noting.Lock()
	defer l.noting.Unlock()
	var reports []Report
	for i := range l.uses {
		if all := l.uses[i].all; all != nil && !all.Poor() && sources == nil {
			continue
		}
		l.uses[i].each(func(u Use) {
			if s, listed := u.stands(sources); listed {
				reports = append(reports, report(u.Path, s))
			}
		})
	}
	return reports
}

// stands is how a used value stands, and whether that is worth a line.
func (u Use) stands(sources map[at]commerce.Source) (commerce.Source, bool) {
	if errors.Is(u.Err, commerce.ErrInvalid) {
		return commerce.Source{}, false // nothing is missing: the caller asked for what cannot be
	}
	s, told := commerce.Source{}, false
	if sources != nil {
		s, told = sources[at{u.From, u.Op, keyText(u.Key)}]
	}
	if u.Err != nil && (!told || s.State != commerce.StateMissing) {
		s, told = missing(u.Err), true
	}
	if u.Filler {
		s.State = commerce.StateFiller
	}
	return s, told
}

// missing is the source of a part whose error no cache reported.
func missing(err error) commerce.Source {
	s := commerce.Source{State: commerce.StateMissing, Reason: commerce.ReasonOf(err)}
	if call, ok := errors.AsType[*commerce.CallError](err); ok {
		s.System, s.RetryAfter = call.System, call.RetryAfter
	}
	return s
}

func report(path ast.Path, s commerce.Source) Report {
	return Report{
		Path: path, Source: s.System, State: s.State, AgeMS: int64(s.Age / time.Millisecond),
		Reason: s.Reason, RetryAfterMS: wholeMS(s.RetryAfter),
	}
}

// wholeMS is d in milliseconds, rounded up: whoever comes back then is not early.
func wholeMS(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }
