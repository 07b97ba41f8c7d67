package cache

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/portico-bff/portico/schema/commerce"
)

// maxMarks bounds how many invalidated tags are told apart.
const maxMarks = 100_000

// version is the ID of an entry in the stream of invalidations: issued by Redis,
// strictly rising, the same for every process. No process's clock has a part in it.
type version struct{ ms, seq uint64 }

func (v version) zero() bool            { return v == version{} }
func (v version) next() version         { return version{v.ms, v.seq + 1} }
func (v version) before(o version) bool { return v.ms < o.ms || (v.ms == o.ms && v.seq < o.seq) }

func (v version) String() string {
	return strconv.FormatUint(v.ms, 10) + "-" + strconv.FormatUint(v.seq, 10)
}

func latest(a, b version) version {
	if a.before(b) {
		return b
	}
	return a
}

// parseVersion reads a stream ID: "1700000000000-0".
func parseVersion(id string) (version, bool) {
	ms, seq, ok := strings.Cut(id, "-")
	m, err1 := strconv.ParseUint(ms, 10, 64)
	s, err2 := strconv.ParseUint(seq, 10, 64)
	return version{m, s}, ok && err1 == nil && err2 == nil
}

// stamp says which invalidations a load knew of when it began: all that this
// process had applied by then, and of everyone's those up to global.
type stamp struct {
	local  uint64
	global version
}

// mark is the last invalidation of a tag.
type mark struct {
	local   uint64  // its place in this process's order
	global  version // zero while Redis has issued none
	pending int     // invalidations that Redis has not taken yet: later than every version
}

// tagTable knows what was invalidated last, and decides which answers are dead.
//
// What this process loaded itself is judged by local order: it is dead when one of
// its tags was marked after its load began. What comes from Redis was loaded by
// anyone and is judged by the version its load knew of. To drop too much costs a
// load; to drop too little would show an old value, so every doubt is a drop.
type tagTable struct {
	seq atomic.Uint64 // counts the invalidations; written under mu

	mu      sync.RWMutex
	marks   map[commerce.Tag]mark
	floor   mark    // everything from before is dead, whatever its tags
	applied version // of the stream, everything up to here is in the table
	limit   int

	bell atomic.Pointer[func()] // rung after each invalidation; nil: nobody listens
}

// ring tells that something was invalidated. The caller does not hold the lock.
func (t *tagTable) ring() {
	if bell := t.bell.Load(); bell != nil {
		(*bell)()
	}
}

func newTagTable() *tagTable { return &tagTable{marks: map[commerce.Tag]mark{}, limit: maxMarks} }

// stamp is taken before a load begins.
func (t *tagTable) stamp() stamp {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return stamp{local: t.seq.Load(), global: t.applied}
}

// stamped is the stamp of flights that begin together.
func (t *tagTable) stamped() *stamp {
	s := t.stamp()
	return &s
}

// struck tells whether one of tags was invalidated after the local time since.
func (t *tagTable) struck(tags []commerce.Tag, since uint64) bool {
	if t.seq.Load() == since {
		return false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.struckLocked(tags, since)
}

func (t *tagTable) struckLocked(tags []commerce.Tag, since uint64) bool {
	if t.floor.local > since {
		return true
	}
	for _, tag := range tags {
		if t.marks[tag].local > since {
			return true
		}
	}
	return false
}

// alive tells whether an entry may be answered. It looks nothing up while there
// was no invalidation at all since it was last found alive.
func (t *tagTable) alive(e *entry) bool {
	now := t.seq.Load()
	if e.seen.Load() == now+1 {
		return true
	}
	if t.struck(e.tags, e.stamp.local) {
		return false
	}
	e.seen.Store(now + 1) // 0 means never looked at
	return true
}

// admits tells whether what Redis holds may be taken over: its load knew of every
// invalidation of its tags up to the version at, and there was none since the
// local time at which Redis was asked.
func (t *tagTable) admits(tags []commerce.Tag, at version, since uint64) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if at.zero() || at.before(t.floor.global) || t.struckLocked(tags, since) {
		return false
	}
	for _, tag := range tags {
		if m := t.marks[tag]; m.pending > 0 || at.before(m.global) {
			return false
		}
	}
	return true
}

// strike invalidates tags in this process. pending says that Redis is to be told;
// then issued or merged is due for each of them.
func (t *tagTable) strike(tags []commerce.Tag, pending bool) {
	defer t.ring() // once the lock is free
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.seq.Add(1)
	for _, tag := range tags {
		m := t.marks[tag]
		m.local = now
		if pending {
			m.pending++
		}
		t.marks[tag] = m
	}
	t.trim()
}

// issued notes the version that Redis gave this process's invalidation of tags.
func (t *tagTable) issued(tags []commerce.Tag, at version) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tag := range tags {
		m := t.marks[tag]
		m.pending, m.global = max(0, m.pending-1), latest(m.global, at)
		t.marks[tag] = m
	}
}

// merged notes that another invalidation, which is still pending, stands for this one of tags.
func (t *tagTable) merged(tags []commerce.Tag) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tag := range tags {
		m := t.marks[tag]
		m.pending = max(0, m.pending-1)
		t.marks[tag] = m
	}
}

// apply takes over an entry of the stream. What this process itself invalidated
// is struck already; what it loaded since then may stay.
func (t *tagTable) apply(at version, tags []commerce.Tag, own bool) {
	defer t.ring()
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.seq.Load()
	if !own && len(tags) > 0 {
		now = t.seq.Add(1)
	}
	for _, tag := range tags {
		m := t.marks[tag]
		m.global = latest(m.global, at)
		if !own {
			m.local = now
		}
		t.marks[tag] = m
	}
	t.applied = latest(t.applied, at)
	t.trim()
}

// trim forgets which tags were invalidated when they become too many, and takes
// everything from before for dead.
func (t *tagTable) trim() {
	if len(t.marks) <= t.limit {
		return
	}
	t.floor = mark{local: t.seq.Add(1), global: latest(t.floor.global, t.applied)}
	for tag, m := range t.marks {
		t.floor.global = latest(t.floor.global, m.global)
		if m.pending == 0 {
			delete(t.marks, tag)
		}
	}
}

// restart drops everything: part of the stream may have been missed. What follows
// is read from an entry first on; what knew less is dead.
func (t *tagTable) restart(first version) {
	defer t.ring()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.floor = mark{local: t.seq.Add(1), global: latest(t.floor.global, first)}
	t.applied = version{}
}
