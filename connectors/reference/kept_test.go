package reference

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (k *kept[K, V]) count() int { return len(k.young) + len(k.old) }

func TestNeverMoreThanItMayBe(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, most := range []int{2, 3, 10, 101} {
		k := newKept[int, int](most)
		for range 20 * most {
			switch key := r.IntN(2 * most); r.IntN(4) {
			case 0:
				k.forget(key)
				_, ok := k.get(key)
				require.False(t, ok, "forgotten, young or old")
			case 1:
				if e, ok := k.get(key); ok {
					require.Equal(t, key, e.value%1000)
				}
			default:
				value := key + 1000*r.IntN(9)
				k.set(key, entry[int]{value: value})
				e, ok := k.get(key)
				require.True(t, ok)
				require.Equal(t, value, e.value, "the last one counts")
			}
			require.LessOrEqual(t, k.count(), most)
		}
	}
}

func TestWhatIsUsedOutlivesAWalkThroughTheCatalogue(t *testing.T) {
	t.Parallel()
	const most = 100
	k := newKept[int, string](most)
	k.set(-1, entry[string]{value: "hot"})
	for i := range 50 * most {
		k.set(i, entry[string]{})
		if i%(most/4) == 0 {
			e, ok := k.get(-1)
			require.True(t, ok, i)
			require.Equal(t, "hot", e.value)
		}
	}
	_, ok := k.get(0)
	assert.False(t, ok)
	_, ok = k.get(50*most - 1)
	assert.True(t, ok)
}

func TestWhatIsKeptAnewTakesNoRoomOfOthers(t *testing.T) {
	t.Parallel()
	k := newKept[int, int](4)
	for _, key := range []int{1, 2, 1, 2, 1} {
		k.set(key, entry[int]{value: key})
	}
	k.set(3, entry[int]{})
	require.Equal(t, 3, k.count())
	for range 3 {
		k.set(3, entry[int]{})
	}
	assert.Equal(t, 3, k.count())
}

func TestOneKeyAlone(t *testing.T) {
	t.Parallel()
	k := newKept[string, int](1)
	for i := range 3 {
		k.set("", entry[int]{value: i})
		e, ok := k.get("")
		require.True(t, ok)
		require.Equal(t, i, e.value)
		require.Equal(t, 1, k.count())
	}
}
