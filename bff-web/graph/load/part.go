package load

import (
	"hash/maphash"
	"slices"

	"github.com/portico-bff/portico/schema/commerce"
)

// part is keys that one call asks for, and where the answers go.
type part[K comparable, V any] struct {
	call
	keys    []K // it is full when there is no room for more
	answers []answer[V]
	next    *part[K, V]

	// Room for one key, which many calls are for.
	key    [1]K
	answer [1]answer[V]
}

func newPart[K comparable, V any](keys int) *part[K, V] {
	p := &part[K, V]{}
	if keys == 1 {
		p.keys, p.answers = p.key[:0], p.answer[:0]
	} else {
		p.keys, p.answers = make([]K, 0, keys), make([]answer[V], 0, keys)
	}
	return p
}

func (p *part[K, V]) full() bool { return len(p.keys) == cap(p.keys) }

// add adds a key, for which there must be room, and answers where its answer will be.
func (p *part[K, V]) add(key K) *answer[V] {
	p.keys, p.answers = append(p.keys, key), append(p.answers, answer[V]{call: &p.call})
	return &p.answers[len(p.answers)-1]
}

// list is a part for a list, whose keys are found without a map: as a rule they are read as
// they were claimed, one behind the other.
type list[K comparable, V any] struct {
	*part[K, V]

	terms  terms         // of all of them
	places [places]uint8 // of keys by their hashes, 1 for the first; 0 is empty
}

// places are enough for a quarter to be empty always, so that each search ends.
const places = 256

var _ [places/2 - commerce.MaxBatch]struct{} // else there are too few of them

var seed = maphash.MakeSeed()

// claimList claims keys, each once, up to a call's worth, and answers those that are left, if it is full.
func claimList[K comparable, V any](keys []K, on terms) (*list[K, V], []K) {
	l := &list[K, V]{part: newPart[K, V](min(len(keys), commerce.MaxBatch)), terms: on}
	for i, key := range keys {
		at, there := l.place(key)
		if there {
			continue
		}
		if l.full() {
			return l, keys[i:]
		}
		l.add(key)
		l.places[at] = uint8(len(l.keys)) //nolint:gosec // there are MaxBatch at most
	}
	return l, nil
}

// place is where a key's number is in places, or belongs.
func (l *list[K, V]) place(key K) (at int, there bool) {
	for at = int(maphash.Comparable(seed, key) % places); l.places[at] != 0; at = (at + 1) % places {
		if l.keys[l.places[at]-1] == key {
			return at, true
		}
	}
	return at, false
}

// find is where a key's answer is, or will be; nil when it is not in the list, which may be nil.
func (l *list[K, V]) find(key K, on terms) *answer[V] {
	if l == nil || l.terms != on {
		return nil
	}
	if at, there := l.place(key); there {
		return &l.answers[l.places[at]-1]
	}
	return nil
}

// is tells whether the list, which may be nil, is of these keys in their order.
func (l *list[K, V]) is(keys []K, on terms) bool {
	return l != nil && l.terms == on && slices.Equal(l.keys, keys)
}

// answers are those to keys in their order: a list's, or each where it is.
type answers[V any] struct {
	whole []answer[V]
	each  []*answer[V]
}

func (a answers[V]) of(i int) *answer[V] {
	if a.whole != nil {
		return &a.whole[i]
	}
	return a.each[i]
}
