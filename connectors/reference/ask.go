package reference

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// Get answers the value of key, loading it when it is not there. A load that
// answers [commerce.ErrNotFound] makes the key absent: for at most [MaxNegative]
// Get answers that kind without asking again. Other errors of load pass as they
// are and are not kept. When ctx ends first, the error is context.Canceled or
// a [commerce.ErrTimeout], and the load goes on for the others.
func (c *Cache[K, V]) Get(ctx context.Context, key K, load func(context.Context, K) (V, error)) (V, error) {
	return c.Ask(ctx, key, load).Value(ctx)
}

// Ask is Get for who needs several things at the same time: when it returns, what is not there is being
// loaded, and nobody has waited for it.
func (c *Cache[K, V]) Ask(ctx context.Context, key K, load func(context.Context, K) (V, error)) Asked[K, V] {
	asked := Asked[K, V]{name: c.cfg.Name, key: key}
	if err := ctx.Err(); err != nil {
		asked.err = ended(err)
		return asked
	}
	now := time.Now()
	e, ok := c.usable(key, now)
	if !ok || !e.absent && c.ages(e, now) {
		e, asked.flight = c.startOne(trace.SpanContextFromContext(ctx), key, func(ctx context.Context, keys []K) (map[K]V, error) {
			value, err := load(ctx, keys[0])
			if errors.Is(err, commerce.ErrNotFound) {
				return map[K]V{}, nil
			}
			if err != nil {
				return nil, err
			}
			return map[K]V{key: value}, nil
		})
	}
	asked.value, asked.absent = e.value, e.absent
	return asked
}

// Asked is what [Cache.Ask] knows, or waits for.
type Asked[K comparable, V any] struct {
	name   string
	key    K
	value  V
	absent bool
	err    error
	flight *flight[V] // nil when nothing has to be waited for
}

// Value is what [Cache.Get] answers.
func (a Asked[K, V]) Value(ctx context.Context) (V, error) {
	var none V
	if a.flight != nil {
		commerce.TrailOf(ctx).Follow(a.flight.trail)
		err := a.flight.wait(ctx)
		a.flight.tell(ctx)
		if err != nil && errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return none, err
		}
		if err != nil {
			return none, fmt.Errorf("%s: %w", a.name, err)
		}
		a.value, a.absent = a.flight.value, a.flight.absent
	}
	switch {
	case a.err != nil:
		return none, a.err
	case a.absent:
		return none, fmt.Errorf("%s: %w", a.name, commerce.ErrNotFound)
	}
	return a.value, nil
}

// GetAll answers the values of keys; one that is absent from the map does not
// exist. What is neither kept nor being loaded goes to load in one call, each
// key once. A key that load leaves out without an error for it counts as absent
// for at most [MaxNegative]. When keys failed, the error is a
// [commerce.BatchError] that names them, and the map holds the others.
// context.Canceled passes unchanged.
func (c *Cache[K, V]) GetAll(ctx context.Context, keys []K, load func(context.Context, []K) (map[K]V, error)) (map[K]V, error) {
	return c.AskAll(ctx, keys, load).Values(ctx)
}

// AskAll is GetAll for who needs several things at the same time: when it returns, what is not there is
// being loaded, and nobody has waited for it.
func (c *Cache[K, V]) AskAll(ctx context.Context, keys []K, load func(context.Context, []K) (map[K]V, error)) AskedAll[K, V] {
	if err := ctx.Err(); err != nil {
		return AskedAll[K, V]{name: c.cfg.Name, found: map[K]V{}, err: ended(err)}
	}
	found, waiting := c.start(trace.SpanContextFromContext(ctx), keys, load)
	return AskedAll[K, V]{name: c.cfg.Name, found: found, waiting: waiting}
}

// AskedAll is what [Cache.AskAll] knows, and waits for.
type AskedAll[K comparable, V any] struct {
	name    string
	found   map[K]V
	waiting []passenger[K, V]
	err     error
}

// Values is what [Cache.GetAll] answers. It is asked for once.
func (a AskedAll[K, V]) Values(ctx context.Context) (map[K]V, error) {
	if a.err != nil {
		return a.found, a.err
	}
	return a.await(ctx)
}

// LoadAll is GetAll for who needs the values as they are now: what is kept is not used,
// only a load that is under way is joined. What is loaded is kept for GetAll.
func (c *Cache[K, V]) LoadAll(ctx context.Context, keys []K, load func(context.Context, []K) (map[K]V, error)) (map[K]V, error) {
	if err := ctx.Err(); err != nil {
		return map[K]V{}, ended(err)
	}
	waiting := c.startAnew(trace.SpanContextFromContext(ctx), keys, load)
	return AskedAll[K, V]{name: c.cfg.Name, found: make(map[K]V, len(waiting)), waiting: waiting}.await(ctx)
}

// await adds to what is found what the flights bring.
func (a AskedAll[K, V]) await(ctx context.Context) (map[K]V, error) {
	var failed map[K]error
	trail := commerce.TrailOf(ctx)
	var last *landing // whose passengers are told of it together
	for _, p := range a.waiting {
		if p.flight.landing != last {
			trail.Follow(p.flight.trail)
		}
		err := p.flight.wait(ctx)
		if p.flight.landing != last {
			last = p.flight.landing
			p.flight.tell(ctx)
		}
		switch {
		case err != nil && errors.Is(err, context.Canceled) && ctx.Err() != nil:
			return a.found, err
		case err != nil:
			if failed == nil {
				failed = map[K]error{}
			}
			failed[p.key] = fmt.Errorf("%s: %w", a.name, err)
		case !p.flight.absent:
			a.found[p.key] = p.flight.value
		}
	}
	if len(failed) > 0 {
		return a.found, &commerce.BatchError[K]{Errs: failed}
	}
	return a.found, nil
}
