package transport

import (
	"hash/maphash"
	"slices"
)

// fewKeys are found sooner by looking at each than by their hashes.
const fewKeys = 8

// mostKeys are as many as a keySet takes: half of its slots stay free.
const (
	mostKeys = 128
	setSlots = 2 * mostKeys
)

// keySet finds keys of a list, in an array instead of a map that has to be made for
// each batch. The zero value with a list has none of its keys yet.
type keySet[K comparable] struct {
	keys  []K
	slots [setSlots]uint8 // places in keys, counted from 1; 0 is free
}

var setSeed = maphash.MakeSeed()

// find is the slot of key, or the one that it would have.
func (s *keySet[K]) find(key K) (slot int, found bool) {
	slot = int(maphash.Comparable(setSeed, key) % setSlots)
	for s.slots[slot] != 0 {
		if s.keys[s.slots[slot]-1] == key {
			return slot, true
		}
		slot = (slot + 1) % setSlots
	}
	return slot, false
}

// add puts the key at a place of the list into the set; false: it is there.
func (s *keySet[K]) add(at int) bool {
	slot, found := s.find(s.keys[at])
	if !found {
		s.slots[slot] = uint8(at + 1) //nolint:gosec // mostKeys at most
	}
	return !found
}

// asks tells whether a key is one of those asked.
func asks[K comparable](asked []K) func(K) bool {
	switch {
	case len(asked) <= fewKeys:
		return func(k K) bool { return slices.Contains(asked, k) }
	case len(asked) <= mostKeys:
		set := &keySet[K]{keys: asked}
		for at := range asked {
			set.add(at)
		}
		return func(k K) bool { _, ok := set.find(k); return ok }
	}
	wanted := make(map[K]struct{}, len(asked))
	for _, k := range asked {
		wanted[k] = struct{}{}
	}
	return func(k K) bool { _, ok := wanted[k]; return ok }
}

// once is keys without repetitions: keys itself when there are none.
func once[K comparable](keys []K) []K {
	if len(keys) > mostKeys {
		return onceOfMany(keys)
	}
	set := keySet[K]{keys: keys}
	var list []K // nil while none has come twice
	for at, key := range keys {
		switch isNew := set.add(at); {
		case !isNew && list == nil:
			list = slices.Clone(keys[:at])
		case isNew && list != nil:
			list = append(list, key)
		}
	}
	if list != nil {
		return list
	}
	return keys
}

func onceOfMany[K comparable](keys []K) []K {
	seen := make(map[K]struct{}, len(keys))
	for _, key := range keys {
		seen[key] = struct{}{}
	}
	if len(seen) == len(keys) {
		return keys
	}
	list := make([]K, 0, len(seen))
	for _, key := range keys {
		if _, first := seen[key]; first {
			list = append(list, key)
			delete(seen, key)
		}
	}
	return list
}
