package screen

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// parts remembers which parts of one screen are not fresh.
type parts struct {
	screens *Screens
	asked   context.Context // the screen's: it is told where all of it came from
	begun   time.Time

	lines    sync.Mutex
	degraded []api.Degraded
}

// end is when a share of the screen's time is over.
func (p *parts) end(share float64) (time.Time, bool) {
	end, ok := p.asked.Deadline()
	if !ok {
		return end, false
	}
	return p.begun.Add(time.Duration(share * float64(end.Sub(p.begun)))), true
}

// keep remembers what is not fresh: one line per part, source and state, the
// oldest value counting.
func (p *parts) keep(t Part, sources [][]commerce.Source, err error) {
	p.lines.Lock()
	defer p.lines.Unlock()
	for _, list := range sources {
		for i := range list {
			if list[i].State != commerce.StateFresh {
				p.add(line(t.Name, list[i]))
			}
		}
	}
	if err == nil || errors.Is(err, commerce.ErrNotFound) {
		return
	}
	if !slices.ContainsFunc(p.degraded, func(d api.Degraded) bool { return d.Part == t.Name && d.State == api.DegradedMissing }) {
		p.add(line(t.Name, p.missing(t.Op, err)))
	}
}

func (p *parts) missing(op commerce.Operation, err error) commerce.Source {
	s := commerce.Source{System: p.screens.Ports.Traits[op].System, State: commerce.StateMissing, Reason: commerce.ReasonOf(err)}
	if errors.Is(err, context.DeadlineExceeded) {
		s.Reason = commerce.ReasonTimeout
	}
	if call, ok := errors.AsType[*commerce.CallError](err); ok {
		s.System, s.RetryAfter = call.System, call.RetryAfter
	}
	return s
}

func line(name string, s commerce.Source) api.Degraded {
	return api.Degraded{
		Part: name, Source: cmp.Or(s.System, "unknown"), State: api.DegradedState(s.State), AgeMs: s.Age.Milliseconds(),
		Reason: api.Reason(s.Reason), RetryAfterMs: wholeMs(s.RetryAfter),
	}
}

// wholeMs is d in milliseconds, rounded up: whoever comes back then is not early.
func wholeMs(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

func (p *parts) add(d api.Degraded) {
	for i := range p.degraded {
		have := &p.degraded[i]
		if have.Part == d.Part && have.Source == d.Source && have.State == d.State {
			have.AgeMs, have.RetryAfterMs = max(have.AgeMs, d.AgeMs), max(have.RetryAfterMs, d.RetryAfterMs)
			return
		}
	}
	p.degraded = append(p.degraded, d)
}

// sorted is what is not fresh, by part.
func (p *parts) sorted() []api.Degraded {
	slices.SortFunc(p.degraded, func(a, b api.Degraded) int {
		return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Source, b.Source), cmp.Compare(a.State, b.State))
	})
	return p.degraded
}
