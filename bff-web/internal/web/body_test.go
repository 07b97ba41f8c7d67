package web

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// taken is a body after [ReadBody].
func taken(t *testing.T, body io.Reader, length, most int64) (got io.ReadCloser) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
	r.ContentLength = length
	h := ReadBody(most)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Body }))
	h.ServeHTTP(httptest.NewRecorder(), r)
	return got
}

// However a body comes and however it is read, nothing of it changes.
func TestABodyTakenInReadsAsItEverWould(t *testing.T) {
	t.Parallel()
	const most = 100
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		text := make([]byte, rng.IntN(2*most))
		for i := range text {
			text[i] = byte(rng.Uint32())
		}
		length := int64(len(text))
		if rng.IntN(2) == 0 {
			length = -1
		}
		broken := rng.IntN(3) == 0
		var from io.Reader = bytes.NewReader(text)
		if broken {
			from = io.MultiReader(from, iotest.ErrReader(errBroken))
			if length >= 0 {
				length++
			}
		}
		if rng.IntN(2) == 0 {
			from = iotest.OneByteReader(from)
		}
		body := taken(t, from, length, most)
		if whole, ok := body.(interface{ Whole() ([]byte, bool) }); ok && rng.IntN(2) == 0 {
			if got, complete := whole.Whole(); complete {
				require.False(t, broken)
				require.LessOrEqual(t, len(got), most)
				require.True(t, bytes.Equal(text, got))
				text = nil
			}
		}
		got, err := io.ReadAll(iotest.OneByteReader(body))
		require.True(t, bytes.Equal(text, got), "%q %q", text, got)
		if broken {
			require.ErrorIs(t, err, errBroken)
		} else {
			require.NoError(t, err)
		}
		require.NoError(t, body.Close())
	}
}

var errBroken = errors.New("the connection broke")

func TestOfALargeBodyNoMoreThanFitsIsTakenIn(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{-1, 1 << 20} {
		from := strings.NewReader(strings.Repeat("x", 1<<20))
		body := taken(t, from, length, 100)
		assert.Equal(t, 1<<20-101, from.Len())
		_, whole := body.(interface{ Whole() ([]byte, bool) }).Whole()
		assert.False(t, whole)
		rest, err := io.ReadAll(body)
		require.NoError(t, err)
		assert.Len(t, rest, 1<<20)
	}
}
