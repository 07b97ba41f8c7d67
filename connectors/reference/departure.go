package reference

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// start sorts keys into those that are known and those to wait for, and sends
// the ones that nobody is loading on one flight, which is part of the caller's trace.
func (c *Cache[K, V]) start(caller context.Context, keys []K, load func(context.Context, []K) (map[K]V, error)) AskedAll[K, V] {
	var known map[K]V
	now := time.Now()

	c.mu.Lock()
	defer c.mu.Unlock()
	d, early := c.departure(len(keys)), c.departure(len(keys))
	for i, key := range keys {
		e, ok := c.usable(key, now)
		if !ok {
			d.board(key, c.struck)
			continue
		}
		if e.stamp.absent {
			continue
		}
		if known == nil {
			known = make(map[K]V, len(keys)-i)
		}
		known[key] = e.value
		if c.ages(e, now) {
			early.board(key, c.struck)
		}
	}
	d.leave(caller, load)
	early.leave(caller, load)
	return AskedAll[K, V]{name: c.cfg.Name, known: known, waiting: d.parts()}
}

// startOne is start for one key: what is known of it, else a flight to wait for.
func (c *Cache[K, V]) startOne(caller context.Context, key K, load func(context.Context, []K) (map[K]V, error)) (entry[V], *flight[K, V]) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.usable(key, now)
	if ok && (e.stamp.absent || !c.ages(e, now)) {
		return e, nil
	}
	d := c.departure(1)
	d.board(key, c.struck)
	d.leave(caller, load)
	if ok {
		return e, nil
	}
	return e, d.parts()[0].flight
}

// startAnew is start for those who use nothing that is kept.
func (c *Cache[K, V]) startAnew(caller context.Context, keys []K, load func(context.Context, []K) (map[K]V, error)) AskedAll[K, V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.departure(len(keys))
	for _, key := range keys {
		d.board(key, c.struckAnew)
	}
	d.leave(caller, load)
	return AskedAll[K, V]{name: c.cfg.Name, waiting: d.parts()}
}

// departure is one caller's keys that are not known, each on a flight: one that is under
// way, or the new one. The cache's mutex guards it.
type departure[K comparable, V any] struct {
	cache  *Cache[K, V]
	since  uint64
	most   int // keys there may be
	joined []part[K, V]
	own    *flight[K, V] // the new one; nil when there is nobody on it
}

func (c *Cache[K, V]) departure(keys int) departure[K, V] {
	return departure[K, V]{cache: c, since: c.cfg.Invalidations.Now(), most: keys}
}

// board puts key on a flight; late tells whether one that was begun at a place in the
// order of invalidations was begun too early for it.
func (d *departure[K, V]) board(key K, late func(K, uint64) bool) {
	f := d.cache.flights[key]
	switch {
	case f != nil && f == d.own: // key is there twice
	case f == nil || late(key, f.since):
		d.seat(key)
	default:
		d.join(f, key)
	}
}

// seat puts key on the new flight.
func (d *departure[K, V]) seat(key K) {
	if d.own == nil {
		d.own = &flight[K, V]{keys: make([]K, 0, d.most), since: d.since, done: make(chan struct{}), trail: &commerce.Trail{}}
	}
	d.own.keys = append(d.own.keys, key)
	d.cache.flights[key] = d.own
}

// join puts key on a flight under way.
func (d *departure[K, V]) join(f *flight[K, V], key K) {
	for i := range d.joined {
		if p := &d.joined[i]; p.flight == f {
			p.keys = append(p.keys, key)
			return
		}
	}
	d.joined = append(d.joined, part[K, V]{flight: f, keys: append(make([]K, 0, d.most), key)})
}

// leave begins the new flight, if anybody is on it. The others have the caller's patience, too.
func (d *departure[K, V]) leave(caller context.Context, load func(context.Context, []K) (map[K]V, error)) {
	for _, p := range d.joined {
		p.flight.patience.Join(caller)
	}
	if d.own != nil {
		d.own.patience.Join(caller)
		d.own.trail.For(len(d.own.keys))
		go d.cache.run(trace.SpanContextFromContext(caller), d.own, load)
	}
}

// parts are the flights to wait for.
func (d *departure[K, V]) parts() []part[K, V] {
	if d.own == nil {
		return d.joined
	}
	return append(d.joined, part[K, V]{flight: d.own, keys: d.own.keys})
}
