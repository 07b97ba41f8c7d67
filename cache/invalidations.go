package cache

import "github.com/portico-bff/portico/schema/commerce"

// Invalidations is the order in which this cache drops answers, for connectors that
// keep what answers are computed from: they and the cache take the same moment for an
// invalidation, whichever process it is from.
func (c *Cache) Invalidations() commerce.Invalidations { return order{c.tags} }

// order is a table of tags as connectors see it.
type order struct{ table *tagTable }

func (o order) Now() uint64 { return o.table.seq.Load() }

func (o order) Struck(since uint64, tags ...commerce.Tag) bool { return o.table.struck(tags, since) }

// OnInvalidation has ring called after each invalidation that this process learns of, its
// own and others'. What was invalidated [Cache.Invalidations] tells. ring must not wait, and
// may be called several times at once. The last one that was given counts.
func (c *Cache) OnInvalidation(ring func()) { c.tags.bell.Store(&ring) }
