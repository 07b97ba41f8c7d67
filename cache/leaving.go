package cache

import (
	"sync"
	"sync/atomic"
	"time"
)

// Once memory's budget is spent, what is new goes to Redis alone. Whoever asks for it a
// second time takes it over from there, and then memory keeps it. So whoever reads
// everything once, as a robot does, takes the place of nothing that is read again.

// leaving are entries on their way to Redis that memory does not keep. Until they are
// there they are found here, so that nobody loads them again. It is safe for concurrent use.
type leaving struct {
	count atomic.Int64
	mu    sync.Mutex
	byKey map[string]parting
}

// parting is an entry that leaves, and for how long memory would keep it.
type parting struct {
	entry *entry
	life  time.Duration
	kept  bool // somebody asked for it meanwhile
}

// leave has e found under key until [memory.arrived] is told of it.
func (m *memory) leave(key string, e *entry, life time.Duration) {
	l := &m.leaving
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byKey[key] = parting{entry: e, life: life}
	l.count.Store(int64(len(l.byKey)))
}

// called is what leaves under key, or nil. It is asked for a second time, so memory keeps it.
func (m *memory) called(key string) *entry {
	l := &m.leaving
	if l.count.Load() == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.byKey[key]
	if ok && !p.kept && m.alive(p.entry) {
		m.keep(key, p)
		p.kept = true
		l.byKey[key] = p
	}
	return p.entry
}

// keep has memory keep what leaves, after all.
func (m *memory) keep(key string, p parting) {
	p.entry.weigh(key)
	m.values.renew(key, p.entry, p.life, m.alive)
}

// overtaken forgets what leaves under key: something else is kept.
func (m *memory) overtaken(key string) {
	l := &m.leaving
	if l.count.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byKey, key)
	l.count.Store(int64(len(l.byKey)))
}

// arrived is told what became of writes. What Redis did not take, memory keeps.
func (m *memory) arrived(writes []write, stored bool) {
	l := &m.leaving
	if l.count.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range writes {
		w := &writes[i]
		p := l.byKey[w.key]
		if !w.leaving || p.entry != w.entry {
			continue
		}
		if !p.kept && !(stored && w.sent) && m.alive(p.entry) {
			m.keep(w.key, p)
		}
		delete(l.byKey, w.key)
	}
	l.count.Store(int64(len(l.byKey)))
}
