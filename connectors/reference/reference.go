// Package reference keeps what a connector has to know before it can ask its
// upstream anything: which internal id a SKU has, which rules a price list
// holds, which partner a principal is. Such data changes rarely, is small, and
// is no answer of a port, so it lives here and not in the response cache.
//
// A [Cache] is bounded in entries and in time. Concurrent loads of one key share
// one flight. The flight belongs to nobody: it has its own deadline and of its
// first caller's context the ids of its span alone, so a caller who leaves takes nobody along, and
// every waiter watches its own context. It is as patient as whoever asked for it most patiently
// (commerce.WithPatience). Errors are never kept; "there is no such
// key" is, for a few seconds.
//
// What is kept has tags, as answers have: when one of them is invalidated, whichever
// process did it, the next use loads anew, and nobody joins a load that was begun
// before. An answer that is loaded after an invalidation is thus never computed from
// what was read before it.
package reference

import (
	"fmt"
	"slices"
	"sync"
	"time"

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
	MaxEntries  int           // how many keys are kept at most, 2 or more, known and absent ones together
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
// goroutine of its own and needs no closing. Values are shared, and so are maps of
// them: nobody changes what a cache returned.
type Cache[K comparable, V any] struct {
	cfg     Config
	tags    []commerce.Tag // of every key
	entries *kept[K, V]

	mu      sync.Mutex // guards flights, and the step from "no entry" to "a flight"
	flights map[K]*flight[K, V]
}

// entry is what is known of a key.
type entry[V any] struct {
	value V
	stamp *stamp
}

// stamp says of what a load brought how long it may be used: one for all keys that exist, and one for
// those that do not. The age is checked on reading: entries past it only wait for eviction, so that the
// cache needs no clean-up goroutine.
type stamp struct {
	absent  bool
	expires time.Time
	since   uint64 // the place in the order of invalidations at which the load began
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
		entries: newKept[K, V](cfg.MaxEntries),
		flights: map[K]*flight[K, V]{},
	}
}

// usable is what is known of key, unless it is too old or was invalidated.
func (c *Cache[K, V]) usable(key K, now time.Time) (entry[V], bool) {
	e, ok := c.entries.get(key)
	return e, ok && now.Before(e.stamp.expires) && !c.struck(key, e.stamp.since)
}

// Forget drops what is known of key; the next Get loads it.
func (c *Cache[K, V]) Forget(key K) { c.entries.forget(key) }

// ages tells whether what is known is to be loaded anew behind the back of whoever uses it.
func (c *Cache[K, V]) ages(e entry[V], now time.Time) bool {
	return e.stamp.expires.Sub(now) <= c.cfg.Ahead
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
