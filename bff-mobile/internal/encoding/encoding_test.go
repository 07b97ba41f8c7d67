package encoding

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/molecule-man/go-brrr"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestChoose(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]Encoding{
		"": Identity, "identity": Identity, "gzip": Gzip, "GZIP": Gzip, "x-gzip": Gzip, "zstd": Zstd, "br": Brotli, "Br": Brotli,
		"gzip, deflate, br": Brotli, "gzip, deflate, br, zstd": Brotli, "gzip,zstd": Zstd, "deflate": Identity, "compress, dcb, dcz": Identity,
		"br;q=0.5, gzip": Gzip, "br;q=0.5,zstd;q=0.8, gzip;q=0.8": Zstd, "br;q=0": Identity, "br;q=0.000, gzip;q=0.001": Gzip, "gzip;q=0": Identity,
		"*": Brotli, "*;q=0": Identity, "*;q=0.3": Brotli, "br;q=0, *": Zstd, "br;q=0, zstd;q=0, *;q=0.1": Gzip, "gzip, *;q=0": Gzip, "gzip;q=0.2, *": Brotli,
		"identity, br": Brotli, "identity;q=1, br;q=0.9": Identity, "identity;q=0.5, br;q=0.9": Brotli, "identity;q=0": Identity, "identity;q=0, gzip": Gzip,
		"identity;q=0.5, *;q=0": Identity, "identity;q=0.5, *;q=0.4": Identity,
		" gzip \t;\t q=0.7 , , br ; q=0.7": Brotli, "gzip;Q=0.5, zstd;q=0.4": Gzip, ",": Identity, ";": Identity, ";q=1": Identity,
		// Malformed members are not there.
		"br;q=2, gzip": Gzip, "br;q=1.001, gzip;q=0.1": Gzip, "br;q=0.1234, gzip;q=0.1": Gzip, "br;q=, gzip": Gzip, "br;q=-1, gzip": Gzip, "br;q =1, gzip": Gzip, "br;q=1 x, gzip": Gzip,
		"br;level=4, gzip": Gzip, "br;q=.5, gzip": Gzip, "br;q=0.a, gzip": Gzip, "br;q=01, gzip": Gzip, "b r, gzip": Gzip, `"br", gzip`: Gzip, "z\u017ftd, gzip": Gzip, "x\rgzip": Identity, "br;q=1;q=0, gzip": Gzip, "br;q=1., gzip;q=1.0": Brotli,
		// Who refuses one anywhere does not get it.
		"br, br;q=0": Identity, "br;q=0, br": Identity, "*;q=0, *": Identity, "gzip;q=0, x-gzip": Identity, "br;q=0.2, br, gzip;q=0.5": Gzip,
	} {
		require.Equal(t, want, Choose([]byte(field)), "%q", field)
	}
}

func FuzzChoose(f *testing.F) {
	for _, seed := range []string{"gzip, deflate, br;q=0.9, zstd", "*;q=0.1, identity;q=0", "br;;q=1", "x-gzip ; Q=1.000,", "\x00", "br\t;\tq=0"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, field []byte) {
		before := bytes.Clone(field)
		got := Choose(field)
		require.Equal(t, before, field, "it is only read")
		require.Less(t, got, codings)
		require.Equal(t, got, Choose(append(bytes.Clone(field), " , ,"...)), "empty members mean nothing")
		require.Equal(t, got, Choose(append([]byte("deflate,"), field...)), "nor do unknown ones")
		require.Equal(t, got, Choose(swapCase(field)), "nor does case")
		if got == Identity {
			return
		}
		lower := strings.ToLower(string(field))
		require.True(t, strings.Contains(lower, got.String()) || strings.Contains(lower, "*"), "asked for")
		refused := fmt.Appendf(bytes.Clone(field), ",%s;q=0", got)
		require.NotEqual(t, got, Choose(refused), "refused")
	})
}

// swapCase is text with each ASCII letter in the other case.
func swapCase(text []byte) []byte {
	out := bytes.Clone(text)
	for i, b := range out {
		if b|0x20 >= 'a' && b|0x20 <= 'z' {
			out[i] = b ^ 0x20
		}
	}
	return out
}

// decode is the body that was encoded.
func decode(t testing.TB, e Encoding, encoded []byte) []byte {
	t.Helper()
	var in io.Reader = bytes.NewReader(encoded)
	switch e {
	case Gzip:
		r, err := gzip.NewReader(in)
		require.NoError(t, err)
		in = r
	case Zstd:
		r, err := zstd.NewReader(in)
		require.NoError(t, err)
		defer r.Close()
		in = r
	case Brotli:
		in = brrr.NewReader(in)
	}
	body, err := io.ReadAll(in)
	require.NoError(t, err)
	return body
}

// list is a body like that of a screen.
func list(r *rand.Rand, size int) []byte {
	b := []byte(`{"items":[`)
	for n := 0; len(b) < size; n++ {
		b = fmt.Appendf(b, `{"sku":"BK-%d","name":"Road-%d Red, %d","price":{"unit":{"amount":"%d.99","currency":"USD","formatted":"$%d.99"}},"inStock":%t},`,
			r.IntN(900), r.IntN(900), r.IntN(60), n, n, r.IntN(2) == 0)
	}
	return append(b, `{}]}`...)
}

var sizes = []int{0, 1, 100, Threshold, 4 << 10, 8 << 10, 70 << 10, 600 << 10}

func TestEveryEncodingHoldsTheSameBytes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range sizes {
		noise := make([]byte, size)
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		for _, body := range [][]byte{list(r, size), noise, make([]byte, size)} {
			for e := range codings {
				encoded := e.Append([]byte("before"), body)
				require.True(t, bytes.HasPrefix(encoded, []byte("before")))
				require.True(t, bytes.Equal(body, decode(t, e, encoded[6:])), "%s, %d bytes", e, size)
			}
		}
	}
}

// An entity tag stands for one sequence of bytes: what an encoder did before, and who
// else uses it at the time, is not to be seen in what it makes.
func TestEqualBodiesAreEncodedAlike(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	bodies := make([][]byte, 40)
	for i := range bodies {
		bodies[i] = list(r, sizes[i%len(sizes)]+r.IntN(500))
	}
	for e := range codings {
		want := make([][]byte, len(bodies))
		for i := range bodies {
			want[i] = e.Append(nil, bodies[i])
		}
		var all sync.WaitGroup
		for seed := range uint64(4) {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, 5))
				for range 100 {
					i := r.IntN(len(bodies))
					if got := e.Append(nil, bodies[i]); !bytes.Equal(want[i], got) {
						t.Errorf("%s: body %d is encoded otherwise the second time", e, i)
						return
					}
				}
			})
		}
		all.Wait()
	}
}

func TestSmallBodiesAreNotEncoded(t *testing.T) {
	t.Parallel()
	small, least := bytes.Repeat([]byte("a"), Threshold-1), bytes.Repeat([]byte("a"), Threshold)
	noise := make([]byte, 2*Threshold)
	r := rand.New(rand.NewPCG(6, 7))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for e := Identity + 1; e < codings; e++ {
		got, in := e.Encode(small)
		require.Equal(t, Identity, in)
		require.Equal(t, small, got)
		got, in = e.Encode(least)
		require.Equal(t, e, in)
		require.Equal(t, least, decode(t, e, got))
		got, in = e.Encode(noise)
		require.Equal(t, Identity, in, "it would grow")
		require.Equal(t, noise, got)
	}
	got, in := Identity.Encode(least)
	require.Equal(t, Identity, in)
	require.Equal(t, least, got)
}

func BenchmarkEncode(b *testing.B) {
	body := list(rand.New(rand.NewPCG(8, 9)), 8<<10)
	for e := Identity + 1; e < codings; e++ {
		b.Run(e.String(), func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				encoded, _ := e.Encode(body)
				size = len(encoded)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

func BenchmarkChoose(b *testing.B) {
	field := []byte("gzip;q=0.8, deflate, br;q=0.9, zstd")
	b.ReportAllocs()
	for b.Loop() {
		Choose(field)
	}
}

// Whoever keeps an answer keeps all of the memory that it lies in, and weighs only the answer.
func TestWhatIsEncodedLiesInNoMoreMemoryThanItTakes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int{Threshold, 1500, 3 << 10, 8 << 10, 40 << 10} {
		var body []byte
		for len(body) < size {
			body = fmt.Appendf(body, `{"sku":"%016x","name":"%016x"},`, r.Uint64(), r.Uint64()) // about half as large encoded
		}
		for e := Identity + 1; e < codings; e++ {
			encoded, in := e.Encode(body)
			require.Equal(t, e, in, "%d bytes", size)
			require.LessOrEqual(t, cap(encoded), len(encoded)+len(encoded)/4, "%s of %d bytes", e, size)
		}
	}
}
