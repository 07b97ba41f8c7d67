package transport

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

// However many keys there are, and however often one comes, each is asked for once, in order.
func TestN17_EachKeyOnce(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(17, 2))
	for size := range 2*mostKeys + 2 {
		for _, kinds := range []int{1, 1 + size/2, 1_000_000} {
			keys := make([]string, size)
			var want []string
			for i := range keys {
				keys[i] = strconv.Itoa(rnd.IntN(kinds))
				if !slices.Contains(want, keys[i]) {
					want = append(want, keys[i])
				}
			}
			sent := slices.Clone(keys)
			got, asked := once(keys), asks(keys)
			assert.Len(t, got, len(want))
			assert.True(t, slices.Equal(want, got), "%d of %d kinds", size, kinds)
			assert.Equal(t, sent, keys, "what was given stays as it is")
			for _, key := range want {
				assert.True(t, asked(key))
			}
			assert.False(t, asked("-1"))
		}
	}
	assert.Len(t, once([]float64{math.NaN(), 1, math.NaN(), 1}), 3, "what equals nothing comes as often as it is there")
	assert.Nil(t, once[string](nil))
}

func BenchmarkBatch(b *testing.B) {
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = "BK-M82S-" + strconv.Itoa(i)
	}
	b.Run("once", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			once(keys)
		}
	})
	b.Run("join", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Join(keys, keys, func(k string) string { return k })
		}
	})
}
