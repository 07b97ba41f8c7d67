package reference

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
	if !ok || !e.stamp.absent && c.ages(e, now) {
		e, asked.flight = c.startOne(ctx, key, func(ctx context.Context, keys []K) (map[K]V, error) {
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
	asked.value, asked.absent = e.value, e.stamp != nil && e.stamp.absent
	return asked
}

// Asked is what [Cache.Ask] knows, or waits for.
type Asked[K comparable, V any] struct {
	name   string
	key    K
	value  V
	absent bool
	err    error
	flight *flight[K, V] // nil when nothing has to be waited for
}

// Value is what [Cache.Get] answers.
func (a Asked[K, V]) Value(ctx context.Context) (V, error) {
	var none V
	if a.flight != nil {
		commerce.TrailOf(ctx).Follow(a.flight.trail)
		err := commerce.KeyError(a.flight.wait(ctx), a.key)
		a.flight.tell(ctx)
		if err != nil && errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return none, err
		}
		if err != nil {
			return none, fmt.Errorf("%s: %w", a.name, err)
		}
		value, exists := a.flight.values[a.key]
		a.value, a.absent = value, !exists
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
// key once; load does not change its keys, and the map that it answers is the cache's
// from then on. A key that load leaves out without an error for it counts as absent
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
		return AskedAll[K, V]{err: ended(err)}
	}
	return c.start(ctx, keys, load)
}

// LoadAll is GetAll for who needs the values as they are now: what is kept is not used,
// only a load that is under way is joined. What is loaded is kept for GetAll.
func (c *Cache[K, V]) LoadAll(ctx context.Context, keys []K, load func(context.Context, []K) (map[K]V, error)) (map[K]V, error) {
	if err := ctx.Err(); err != nil {
		return map[K]V{}, ended(err)
	}
	return c.startAnew(ctx, keys, load).Values(ctx)
}

// AskedAll is what [Cache.AskAll] knows, and waits for.
type AskedAll[K comparable, V any] struct {
	name    string
	known   map[K]V // nil when there is nothing in it
	waiting []part[K, V]
	err     error
}

// part is keys of a caller that are on one flight.
type part[K comparable, V any] struct {
	flight *flight[K, V]
	keys   []K
}

// Known answers what is known without waiting, until Values is called, and the keys that are
// waited for. A key in neither is known to be absent.
func (a AskedAll[K, V]) Known() (known map[K]V, waiting []K) {
	if len(a.waiting) == 1 {
		return a.known, slices.Clip(a.waiting[0].keys)
	}
	for _, p := range a.waiting {
		waiting = append(waiting, p.keys...)
	}
	return a.known, waiting
}

// Values is what [Cache.GetAll] answers. It is asked for once.
func (a AskedAll[K, V]) Values(ctx context.Context) (map[K]V, error) {
	if a.err != nil {
		return map[K]V{}, a.err
	}
	if one, ok := a.onlyFlight(); ok {
		if err := a.wait(ctx, one); err == nil {
			return one.values, nil
		}
	}
	found, failed := a.known, map[K]error{}
	if found == nil {
		found = map[K]V{}
	}
	for _, p := range a.waiting {
		err := a.wait(ctx, p.flight)
		for _, key := range p.keys {
			met := commerce.KeyError(err, key)
			if met != nil && errors.Is(met, context.Canceled) && ctx.Err() != nil {
				return found, met
			}
			if met != nil {
				failed[key] = fmt.Errorf("%s: %w", a.name, met)
			} else if value, ok := p.flight.values[key]; ok {
				found[key] = value
			}
		}
	}
	if len(failed) > 0 {
		return found, &commerce.BatchError[K]{Errs: failed}
	}
	return found, nil
}

// onlyFlight is the flight that brings all that was asked for, and nothing else.
func (a AskedAll[K, V]) onlyFlight() (*flight[K, V], bool) {
	if a.known != nil || len(a.waiting) != 1 {
		return nil, false
	}
	p := a.waiting[0]
	return p.flight, slices.Equal(p.keys, p.flight.keys)
}

// wait waits for a flight, and tells the trail of ctx of it.
func (a AskedAll[K, V]) wait(ctx context.Context, f *flight[K, V]) error {
	commerce.TrailOf(ctx).Follow(f.trail)
	err := f.wait(ctx)
	f.tell(ctx)
	return err
}
