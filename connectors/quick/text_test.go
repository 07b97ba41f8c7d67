package quick

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Texts end where a look at each byte says, wherever that is among eight and whatever is beside it.
func TestTextsEndAtTheFirstByteThatIsNotPlain(t *testing.T) {
	t.Parallel()
	const seed, rounds, most = 8, 100_000, 20
	random := rand.New(rand.NewPCG(seed, 8))
	near := []byte{0x00, 0x01, 0x1f, ' ', '!', '"', '#', '[', '\\', ']', 0x7f, 0x80, 0xa0, 0xa2, 0xdc, 0xff}
	for round := range rounds {
		data := bytes.Repeat([]byte{'a'}, random.IntN(most))
		for range random.IntN(4) {
			if len(data) > 0 {
				data[random.IntN(len(data))] = near[random.IntN(len(near))]
			}
		}
		from := random.IntN(len(data) + 1)
		want := from
		for want < len(data) && data[want] >= ' ' && data[want] != '"' && data[want] != '\\' {
			want++
		}
		r := Reader{data: data}
		require.Equal(t, want, r.textEnd(from), "seed %d round %d: %q from %d", seed, round, data, from)
	}
}
