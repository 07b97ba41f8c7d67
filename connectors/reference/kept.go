package reference

import "sync"

// kept holds entries up to a number, in two generations: new ones go to the young, which becomes the old
// one when it has half of them, and what was old then is dropped. An old entry that is used is young again.
// So what is used between two turns stays, and who walks a whole catalogue drives out what nobody asks for.
// A cache that ranks each entry costs several times the work of the rows that a list brings, all at once.
type kept[K comparable, V any] struct {
	half int // entries of a generation

	mu         sync.Mutex
	young, old map[K]entry[V]
}

// newKept is for at most so many entries, 2 or more.
func newKept[K comparable, V any](most int) *kept[K, V] {
	return &kept[K, V]{half: max(1, most/2), young: map[K]entry[V]{}, old: map[K]entry[V]{}}
}

func (k *kept[K, V]) get(key K) (entry[V], bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.young[key]
	if !ok {
		if e, ok = k.old[key]; ok {
			k.add(key, e)
		}
	}
	return e, ok
}

func (k *kept[K, V]) set(key K, e entry[V]) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.add(key, e)
}

// add puts an entry among the young. The caller holds the lock.
func (k *kept[K, V]) add(key K, e entry[V]) {
	if _, there := k.young[key]; !there && len(k.young) >= k.half {
		k.young, k.old = k.old, k.young
		clear(k.young)
	}
	k.young[key] = e
	delete(k.old, key)
}

func (k *kept[K, V]) forget(key K) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.young, key)
	delete(k.old, key)
}
