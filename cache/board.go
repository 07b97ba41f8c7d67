package cache

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// What several requests miss at about one time of an operation, and for the same
// circle of askers, one load brings: the first opens a board, lets those go first who are
// ready to run, and flies for all who boarded until then. On an idle machine that takes
// no time and nobody boards; under load a call brings what many pages need.
//
// Only what may be shared boards: an operation's keys of one market and price group.

// journey is a load as those know it who wait for its flights. It is guarded by the
// flights' lock.
type journey struct {
	cause   trace.SpanContext  // who began it, for traces
	waiting int                // for any of its flights
	cancel  context.CancelFunc // nil before it departs
	over    bool               // nobody waits, and what it brings may not be kept: it is ended

	patience commerce.Patience // of those who ever waited
}

// without is j without n of those who waited: they left, or have what they waited for.
func (j *journey) without(n int, p *plan) {
	if j.waiting -= n; j.waiting == 0 && n > 0 && p.policy.Fresh == 0 {
		j.end()
	}
}

// end is for when nobody waits any more for what nobody may keep.
func (j *journey) end() {
	j.over = true
	if j.cancel != nil {
		j.cancel()
	}
}

// board is a journey that has not departed.
type board struct {
	journey
	plan  *plan
	asker string // of all who are on it; see request
	open  bool   // others may board
	keys  int
	list  []passenger
	first [1]passenger // room for who is alone
}

// passenger is a request on a board, with its flights by place, of which it led those
// at the places led.
type passenger struct {
	*request
	flights []*flight
	led     []int
	again   bool // one of led is under way, and must not be joined: it goes in another load
}

// boards are what is open of a plan. They are guarded by the flights' lock.
type boards struct {
	most    int // keys of a board; 0: nobody boards
	byAsker map[string]*board
	apart   time.Time // until when nobody boards
}

// newBoards are those of an operation whose system takes so many keys in a call.
func newBoards(p Policy, traits commerce.Traits) boards {
	b := boards{most: traits.BatchSize, byAsker: map[string]*board{}}
	if b.most <= 0 {
		b.most = commerce.MaxBatch
	}
	if p.Scope < commerce.ScopeSegment {
		b.most = 0
	}
	return b
}

// take has p go with who boards already, or opens a board, which it answers: the caller
// has to have that depart. Who fills a board goes alone. The flights' lock is held.
func (b *boards) take(p passenger, cause trace.SpanContext) (begun *board) {
	n := len(p.led)
	mayShare := p.asker != "" && n < b.most && (b.apart.IsZero() || !time.Now().Before(b.apart))
	if mayShare {
		if open := b.byAsker[p.asker]; open != nil && !open.over && !p.again && open.keys+n <= b.most {
			open.add(p)
			return nil
		}
	}
	begun = &board{journey: journey{cause: cause}, plan: p.plan, asker: p.asker, open: mayShare}
	begun.list = begun.first[:0]
	begun.add(p)
	if mayShare {
		b.byAsker[p.asker] = begun
	}
	return begun
}

func (b *board) add(p passenger) {
	b.list = append(b.list, p)
	b.keys += len(p.led)
	b.waiting += len(p.led)
	for _, i := range p.led {
		p.flights[i].of = &b.journey
	}
}

// depart closes the board and flies for all who are on it.
func (c *Cache) depart(b *board) {
	if b.open {
		c.pause()
	}
	ctx, cancel := context.WithTimeout(b.patience.In(causedBy(c.ctx, b.cause)), loadTimeout)
	defer cancel()
	c.flights.mu.Lock()
	if b.plan.boards.byAsker[b.asker] == b {
		delete(b.plan.boards.byAsker, b.asker)
	}
	b.cancel = cancel
	if b.over {
		cancel()
	}
	c.flights.mu.Unlock()
	c.loadOf(b).run(ctx)
}

// loadOf is the load of all who are on a board that nobody boards any more.
func (c *Cache) loadOf(b *board) *load {
	if len(b.list) == 1 {
		p := &b.list[0]
		return &load{cache: c, request: p.request, flights: p.flights, open: p.led}
	}
	l := &load{
		cache: c, flights: make([]*flight, 0, b.keys), open: make([]int, b.keys), whose: make([]int, 0, b.keys),
		request: &request{plan: b.plan, keys: make([]string, 0, b.keys), wish: b.list[0].together(b.list)},
	}
	for n := range b.list {
		p := &b.list[n]
		for _, i := range p.led {
			l.open[len(l.keys)] = len(l.keys)
			l.keys, l.flights, l.whose = append(l.keys, p.keys[i]), append(l.flights, p.flights[i]), append(l.whose, n)
		}
	}
	return l
}
