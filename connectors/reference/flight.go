package reference

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// flight is a key's part in a load under way. What became of it may be read once it has landed.
type flight[V any] struct {
	*landing

	value  V
	absent bool
	err    error
}

// landing is what the flights of one load have in common.
type landing struct {
	done     chan struct{}     // closed when all have landed
	since    uint64            // as the entries'
	outcomes []commerce.Reason // what happened on the way: retried, hedged
	trail    *commerce.Trail   // of the load
}

// run loads keys and lands their flights. The context is new: a waiter's values
// (its identity, its report) are not those of the others. Only the ids of the span
// that caused the load are in it, so that its calls are seen there, and the flights' trail.
func (c *Cache[K, V]) run(cause trace.SpanContext, flown []passenger[K, V], load func(context.Context, []K) (map[K]V, error)) {
	ctx := context.Background()
	if cause.IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, cause)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.LoadTimeout)
	defer cancel()
	landing := flown[0].flight.landing // one for all
	ctx = commerce.OnTrail(ctx, landing.trail)
	keys := make([]K, len(flown))
	for i, p := range flown {
		keys[i] = p.key
	}
	values, err := guarded(ctx, keys, load)

	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	landing.outcomes = landing.trail.Outcomes()
	for _, p := range flown {
		key, f := p.key, p.flight
		if c.flights[key] == f { // else it was invalidated, and another one is under way or has landed
			delete(c.flights, key)
		}
		value, ok := values[key]
		f.value, f.absent = value, !ok
		if f.err = commerce.KeyError(err, key); f.err == nil && !c.struck(key, f.since) {
			c.keep(key, f, now)
		}
	}
	close(landing.done)
}

func (c *Cache[K, V]) keep(key K, f *flight[V], now time.Time) {
	ttl := c.cfg.TTL
	if f.absent {
		ttl = min(ttl, MaxNegative)
	}
	c.entries.Set(key, entry[V]{value: f.value, absent: f.absent, expires: now.Add(ttl), since: f.since})
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
func (f *flight[V]) wait(ctx context.Context) error {
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
func (f *flight[V]) tell(ctx context.Context) {
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
