package world

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadingTheDataAgainGivesTheSameWorld(t *testing.T) {
	t.Parallel()
	one, err := readFacts()
	require.NoError(t, err)
	two, err := readFacts()
	require.NoError(t, err)
	assert.Equal(t, one, two)
}

func TestWorldsShareFactsButNotTheirState(t *testing.T) {
	t.Parallel()
	one, err := Load()
	require.NoError(t, err)
	two, err := Load()
	require.NoError(t, err)
	const helmet = 707
	had := one.Free(helmet)
	_, err = one.PlaceOrder(Order{Lines: []OrderLine{{ProductID: helmet, SKU: "HL-U509-R", Qty: 1}}})
	require.NoError(t, err)
	assert.Equal(t, had-1, one.Free(helmet))
	assert.Equal(t, had, two.Free(helmet))
	assert.Len(t, two.Orders(), len(one.Orders())-1)
	assert.Same(t, one.Product(helmet), two.Product(helmet))
}

// BenchmarkRead bounds what the data costs a process's start: it has to stay far below a second.
func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		_, err := readFacts()
		require.NoError(b, err)
	}
	if per := b.Elapsed() / time.Duration(b.N); per > 300*time.Millisecond {
		b.Errorf("reading took %s", per)
	}
}
