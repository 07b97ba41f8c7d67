package cache

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/commerce"
)

func keptAs(op commerce.Operation, key string, version uint64) commerce.Source {
	return commerce.Source{Operation: op, Key: key, State: commerce.StateFresh, Kept: fixed(version)}
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
