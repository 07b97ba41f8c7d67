// Package reference keeps what a connector has to know before it can ask its
// upstream anything: which internal id a SKU has, which rules a price list
// holds, which partner a principal is. Such data changes rarely, is small, and
// is no answer of a port, so it lives here and not in the response cache.
//
// A [Cache] is bounded in entries and in time. Concurrent loads of one key share
// one flight. The flight belongs to nobody: it has its own deadline and of its
// first caller's context the ids of its span alone, so a caller who leaves takes nobody along, and
// every waiter watches its own context. Errors are never kept; "there is no such
// key" is, for a few seconds.
//
// What is kept has tags, as answers have: when one of them is invalidated, whichever
// process did it, the next use loads anew, and nobody joins a load that was begun
// before. An answer that is loaded after an invalidation is thus never computed from
// what was read before it.
package reference

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// The limits that hold where [Config] says nothing, and the longest time that
// an absence is remembered.
const (
	DefaultTTL         = time.Minute
	DefaultMaxEntries  = 10_000
	DefaultLoadTimeout = 10 * time.Second
	MaxNegative        = 5 * time.Second
)

// Config shapes a cache. Zero fields take the defaults of this package.
type Config struct {
	Name        string        // what is kept, for error texts: "price lists"
	TTL         time.Duration // how long a value may be used after it was loaded
	MaxEntries  int           // how many keys are kept at most, known and absent ones together
	LoadTimeout time.Duration // how long one load may take, whoever waits for it

	// Ahead is how long before its time is over a value is loaded anew behind the back of
	// whoever uses it, who is given what is kept: no use waits for a load as long as there
	// is one in each such while. 0: never.
	Ahead time.Duration

	// Invalidations is where invalidated tags are seen; nil: nowhere.
	Invalidations commerce.Invalidations
	// System is the connector's kind: [commerce.TagSystem] of it drops everything here,
	// as [commerce.TagReference] and [commerce.TagAll] do.
	System string
	// Tags drop everything here, too.
	Tags []commerce.Tag
	// KeyTags are the kinds of tags that drop one key: "sku" for "sku:" and the key.
	KeyTags []string
	// AnewTags and AnewKeyTags are more of them that count for [Cache.LoadAll] only: who asks
	// anew after one of them was invalidated joins no load that was begun before.
	AnewTags    []commerce.Tag
	AnewKeyTags []string
}

// tags are those that drop everything.
func (c Config) tags() []commerce.Tag {
	tags := append([]commerce.Tag{commerce.TagAll, commerce.TagReference}, c.Tags...)
	if c.System != "" {
		tags = append(tags, commerce.TagSystem(c.System))
	}
	return slices.Clip(tags)
}

// never is the order of invalidations where there are none.
type never struct{}

func (never) Now() uint64                         { return 0 }
func (never) Struck(uint64, ...commerce.Tag) bool { return false }

// Cache is reference data by key. It is safe for concurrent use, starts no
// goroutine of its own and needs no closing. Values are shared: nobody changes
// what a cache returned.
type Cache[K comparable, V any] struct {
	cfg     Config
	tags    []commerce.Tag // of every key
	entries *otter.Cache[K, entry[V]]

	mu      sync.Mutex // guards flights, and the step from "no entry" to "a flight"
	flights map[K]*flight[V]
}

// entry is what is known of a key. Its age is checked on reading: entries past
// it only wait for eviction, so that the cache needs no clean-up goroutine.
type entry[V any] struct {
	value   V
	absent  bool
	expires time.Time
	since   uint64 // the place in the order of invalidations at which its load began
}

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

// New makes an empty cache.
func New[K comparable, V any](cfg Config) *Cache[K, V] {
	if cfg.TTL <= 0 {
		cfg.TTL = DefaultTTL
	}
	if cfg.MaxEntries <= 0 {
		cfg.MaxEntries = DefaultMaxEntries
	}
	if cfg.LoadTimeout <= 0 {
		cfg.LoadTimeout = DefaultLoadTimeout
	}
	if cfg.Invalidations == nil {
		cfg.Invalidations = never{}
	}
	return &Cache[K, V]{
		cfg:     cfg,
		tags:    cfg.tags(),
		entries: otter.Must(&otter.Options[K, entry[V]]{MaximumSize: cfg.MaxEntries}),
		flights: map[K]*flight[V]{},
	}
}

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

// Kept answers what is known of keys and may be used, without asking for anything, and
// those of which nothing is known, each as often as it was given. A key in neither is known
// to be absent.
func (c *Cache[K, V]) Kept(keys []K) (known map[K]V, unknown []K) {
	known = make(map[K]V, len(keys))
	now := time.Now()
	for _, key := range keys {
		switch e, ok := c.usable(key, now); {
		case !ok:
			unknown = append(unknown, key)
		case !e.absent:
			known[key] = e.value
		}
	}
	return known, unknown
}

// usable is what is known of key, unless it is too old or was invalidated.
func (c *Cache[K, V]) usable(key K, now time.Time) (entry[V], bool) {
	e, ok := c.entries.GetIfPresent(key)
	return e, ok && now.Before(e.expires) && !c.struck(key, e.since)
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

// Forget drops what is known of key; the next Get loads it.
func (c *Cache[K, V]) Forget(key K) { c.entries.Invalidate(key) }

// ages tells whether what is known is to be loaded anew behind the back of whoever uses it.
func (c *Cache[K, V]) ages(e entry[V], now time.Time) bool { return e.expires.Sub(now) <= c.cfg.Ahead }

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

// struck tells whether a key was invalidated after the place since.
func (c *Cache[K, V]) struck(key K, since uint64) bool {
	if c.cfg.Invalidations.Now() == since {
		return false
	}
	return c.cfg.Invalidations.Struck(since, keyTags(c.tags, c.cfg.KeyTags, key)...)
}

// struckAnew is struck for [Cache.LoadAll].
func (c *Cache[K, V]) struckAnew(key K, since uint64) bool {
	if c.cfg.Invalidations.Now() == since {
		return false
	}
	return c.struck(key, since) || c.cfg.Invalidations.Struck(since, keyTags(c.cfg.AnewTags, c.cfg.AnewKeyTags, key)...)
}

// keyTags are tags and those of the kinds for key.
func keyTags[K comparable](tags []commerce.Tag, kinds []string, key K) []commerce.Tag {
	tags = slices.Clip(tags)
	for _, kind := range kinds {
		tags = append(tags, commerce.TagOf(kind, fmt.Sprint(key)))
	}
	return tags
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
