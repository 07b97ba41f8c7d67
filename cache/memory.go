package cache

import (
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// memory is the first tier: decoded values in this process, within a byte budget.
type memory struct {
	values table
	absent table // what was not found, within a tenth of the budget
	alive  func(*entry) bool

	evicted evictions
	clock   *otter.CoarseClock
}

// tableTime is how exactly tables know the time, by which they only let go of what nobody
// may be given any more: reading the clock would be a good part of a look into one.
const tableTime = time.Second

// newMemory keeps what is alive, and until something else comes also what is not.
func newMemory(budget int64, alive func(*entry) bool) (*memory, error) {
	m := &memory{alive: alive, evicted: newEvictions(), clock: otter.NewCoarseClock(tableTime)}
	var err error
	if m.values, err = newTable(budget-budget/10, m.clock, m.evicted.gone); err != nil {
		return nil, err
	}
	if m.absent, err = newTable(budget/10, m.clock, m.evicted.gone); err != nil {
		return nil, err
	}
	return m, nil
}

// table holds entries within a byte budget; see liveBytes.
type table struct {
	*otter.Cache[string, *entry]
	held   *atomic.Int64 // entries; what is put is counted before
	weight *atomic.Int64 // of all that is held, in bytes; alike
	spent  int64         // the weight from which on there is no room for more
}

// newTable drops what has outlived its use. Whether an entry may be answered is
// judged by its own times, which no step of the wall clock changes. evicted is told the
// keys of what went for want of memory; it must be quick.
func newTable(budget int64, clock *otter.CoarseClock, evicted func(key string)) (table, error) {
	held, weight, most := &atomic.Int64{}, &atomic.Int64{}, liveBytes(budget)
	entries, err := otter.New(&otter.Options[string, *entry]{
		MaximumWeight: uint64(most),
		Clock:         clock,
		Weigher:       func(_ string, e *entry) uint32 { return e.size },
		OnAtomicDeletion: func(e otter.DeletionEvent[string, *entry]) {
			e.Value.unchanged()
			held.Add(-1)
			weight.Add(-int64(e.Value.size))
			if e.Cause == otter.CauseOverflow {
				evicted(e.Key)
			}
		},
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *entry]) time.Duration {
			return max(0, e.Value.life-time.Since(e.Value.began)) + tableTime
		}),
	})
	return table{entries, held, weight, most - most/spentShare}, err
}

// spentShare is the part of a table's budget of which nothing is left once it is spent:
// what goes for want of memory leaves a little room.
const spentShare = 32

// full tells whether something would have to go for an entry that is put.
func (t table) full() bool { return t.weight.Load() > t.spent }

// get is what lies under key, or nil.
func (t table) get(key string) *entry {
	e, ok := t.GetIfPresent(key)
	if !ok {
		return nil
	}
	e.unchanged()
	return e
}

// set keeps e, whatever was there.
func (t table) set(key string, e *entry, life time.Duration) {
	t.add(e, life)
	t.Set(key, e)
}

// add counts e before it can be found. What it takes the place of is counted when it goes.
func (t table) add(e *entry, life time.Duration) {
	e.seal()
	e.life = life
	t.held.Add(1)
	t.weight.Add(int64(e.size))
}

// renew keeps e unless what is there began later and is alive.
func (t table) renew(key string, e *entry, life time.Duration, alive func(*entry) bool) {
	t.add(e, life)
	kept := true
	t.Compute(key, func(old *entry, found bool) (*entry, otter.ComputeOp) {
		if found && old.began.After(e.began) && alive(old) {
			kept = false
			return nil, otter.CancelOp
		}
		return e, otter.WriteOp
	})
	if !kept {
		t.held.Add(-1)
		t.weight.Add(-int64(e.size))
	}
}

// empty tells that nothing was put that has not gone again: nobody needs to look for it.
func (t table) empty() bool { return t.held.Load() == 0 }

func (m *memory) get(key string) *entry {
	if e := m.values.get(key); e != nil {
		return e
	}
	if m.absent.empty() {
		return nil
	}
	return m.absent.get(key)
}

// value is what was found for key, or nil.
func (m *memory) value(key string) *entry { return m.values.get(key) }

// put keeps e unless what is there began later and is alive: clocks of those who loaded
// the two may differ.
func (m *memory) put(key string, e *entry, life time.Duration) {
	if e.joint {
		e = e.alone()
		key = e.key
	}
	e.weigh(key)
	if e.missing {
		m.values.Invalidate(key)
		m.absent.set(key, e, e.fresh)
		return
	}
	if !m.absent.empty() {
		m.absent.Invalidate(key)
	}
	m.values.renew(key, e, life, m.alive)
}

func (m *memory) close() {
	m.values.StopAllGoroutines()
	m.absent.StopAllGoroutines()
	m.clock.Stop()
}
