package screen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// parts loads the parts of one screen at once and remembers which are not fresh.
type parts struct {
	screens *Screens
	asked   context.Context // the screen's: it is told where all of it came from
	ctx     context.Context // ends when a required part failed
	group   *errgroup.Group

	mu       sync.Mutex
	degraded []api.Degraded
	loaded   int // optional parts that are there
	failed   []error
}

// begin starts a screen. Its parts end a little before ctx does, so that there
// is time to answer without those that are late.
func (s *Screens) begin(ctx context.Context) (*parts, context.CancelFunc) {
	p := &parts{screens: s, asked: ctx}
	cancel := context.CancelFunc(func() {})
	if end, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)*9/10)
	}
	p.group, p.ctx = errgroup.WithContext(ctx)
	return p, cancel
}

// required runs load beside the other parts; its error is the screen's.
func (p *parts) required(name string, op commerce.Operation, load func(context.Context) error) {
	p.group.Go(func() error { return p.must(p.ctx, name, op, load) })
}

// must is required on the caller's goroutine.
func (p *parts) must(ctx context.Context, name string, op commerce.Operation, load func(context.Context) error) error {
	sources, err := p.run(ctx, load)
	if err == nil {
		p.keep(name, op, sources, nil)
	}
	return err
}

// optional runs load beside the other parts. When it fails the part is listed,
// unless there is just no such thing.
func (p *parts) optional(name string, op commerce.Operation, load func(context.Context) error) {
	p.group.Go(func() error {
		if p.may(p.ctx, name, op, load) {
			p.mu.Lock()
			p.loaded++
			p.mu.Unlock()
		}
		return nil
	})
}

// may is optional on the caller's goroutine; it tells whether the part is there.
func (p *parts) may(ctx context.Context, name string, op commerce.Operation, load func(context.Context) error) bool {
	sources, err := p.run(ctx, load)
	if errors.Is(err, commerce.ErrNotFound) {
		sources, err = nil, nil
	}
	p.keep(name, op, sources, err)
	return err == nil
}

// run loads with a sink of the part's own, so that what is reported there
// belongs to this part.
func (p *parts) run(ctx context.Context, load func(context.Context) error) (sources [][]commerce.Source, err error) {
	ctx, sink := commerce.WithSink(ctx)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in a part: %v", r)
			p.screens.Log.LogAttrs(ctx, slog.LevelError, "panic", slog.Any("cause", r), slog.String("stack", string(debug.Stack())))
		}
		sources = sink.Lists(nil)
		for _, list := range sources {
			commerce.ReportAll(p.asked, list)
		}
	}()
	return nil, load(ctx)
}

// keep remembers what is not fresh: one line per part, source and state, the
// oldest value counting.
func (p *parts) keep(name string, op commerce.Operation, sources [][]commerce.Source, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range sources {
		for i := range list {
			if list[i].State != commerce.StateFresh {
				p.add(line(name, list[i]))
			}
		}
	}
	if err == nil {
		return
	}
	p.failed = append(p.failed, err)
	if !slices.ContainsFunc(p.degraded, func(d api.Degraded) bool { return d.Part == name && d.State == api.DegradedMissing }) {
		p.add(line(name, p.missing(op, err)))
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

// wait answers when every part is done: what is not fresh, by part, or the
// first required part's error.
func (p *parts) wait() ([]api.Degraded, error) {
	if err := p.group.Wait(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.SortFunc(p.degraded, func(a, b api.Degraded) int {
		return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Source, b.Source), cmp.Compare(a.State, b.State))
	})
	return p.degraded, nil
}

// waitAny is wait for a screen without required parts: it fails when every part did.
func (p *parts) waitAny() ([]api.Degraded, error) {
	degraded, err := p.wait()
	if err != nil {
		return nil, err
	}
	if p.loaded == 0 && len(p.failed) > 0 {
		return nil, p.failed[0]
	}
	return degraded, nil
}
