package cache

import (
	"context"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/stack"
)

// production is the making of one answer that everybody who asks the same waits for.
type production struct {
	began   time.Time
	stamp   stamp             // what was invalidated by then
	cause   trace.SpanContext // who began it, for traces
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int // guarded by the answers' lock

	// Set before done is closed.
	answer *Answer
	err    error
	took   time.Duration
	cut    bool // its time was over before it was whole
}

// maxRounds is how many productions one caller waits for, each ended by the deadline of
// who began it.
const maxRounds = 3

// Maker makes an answer. Its context holds a deadline and the span of who began it and
// nothing else of any request: no principal, no token, and no market but what it puts
// there itself from the [Question].
type Maker func(ctx context.Context) (Produced, error)

// Do answers q: from what is kept, by waiting for who makes it already, or by having
// it made. Who leaves, because ctx ends, fails nobody else; when all have left the
// making ends. Nor does a deadline fail others than whose it is: who has more time has
// it made anew. What was begun before an invalidation that had returned when q was
// asked, be it an error, is not shared. The error is the maker's, shared by all who
// waited, or ctx's.
func (a *Answers) Do(ctx context.Context, q *Question, produce Maker) (*Answer, Result, error) {
	key, asked := q.key(), a.cache.tags.seq.Load()
	for round := 1; ; round++ {
		if found := a.lookup(key); found != nil {
			a.Count(Hit)
			return found, Hit, nil
		}
		p, result := a.board(ctx, key, produce)
		if result == Shared {
			linkProduction(ctx, p, q.Channel)
		}
		select {
		case <-p.done:
		case <-ctx.Done():
			a.leave(key, p)
			a.Count(result)
			return nil, result, ctx.Err()
		}
		if a.outdated(p, asked) || result == Shared && round < maxRounds && a.worthwhile(ctx, p) {
			continue
		}
		a.Count(result)
		return p.answer, result, p.err
	}
}

// outdated tells whether p was begun before something was invalidated that it was made
// of and that who asked at the local time asked knows of. What an error or an answer
// that is not proven was made of is not known: any invalidation may have been of it.
func (a *Answers) outdated(p *production, asked uint64) bool {
	if p.stamp.local >= asked {
		return false
	}
	return p.answer == nil || !p.answer.public || a.cache.tags.struckAny(p.answer.tags, p.stamp.local)
}

// worthwhile tells whether who joined p, which its leader's deadline may have ended, has
// the time to have it made anew: an eighth of what was not enough at least. Who has less
// would only have those who have more wait for another end.
func (a *Answers) worthwhile(ctx context.Context, p *production) bool {
	const share = 8
	if !p.cut || ctx.Err() != nil || a.ctx.Err() != nil {
		return false
	}
	end, ok := ctx.Deadline()
	return !ok || time.Until(end) >= p.took/share
}

// board joins the production under key or begins it, unless one landed since the
// caller looked: what lands is kept first, so that nothing is made a second time.
func (a *Answers) board(caller context.Context, key string, produce Maker) (*production, Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.flights[key]; p != nil {
		p.waiting++
		return p, Shared
	}
	if found := a.lookup(key); found != nil {
		p := &production{stamp: a.cache.tags.stamp(), done: make(chan struct{}), cancel: func() {}, answer: found}
		close(p.done)
		return p, Hit
	}
	// What was invalidated is noted first: what comes later is not missed.
	p := &production{stamp: a.cache.tags.stamp(), cause: trace.SpanContextFromContext(caller), done: make(chan struct{}), waiting: 1}
	p.began = time.Now()
	// Nothing of the caller's context but its span: the answer is for all who wait.
	ctx := trace.ContextWithSpan(a.ctx, trace.SpanFromContext(caller))
	ctx, p.cancel = context.WithDeadline(ctx, productionEnd(caller, p.began))
	a.flights[key] = p
	a.work.Go(func() {
		stack.To16K()
		a.produce(ctx, key, p, produce)
	})
	return p, Miss
}

// productionEnd is a little before its leader's deadline, so that there is time to
// answer with what could be had.
func productionEnd(caller context.Context, now time.Time) time.Time {
	const early = 32 // parts of the time that is left
	if end, ok := caller.Deadline(); ok {
		return end.Add(-end.Sub(now) / early)
	}
	return now.Add(loadTimeout)
}

// produce flies p and lands it, whatever becomes of the maker.
func (a *Answers) produce(ctx context.Context, key string, p *production, produce Maker) {
	defer p.cancel()
	defer a.land(key, p)
	p.err = errPanic // until the maker has returned
	defer func() {
		if r := recover(); r != nil {
			a.warn(ctx, string(debug.Stack()))
		}
	}()
	made, err := produce(ctx)
	p.took = time.Since(p.began)
	p.cut = ctx.Err() != nil && (err != nil || !made.Whole)
	if err != nil {
		p.err = err
		return
	}
	p.answer = Prove(made, p.began, a.room)
	p.err = nil
	a.keep(key, p)
	a.remember(key, p, &made)
	p.tell(made.Spent)
}

// land ends a production: what it brought is already kept when nobody can join it any more.
func (a *Answers) land(key string, p *production) {
	a.mu.Lock()
	if a.flights[key] == p {
		delete(a.flights, key)
	}
	a.mu.Unlock()
	close(p.done)
}

// leave is for a caller who waits no more.
func (a *Answers) leave(key string, p *production) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.waiting--; p.waiting > 0 {
		return
	}
	if a.flights[key] == p {
		delete(a.flights, key)
	}
	p.cancel()
}

// linkProduction points the caller's span to the span of who has the answer made.
func linkProduction(caller context.Context, p *production, channel string) {
	span := trace.SpanFromContext(caller)
	if !span.IsRecording() || !p.cause.IsValid() || p.cause.SpanID() == span.SpanContext().SpanID() {
		return
	}
	span.AddLink(trace.Link{SpanContext: p.cause, Attributes: []attribute.KeyValue{
		attribute.String("portico.link", "joined answer"),
		attribute.String("portico.channel", channel),
	}})
}
