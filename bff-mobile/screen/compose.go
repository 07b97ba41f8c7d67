package screen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/stack"
)

// Part is what a screen declares of one of its parts.
type Part struct {
	Name     string             // as "degraded" says it
	Op       commerce.Operation // what it asks for
	Calls    int                // of systems that this can come to, where it is more than one
	Required bool               // without it there is no screen
	Priority int                // of an optional part: 1 is never dropped, 4 is the first to go
	Share    float64            // of the screen's time: when that is over the part is late
	After    string             // the part that tells what to ask for; empty where the request does
	Fields   []string           // the properties it is there for, one of which has to be wanted; none: it is always loaded
	With     string             // another part that it may need as well, and waits for by itself
	Input    bool               // it is asked for what the client chose, and input that it refuses fails the screen
}

// part is a [Part] with how it is loaded into the state of a screen, of which it
// writes what no other part does. What it needs of the part it comes after is there.
type part[S any] struct {
	Part

	load func(s *S, ctx context.Context) error //nolint:revive // method expressions
}

// Shares of a screen's time. What tells what to ask for next ends early enough for
// that to be had, and what few people miss does not hold up the rest.
const (
	wholeTime = 0.9 // the rest is for the answer
	mostTime  = 0.75
	firstTime = 0.6
)

// wanted are the parts of table that a viewer wants a property of. The others are not asked
// for, so that they cannot be missing either.
func wanted[S any](v Viewer, table []part[S]) []part[S] {
	if v.Fields.All() {
		return table
	}
	return slices.DeleteFunc(slices.Clone(table), func(p part[S]) bool {
		return len(p.Fields) > 0 && !slices.ContainsFunc(p.Fields, v.Fields.Wants)
	})
}

// dropped is the least priority of optional parts that are not asked for while the
// channel is under pressure (0: none, 1: all that it can take).
func dropped(pressure float64) int {
	switch {
	case pressure >= 0.95:
		return 2
	case pressure >= 0.8:
		return 3
	case pressure >= 0.6:
		return 4
	default:
		return maxPriority + 1
	}
}

const maxPriority = 4

// composing is a screen that is being composed.
type composing[S any] struct {
	parts

	table []part[S]
	state *S
	drop  int
	wg    sync.WaitGroup

	mu      sync.Mutex
	refused error   // of the part that failed the screen
	errs    []error // of optional parts, by their place in the table
	there   int     // parts that were answered
}

// compose loads all parts of table into state, each as soon as it can be asked for and
// until its share of ctx's time is over. It answers what is not fresh, by part; an
// error when a required part cannot be had, or of a table without such a part none.
func compose[S any](ctx context.Context, s *Screens, table []part[S], state *S) ([]api.Degraded, error) {
	asked := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &composing[S]{
		parts: parts{screens: s, asked: asked, begun: time.Now()}, table: table, state: state, drop: dropped(s.pressure()), errs: make([]error, len(table)),
	}
	c.start(ctx, cancel, "")
	c.wg.Wait()
	if c.refused != nil {
		return nil, c.refused
	}
	if c.there == 0 {
		for _, err := range c.errs {
			if err != nil {
				return nil, err
			}
		}
	}
	return c.sorted(), nil
}

// start loads what comes after a part, each on a goroutine of its own.
func (c *composing[S]) start(ctx context.Context, cancel context.CancelFunc, after string) {
	for i := range c.table {
		if c.table[i].After == after {
			c.wg.Go(func() {
				stack.To8K()
				if c.settle(i, cancel, c.run(ctx, &c.table[i])) {
					c.start(ctx, cancel, c.table[i].Name)
				}
			})
		}
	}
}

// settle remembers what became of a part, and tells whether it is there. When the
// screen fails for it, what is under way is given up.
func (c *composing[S]) settle(i int, cancel context.CancelFunc, err error) bool {
	t := &c.table[i]
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.there++
		return true
	case t.Required, t.Input && commerce.KindOf(err) == commerce.ErrInvalid:
		if c.refused == nil {
			c.refused = err
		}
		cancel()
	case errors.Is(err, commerce.ErrNotFound):
		c.there++ // that there is no such thing is an answer
	default:
		c.errs[i] = err
	}
	return false
}

// run loads a part with a sink of its own, so that what is reported there belongs to it.
func (c *composing[S]) run(ctx context.Context, t *part[S]) (err error) {
	if !t.Required && t.Priority >= c.drop {
		err = &commerce.CallError{System: overloaded, Kind: commerce.ErrUnavailable, Reason: commerce.ReasonBulkheadFull, RetryAfter: time.Second}
		c.keep(t.Part, nil, err)
		return err
	}
	if end, ok := c.end(t.Share); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end)
		defer cancel()
	}
	ctx, sink := commerce.WithSink(ctx)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in a part: %v", r)
			c.screens.Log.LogAttrs(ctx, slog.LevelError, "panic", slog.Any("cause", r), slog.String("stack", string(debug.Stack())))
		}
		sources := sink.Lists(nil)
		for _, list := range sources {
			commerce.ReportAll(c.asked, list)
		}
		if errors.Is(err, commerce.ErrNotFound) {
			sources = nil // there is just no such thing
		}
		c.keep(t.Part, sources, err)
	}()
	return t.load(c.state, ctx)
}

// overloaded is the system that parts are missing of which were dropped: the channel.
const overloaded = "mobile"

// pressure is how close the channel is to all that it can take.
func (s *Screens) pressure() float64 {
	if s.Pressure == nil {
		return 0
	}
	return s.Pressure()
}
