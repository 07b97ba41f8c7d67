package cache

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/commerce"
)

func keptAs(op commerce.Operation, key string, version uint64) commerce.Source {
	return commerce.Source{Operation: op, Key: key, State: commerce.StateFresh, Kept: fixed(version)}
}

// What has a gap has no tag, be all that is there fresh: a part that was left out reports nothing.
func TestWhatIsNotWholeHasNoEntity(t *testing.T) {
	t.Parallel()
	made := Produced{Body: []byte("body"), Seed: []byte("seed"), Whole: true, Sources: []commerce.Source{keptAs(commerce.OpPrices, "A", 7)}}
	assert.NotNil(t, Prove(made, time.Now(), 0).Entity)
	made.Whole = false
	assert.Nil(t, Prove(made, time.Now(), 0).Entity)
}

func TestEntitiesAreOfFreshPartsWithVersionsOnly(t *testing.T) {
	t.Parallel()
	seed, price := []byte("seed"), keptAs(commerce.OpPrices, "A", 7)
	tag, ok := Entity(seed, []commerce.Source{price})
	assert.True(t, ok)
	assert.Regexp(t, `^"[A-Za-z0-9_-]{24}"$`, tag)

	stale, unknown, odd := price, price, price
	stale.State, unknown.Kept, odd.Kept = commerce.StateStale, nil, fixed(unwritten)
	for name, sources := range map[string][]commerce.Source{
		"none": nil, "stale": {price, stale}, "of no version": {price, unknown}, "not to be written": {odd, price},
	} {
		tag, ok := Entity(seed, sources)
		assert.False(t, ok, name)
		assert.Empty(t, tag, name)
	}
}

func TestEntitiesSayNothingOfOrderAndRepetition(t *testing.T) {
	t.Parallel()
	a, b, c := keptAs(commerce.OpPrices, "A", 7), keptAs(commerce.OpPrices, "B", 7), keptAs(commerce.OpProducts, "A", 1<<63)
	first, _ := Entity(nil, []commerce.Source{a, b, c})
	second, _ := Entity(nil, []commerce.Source{c, b, a, b, c})
	assert.Equal(t, first, second)
	parted, _ := entityOf(nil, []commerce.Source{b}, nil, []commerce.Source{c, a})
	assert.Equal(t, first, parted)
}

// made is all that a tag is of, as a text of its own.
type made struct {
	seed  string
	parts []constituent
}

func (m made) tag(t *testing.T) string {
	sources := make([]commerce.Source, len(m.parts))
	for i, p := range m.parts {
		sources[i] = keptAs(p.operation, p.key, p.version)
	}
	tag, ok := Entity([]byte(m.seed), sources)
	assert.True(t, ok)
	return tag
}

// same tells whether a and b are of the same, whatever its order.
func (m made) same(o made) bool {
	has := func(list []constituent, p constituent) bool { return slices.Contains(list, p) }
	return m.seed == o.seed &&
		!slices.ContainsFunc(m.parts, func(p constituent) bool { return !has(o.parts, p) }) &&
		!slices.ContainsFunc(o.parts, func(p constituent) bool { return !has(m.parts, p) })
}

func anyMade(r *rand.Rand) made {
	m := made{seed: piece(r), parts: make([]constituent, 1+r.IntN(3))}
	for i := range m.parts {
		m.parts[i] = constituent{commerce.Operation(piece(r)), piece(r), firstVersion + uint64(r.IntN(3))}
	}
	return m
}

// nearlyMade differs from m in one thing, or not at all.
func nearlyMade(r *rand.Rand, m made) made {
	n := made{m.seed, slices.Clone(m.parts)}
	one, other := r.IntN(len(n.parts)), r.IntN(len(n.parts))
	p, q := &n.parts[one], &n.parts[other]
	switch r.IntN(9) {
	case 0:
		n.seed += piece(r)
	case 1:
		n.seed, p.operation = string(p.operation), commerce.Operation(n.seed)
	case 2:
		p.key, p.operation = string(p.operation), commerce.Operation(p.key)
	case 3:
		p.key, q.key = q.key, p.key
	case 4:
		p.version, q.version = q.version, p.version
	case 5:
		p.version ^= 1 << r.IntN(64)
		p.version = max(p.version, firstVersion)
	case 6:
		p.operation, p.key = p.operation+commerce.Operation(p.key), ""
	case 7:
		n.parts = append(n.parts, *p)
	default:
		n.parts = append(n.parts[:one], n.parts[min(one+1, len(n.parts)-1):]...)
	}
	return n
}

// Whatever it is in which two answers differ, their tags do: nobody is told that what another
// has is still so.
func TestM10_EntitiesDifferInEachPart(t *testing.T) {
	t.Parallel()
	const workers, each = 4, 250_000 / slower
	var alike atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 10))
			for range each {
				one := anyMade(r)
				other := nearlyMade(r, one)
				if same := one.same(other); same {
					alike.Add(1)
				} else if one.tag(t) == other.tag(t) {
					t.Errorf("%+v and %+v have one tag", one, other)
					return
				} else {
					continue
				}
				if one.tag(t) != other.tag(t) {
					t.Errorf("%+v and %+v are the same", one, other)
					return
				}
			}
		})
	}
	all.Wait()
	assert.Positive(t, alike.Load())
	assert.Less(t, alike.Load(), int64(workers*each/2))
}

// Two searches for one screen differ in nothing that their sources say.
func TestM10_WhatWasAskedForWithArgumentsIsToldApart(t *testing.T) {
	t.Parallel()
	p := &plan{name: commerce.OpSearch, codec: codecOf[[]commerce.SKU]()}
	searched := func(lonely bool, args, sku string) commerce.Source {
		value := []commerce.SKU{commerce.SKU(sku)}
		s := commerce.Source{Operation: p.name, State: commerce.StateFresh, Kept: &lone{p, value, args}}
		if !lonely {
			s.Kept = newEntry(value, time.Now(), p.policy).of(p, key{args: args}.String())
		}
		return s
	}
	for _, lonely := range []bool{true, false} {
		one, _ := Entity(nil, []commerce.Source{searched(lonely, "shelf", "A"), searched(lonely, "sale", "B")})
		other, _ := Entity(nil, []commerce.Source{searched(lonely, "shelf", "B"), searched(lonely, "sale", "A")})
		assert.NotEqual(t, one, other, lonely)
		same, _ := Entity(nil, []commerce.Source{searched(!lonely, "shelf", "A"), searched(lonely, "sale", "B")})
		assert.Equal(t, one, same, lonely)
	}
}
