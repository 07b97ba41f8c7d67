package ledger

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// Memory is a ledger within one process. It is bounded: when it is full, claims
// are refused rather than records forgotten before their time.
type Memory struct {
	mu      sync.Mutex
	bytes   int
	limit   int
	records map[string]*list.Element
	order   *list.List // of *record, oldest write first
}

type record struct {
	key, value string
	expires    time.Time
}

const (
	memoryLimit    = 64 << 20 // bytes of keys and values
	recordOverhead = 256      // bytes, roughly, of map and list around a record
	sweepSteps     = 16       // records looked at for each write
)

// NewMemory makes an empty ledger.
func NewMemory() *Memory {
	return &Memory{limit: memoryLimit, records: map[string]*list.Element{}, order: list.New()}
}

// Claim is [Ledger]'s.
func (m *Memory) Claim(_ context.Context, key, value string, ttl time.Duration) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.get(key); r != nil {
		return r.value, false, nil
	}
	if err := m.put(key, value, ttl); err != nil {
		return "", false, err
	}
	return value, true, nil
}

// Replace is [Ledger]'s.
func (m *Memory) Replace(_ context.Context, key, old, value string, ttl time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.get(key); r != nil && r.value != old {
		return false, nil
	}
	if err := m.put(key, value, ttl); err != nil {
		return false, err
	}
	return true, nil
}

// Extend is [Ledger]'s.
func (m *Memory) Extend(_ context.Context, key, value string, ttl time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.get(key)
	if r == nil || r.value != value {
		return false, nil
	}
	r.expires = time.Now().Add(ttl)
	return true, nil
}

// Drop is [Ledger]'s.
func (m *Memory) Drop(_ context.Context, key, old string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.get(key); r == nil || r.value != old {
		return false, nil
	}
	m.remove(m.records[key])
	return true, nil
}

// Get is [Ledger]'s.
func (m *Memory) Get(_ context.Context, key string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.get(key); r != nil {
		return r.value, nil
	}
	return "", nil
}

func (m *Memory) get(key string) *record {
	e, ok := m.records[key]
	if !ok {
		return nil
	}
	r := e.Value.(*record)
	if time.Now().After(r.expires) {
		m.remove(e)
		return nil
	}
	return r
}

func (m *Memory) put(key, value string, ttl time.Duration) error {
	if e, ok := m.records[key]; ok {
		m.remove(e)
	}
	m.sweep()
	if m.bytes+size(key, value) > m.limit {
		return &commerce.CallError{System: "memory", Operation: "ledger", Kind: commerce.ErrUnavailable, Reason: commerce.ReasonBulkheadFull}
	}
	r := &record{key: key, value: value, expires: time.Now().Add(ttl)}
	m.records[key] = m.order.PushBack(r)
	m.bytes += size(key, value)
	return nil
}

// sweep removes expired records. It looks at a few of the oldest at a time and
// moves those that live on to the back, so that each write pays a little.
func (m *Memory) sweep() {
	now := time.Now()
	for range min(sweepSteps, m.order.Len()) {
		e := m.order.Front()
		if now.After(e.Value.(*record).expires) {
			m.remove(e)
			continue
		}
		m.order.MoveToBack(e)
	}
}

func (m *Memory) remove(e *list.Element) {
	r := m.order.Remove(e).(*record)
	delete(m.records, r.key)
	m.bytes -= size(r.key, r.value)
}

func size(key, value string) int { return len(key) + len(value) + recordOverhead }
