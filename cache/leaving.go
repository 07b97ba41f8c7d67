package cache

import "time"

// Once memory's budget is spent, what is new goes to Redis alone. Whoever asks for it a
// second time takes it over from there, and then memory keeps it. So whoever reads
// everything once, as a robot does, takes the place of nothing that is read again.
//
// Its flight, landed, can be joined until Redis has it: nobody loads it again meanwhile.

// passing tells whether what is new need not be kept in memory: there is no room for it,
// and whoever asks for it again finds it in Redis, as far as can be told.
func (c *Cache) passing() bool {
	return c.memory.values.full() && c.news.current.Load() && !c.remote.reads.isOpen() && !c.remote.writes.isOpen()
}

// leaving is f, which has landed and is on its way to Redis, or nil when it is out
// of date. It is asked for a second time, so memory keeps it. The flights' lock is held.
func (c *Cache) leaving(p *plan, f *flight) *flight {
	if f.err != nil || !c.tags.alive(f.entry) || c.judge(p, f.entry, time.Now()) != current {
		return nil
	}
	if f.leaves {
		f.leaves = false
		c.memory.put(f.entry.key, f.entry, p.policy.life())
	}
	return f
}

// arrived is told what became of writes. What Redis did not take, memory keeps.
func (c *Cache) arrived(writes []write, stored bool) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	for i := range writes {
		w := &writes[i]
		f := w.leaving
		if f == nil || !f.listed || !f.landed.Load() {
			continue
		}
		switch {
		case !f.leaves: // memory keeps it already
		case stored && w.sent:
			f.entry.plan.counts.passed.Add(1)
		case c.tags.alive(f.entry):
			c.memory.put(f.entry.key, f.entry, f.entry.plan.policy.life())
		}
		c.flights.landed.Add(1) // who looked before looks again
		c.flights.remove(f.entry.key, f)
	}
}
