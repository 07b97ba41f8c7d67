package cache

import (
	"time"

	"github.com/maypok86/otter/v2"
)

// memory is the first tier: decoded values in this process, within a byte budget.
type memory struct {
	values table
	absent table // what was not found, within a tenth of the budget
	alive  func(*entry) bool

	evicted evictions
}

// kept is an entry with the time it can be dropped after.
type kept struct {
	*entry
	life time.Duration
}

// newMemory keeps what is alive, and until something else comes also what is not.
func newMemory(budget int64, alive func(*entry) bool) (*memory, error) {
	evicted := newEvictions()
	values, err := newTable(budget-budget/10, evicted.gone)
	if err != nil {
		return nil, err
	}
	absent, err := newTable(budget/10, evicted.gone)
	if err != nil {
		return nil, err
	}
	return &memory{values: values, absent: absent, alive: alive, evicted: evicted}, nil
}

// table holds entries within a byte budget; see liveBytes.
type table struct{ *otter.Cache[string, *kept] }

// newTable drops what has outlived its use. Whether an entry may be answered is
// judged by its own times, which no step of the wall clock changes. evicted is told the
// keys of what went for want of memory; it must be quick.
func newTable(budget int64, evicted func(key string)) (table, error) {
	entries, err := otter.New(&otter.Options[string, *kept]{
		MaximumWeight: uint64(liveBytes(budget)),
		Weigher:       func(_ string, k *kept) uint32 { return k.size },
		OnAtomicDeletion: func(e otter.DeletionEvent[string, *kept]) {
			e.Value.unchanged()
			if e.Cause == otter.CauseOverflow {
				evicted(e.Key)
			}
		},
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *kept]) time.Duration {
			return max(time.Millisecond, e.Value.life-time.Since(e.Value.began))
		}),
	})
	return table{entries}, err
}

// get is what lies under key, or nil.
func (t table) get(key string) *entry {
	k, ok := t.GetIfPresent(key)
	if !ok {
		return nil
	}
	k.unchanged()
	return k.entry
}

// set keeps e, whatever was there.
func (t table) set(key string, e *entry, life time.Duration) {
	e.seal()
	t.Set(key, &kept{entry: e, life: life})
}

// renew keeps e unless what is there began later and is alive.
func (t table) renew(key string, e *entry, life time.Duration, alive func(*entry) bool) {
	e.seal()
	t.Compute(key, func(old *kept, found bool) (*kept, otter.ComputeOp) {
		if found && old.began.After(e.began) && alive(old.entry) {
			return nil, otter.CancelOp
		}
		return &kept{entry: e, life: life}, otter.WriteOp
	})
}

func (m *memory) get(key string) *entry {
	if e := m.values.get(key); e != nil {
		return e
	}
	return m.absent.get(key)
}

// value is what was found for key, or nil.
func (m *memory) value(key string) *entry { return m.values.get(key) }

// put keeps e unless what is there began later and is alive: clocks of those who loaded
// the two may differ.
func (m *memory) put(key string, e *entry, life time.Duration) {
	if e.missing {
		m.values.Invalidate(key)
		m.absent.set(key, e, e.fresh)
		return
	}
	m.absent.Invalidate(key)
	m.values.renew(key, e, life, m.alive)
}

func (m *memory) close() {
	m.values.StopAllGoroutines()
	m.absent.StopAllGoroutines()
}
