package cache

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// ageBounds are the upper ends of the ages that are told apart.
var ageBounds = [...]time.Duration{
	time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// histogram counts by age, within one call.
type histogram [len(ageBounds) + 1]int64

func (h *histogram) add(age time.Duration) {
	i := 0
	for i < len(ageBounds) && age > ageBounds[i] {
		i++
	}
	h[i]++
}

// tally adds up one operation. It is safe for concurrent use.
type tally struct {
	served [len(everyServed)]atomic.Int64
	ages   [len(ageBounds) + 1]atomic.Int64

	shared, loads, calls, renewals, passed atomic.Int64
}

// aged adds what one call was given.
func (c *tally) aged(h *histogram) {
	for i, n := range h {
		if n > 0 {
			c.ages[i].Add(n)
		}
	}
}

// warm adds a call whose n keys memory answered, fresh.
func (c *tally) warm(n int, ages *histogram) {
	c.served[memoryFresh].Add(int64(n))
	c.aged(ages)
}

// results adds what one call was served.
func (c *tally) results(results []result, sources []commerce.Source) {
	var ages histogram
	for i := range results {
		if results[i].err == nil {
			ages.add(sources[i].Age)
		}
	}
	c.aged(&ages)
}

// joined adds the flights that r waits for and others began.
func (c *tally) joined(r *request, flights []*flight) {
	for _, f := range flights {
		if f != nil && f.by != r {
			c.shared.Add(1)
		}
	}
}

// renewed adds the flights that r began without waiting for them.
func (c *tally) renewed(r *request, flights []*flight) {
	for _, f := range flights {
		if f != nil && f.by == r {
			c.renewals.Add(1)
		}
	}
}

func (c *tally) of(list ...served) int64 {
	sum := int64(0)
	for _, s := range list {
		sum += c.served[s].Load()
	}
	return sum
}

func (c *tally) agesNow() Ages {
	n := func(i int) int64 { return c.ages[i].Load() }
	return Ages{
		Second: n(0), Seconds: n(1), Minute: n(2), Minutes: n(3), Quarter: n(4), Hour: n(5), Hours: n(6), Day: n(7), Moreover: n(8),
	}
}

// remember has p in what is looked at. A later plan of an operation replaces an earlier.
func (i *instruments) remember(p *plan) {
	if p.system == unknownSystem {
		return // nobody offers it: there is nothing to look at
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.plans[p.name] = p
}

// known are the plans in use, by name.
func (i *instruments) known() []*plan {
	i.mu.Lock()
	defer i.mu.Unlock()
	list := make([]*plan, 0, len(i.plans))
	for _, p := range i.plans {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *plan) int { return strings.Compare(string(a.name), string(b.name)) })
	return list
}

// evictions count what went for want of memory, by operation. The map is never written to.
type evictions map[commerce.Operation]*atomic.Int64

func newEvictions() evictions {
	list := evictions{}
	for op := range policies {
		list[op] = &atomic.Int64{}
	}
	return list
}

// gone counts what lay under key.
func (e evictions) gone(key string) {
	if n := e[operationOf(key)]; n != nil {
		n.Add(1)
	}
}
