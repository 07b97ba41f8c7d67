package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/schema/commerce"
)

// use is a value, or its absence, at a path of the answer.
type use struct {
	op   commerce.Operation
	key  string
	path ast.Path
	err  error
}

// Used notes that what op answered for key went to path; err is what it met, or
// nil. The key is a batch key, or nil for an operation without keys.
func (l *Loader) Used(op commerce.Operation, key any, path ast.Path, err error) {
	text := ""
	if key != nil {
		text = keyText(key)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.uses = append(l.uses, use{op, text, path, err})
}

// keyText writes a key as the reports of sources do.
func keyText(key any) string { return fmt.Sprint(key) }

// Report is one line of the freshness report: a part of the answer that is not fresh.
type Report struct {
	Path         ast.Path        `json:"path"`
	Source       string          `json:"source"` // the system
	State        commerce.State  `json:"state"`  // stale, filler or missing
	AgeMS        int64           `json:"ageMs"`
	Reason       commerce.Reason `json:"reason,omitempty"`
	RetryAfterMS int64           `json:"retryAfterMs,omitempty"`
}

// Sources is where all came from that was read so far.
func (l *Loader) Sources() []commerce.Source { return l.sink.Sources() }

// Freshness lists what is not fresh in the answer, in the order it was resolved.
func (l *Loader) Freshness() []Report {
	type at struct {
		op  commerce.Operation
		key string
	}
	sources := map[at]commerce.Source{}
	for _, s := range l.sink.Sources() {
		if s.State != commerce.StateFresh {
			sources[at{s.Operation, s.Key}] = s
			sources[at{s.Operation, ""}] = s // for what is used without a key
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var reports []Report
	for _, u := range l.uses {
		s, told := sources[at{u.op, u.key}]
		switch {
		case errors.Is(u.err, commerce.ErrInvalid): // nothing is missing: the caller asked for what cannot be
			continue
		case u.err != nil && (!told || s.State != commerce.StateMissing):
			s = missing(u.err)
		case !told:
			continue
		}
		reports = append(reports, report(u.path, s))
	}
	return reports
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
