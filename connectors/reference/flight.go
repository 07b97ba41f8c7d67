package reference

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/stack"
)

// flight is a load under way, and what it brought.
type flight[K comparable, V any] struct {
	keys  []K // each once; nobody changes them once it has left
	since uint64
	trail *commerce.Trail
	done  chan struct{} // closed when it has landed

	patience commerce.Patience // of those who ever waited

	// These may be read once it has landed. Who waited for all of it shares its values with the others.
	values   map[K]V // of the keys that exist and did not fail
	err      error
	outcomes []commerce.Reason // what happened on the way: retried, hedged
}

// run loads a flight's keys and lands it. The context is new: a waiter's values
// (its identity, its report) are not those of the others. Only the ids of the span
// that caused the load are in it, so that its calls are seen there, the flight's trail, and
// whether any who waits is patient.
func (c *Cache[K, V]) run(cause trace.SpanContext, f *flight[K, V], load func(context.Context, []K) (map[K]V, error)) {
	stack.To8K()
	ctx := context.Background()
	if cause.IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, cause)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.LoadTimeout)
	defer cancel()
	values, err := guarded(f.patience.In(commerce.OnTrail(ctx, f.trail)), f.keys, load)

	c.mu.Lock()
	defer c.mu.Unlock()
	f.err, f.outcomes = err, f.trail.Outcomes()
	f.values = c.keep(f, values)
	close(f.done)
}

// keep keeps what a flight brought, and answers it: of each key that did not fail its value if it has one.
func (c *Cache[K, V]) keep(f *flight[K, V], values map[K]V) map[K]V {
	now := time.Now()
	stamps := &[2]stamp{
		{expires: now.Add(c.cfg.TTL), since: f.since},
		{expires: now.Add(min(c.cfg.TTL, MaxNegative)), since: f.since, absent: true},
	}
	brought := 0
	for _, key := range f.keys {
		if c.flights[key] == f { // else it was invalidated, and another one is under way or has landed
			delete(c.flights, key)
		}
		if commerce.KeyError(f.err, key) != nil {
			continue
		}
		e := entry[V]{stamp: &stamps[1]}
		if value, ok := values[key]; ok {
			e = entry[V]{value: value, stamp: &stamps[0]}
			brought++
		}
		if !c.struck(key, f.since) {
			c.entries.set(key, e)
		}
	}
	if brought == len(values) && values != nil {
		return values
	}
	return f.only(values)
}

// only leaves out what nobody asked for, and what failed.
func (f *flight[K, V]) only(values map[K]V) map[K]V {
	asked := make(map[K]V, len(values))
	for _, key := range f.keys {
		if value, ok := values[key]; ok && commerce.KeyError(f.err, key) == nil {
			asked[key] = value
		}
	}
	return asked
}

// guarded runs load and turns a panic into an error: it happens on a goroutine
// that no request's recovery covers. A load cut by its deadline is a timeout.
func guarded[K comparable, V any](ctx context.Context, keys []K, load func(context.Context, []K) (map[K]V, error)) (values map[K]V, err error) {
	defer func() {
		if r := recover(); r != nil {
			values, err = nil, fmt.Errorf("load panicked: %v", r)
		}
	}()
	values, err = load(ctx, keys)
	if err != nil && commerce.KindOf(err) == nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", commerce.ErrTimeout, err)
	}
	return values, err
}

// wait answers the flight's error, or why ctx ended before it landed.
func (f *flight[K, V]) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	default:
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ended(ctx.Err())
	}
}

// tell marks on the trail of ctx what happened on the way of a flight that has
// landed: its retries are those of everyone who waited for it.
func (f *flight[K, V]) tell(ctx context.Context) {
	select {
	case <-f.done:
		for _, outcome := range f.outcomes {
			commerce.Mark(ctx, outcome)
		}
	default:
	}
}

// ended says in the domain's words why a waiter's context is over.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", commerce.ErrTimeout, err)
}
