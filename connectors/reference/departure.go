package reference

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// start sorts keys into those that are known and those to wait for, and sends
// the ones that nobody is loading on one flight, which is part of cause's trace.
func (c *Cache[K, V]) start(cause trace.SpanContext, keys []K, load func(context.Context, []K) (map[K]V, error)) (map[K]V, []passenger[K, V]) {
	found := make(map[K]V, len(keys))
	now := time.Now()

	c.mu.Lock()
	defer c.mu.Unlock()
	d, early := c.departure(len(keys)), c.departure(len(keys))
	for _, key := range keys {
		e, ok := c.usable(key, now)
		if !ok {
			d.board(key, c.struck)
			continue
		}
		if e.absent {
			continue
		}
		found[key] = e.value
		if c.ages(e, now) {
			early.board(key, c.struck)
		}
	}
	d.leave(cause, load)
	early.leave(cause, load)
	return found, d.waiting
}

// startOne is start for one key: what is known of it, else a flight to wait for.
func (c *Cache[K, V]) startOne(cause trace.SpanContext, key K, load func(context.Context, []K) (map[K]V, error)) (entry[V], *flight[V]) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.usable(key, now)
	if ok && (e.absent || !c.ages(e, now)) {
		return e, nil
	}
	d := c.departure(1)
	d.board(key, c.struck)
	d.leave(cause, load)
	if ok {
		return e, nil
	}
	return e, d.waiting[0].flight
}

// startAnew is start for those who use nothing that is kept.
func (c *Cache[K, V]) startAnew(cause trace.SpanContext, keys []K, load func(context.Context, []K) (map[K]V, error)) []passenger[K, V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.departure(len(keys))
	for _, key := range keys {
		d.board(key, c.struckAnew)
	}
	d.leave(cause, load)
	return d.waiting
}

// passenger is a key on its flight.
type passenger[K comparable, V any] struct {
	key    K
	flight *flight[V]
}

// departure is one caller's keys that are not known, each on a flight: one that is under
// way, or the new one. The cache's mutex guards it.
type departure[K comparable, V any] struct {
	cache   *Cache[K, V]
	since   uint64
	keys    int               // how many there may be
	waiting []passenger[K, V] // all
	own     []passenger[K, V] // those of the new flight
	seats   []flight[V]       // room for these, which never moves
	landing *landing          // theirs
}

func (c *Cache[K, V]) departure(keys int) departure[K, V] {
	return departure[K, V]{cache: c, since: c.cfg.Invalidations.Now(), keys: keys}
}

// board puts key on a flight; late tells whether one that was begun at a place in the
// order of invalidations was begun too early for it.
func (d *departure[K, V]) board(key K, late func(K, uint64) bool) {
	f := d.cache.flights[key]
	if f != nil && f.landing == d.landing {
		return // key is there twice
	}
	if d.waiting == nil {
		d.waiting = make([]passenger[K, V], 0, d.keys)
	}
	if f == nil || late(key, f.since) {
		f = d.seat()
		d.cache.flights[key] = f
		d.own = append(d.own, passenger[K, V]{key, f})
	}
	d.waiting = append(d.waiting, passenger[K, V]{key, f})
}

// seat is a place on the new flight.
func (d *departure[K, V]) seat() *flight[V] {
	if d.landing == nil {
		d.landing = &landing{done: make(chan struct{}), since: d.since, trail: &commerce.Trail{}}
		d.seats, d.own = make([]flight[V], 0, d.keys), make([]passenger[K, V], 0, d.keys)
	}
	d.seats = append(d.seats, flight[V]{landing: d.landing})
	return &d.seats[len(d.seats)-1]
}

// leave begins the new flight, if anybody is on it.
func (d *departure[K, V]) leave(cause trace.SpanContext, load func(context.Context, []K) (map[K]V, error)) {
	if len(d.own) > 0 {
		d.landing.trail.For(len(d.own))
		go d.cache.run(cause, d.own, load)
	}
}
