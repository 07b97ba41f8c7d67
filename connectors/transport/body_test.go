package transport

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// spent is how many bytes were allocated while f ran. Nothing else runs then:
// tests that run in parallel wait for those that do not.
func spent(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Whatever an upstream sends, a call allocates no more than twice its limit, all
// in all and garbage included, beside what a call with an empty answer does.
//
//nolint:paralleltest // it counts the bytes that the process allocates
func TestN8_AnyAnswerCostsTwiceItsLimitAtMost(t *testing.T) {
	const (
		slack = 192 << 10 // goroutines, buffers of net/http and of gzip
		chunk = 32 << 10
	)
	var (
		zeros = make([]byte, chunk)
		bomb  bytes.Buffer
	)
	zip := gzip.NewWriter(&bomb)
	for range 2048 { // 64 MiB
		_, err := zip.Write(zeros)
		require.NoError(t, err)
	}
	require.NoError(t, zip.Close())
	bombs := bytes.Repeat(bomb.Bytes(), 4) // of several members
	pour := func(head string, pieces int) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+head)
			for i := 0; i < pieces && err == nil; i++ {
				_, err = w.Write(zeros)
			}
			return err
		}
	}
	after := func(head string, body []byte) func(io.Writer) error {
		return func(w io.Writer) error {
			if err := pour(head, 0)(w); err != nil {
				return err
			}
			_, err := w.Write(body)
			return err
		}
	}
	for _, limit := range []int64{1 << 20, 2 << 20, 3<<20 + 12345} {
		fits := int(limit) / chunk
		for name, tc := range map[string]struct {
			write func(io.Writer) error
			size  int // -1: refused
		}{
			"of unknown length, and fits":       {pour("Connection: close\r\n\r\n", fits), fits * chunk},
			"of unknown length, without end":    {pour("Connection: close\r\n\r\n", 64*fits), -1},
			"of declared length, and fits":      {pour(fmt.Sprintf("Connection: close\r\nContent-Length: %d\r\n\r\n", fits*chunk), fits), fits * chunk},
			"of declared length, and too long":  {pour(fmt.Sprintf("Content-Length: %d\r\n\r\n", 64*fits*chunk), 64*fits), -1},
			"declares more than there is":       {pour("Content-Length: 1000000\r\n\r\n", 1), -1},
			"declares what no machine has":      {pour("Content-Length: 9223372036854775807\r\n\r\n", 1), -1},
			"a gzip bomb":                       {after("Content-Encoding: gzip\r\nConnection: close\r\n\r\n", bomb.Bytes()), -1},
			"a gzip bomb of many members":       {after("Content-Encoding: gzip\r\nConnection: close\r\n\r\n", bombs), -1},
			"gzip that is none":                 {after("Content-Encoding: gzip\r\nConnection: close\r\n\r\n", zeros), -1},
			"a header without end":              {pour("X: ", 64*fits), -1},
			"a chunk that says it is 2⁶³ bytes": {pour("Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n", 64*fits), -1},
			"a chunk extension without end":     {pour("Transfer-Encoding: chunked\r\n\r\n5;", 64*fits), -1},
		} {
			c := canned(t, Config{MaxBodyBytes: limit}, tc.write)
			var (
				res *Response
				err error
			)
			traits, r := writeTraits, post(`{}`) // of one attempt
			size := 0
			r.Read = func(res *Response) error {
				size = len(res.Body)
				return nil
			}
			bytes := spent(func() { _, err = do(t, c, traits, r) })
			assert.LessOrEqual(t, bytes, uint64(2*limit+slack), "limit %d: %s, read", limit, name)
			assert.Equal(t, max(tc.size, 0), size, name)
			bytes = spent(func() { res, err = do(t, c, traits, post(`{}`)) })
			assert.LessOrEqual(t, bytes, uint64(2*limit+slack), "limit %d: %s", limit, name)
			if tc.size < 0 {
				require.ErrorIs(t, err, commerce.ErrUnavailable, name)
				assert.Equal(t, commerce.ReasonBadAnswer, callError(t, err).Reason, name)
				continue
			}
			require.NoError(t, err, name)
			assert.Len(t, res.Body, tc.size, name)
		}
	}
}

// Whatever the body's length, limit, and the pieces it comes in: it arrives
// whole or not at all.
func TestN8_ABodyArrivesWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{1, 2, 511, 512, 513, 4096, 4097, 100_000} {
		for _, size := range []int64{0, 1, 511, 512, 513, limit - 1, limit, limit + 1, limit + 2, 3 * limit} {
			body := make([]byte, max(size, 0))
			for i := range body {
				body[i] = byte(i * 31)
			}
			res, err := do(t, over(t, Config{MaxBodyBytes: limit}, &script{steps: []step{{status: 200, body: string(body)}}}), readTraits, get())
			if size > limit {
				require.ErrorIs(t, err, commerce.ErrUpstream, "%d of %d", size, limit)
				continue
			}
			require.NoError(t, err, "%d of %d", size, limit)
			require.True(t, bytes.Equal(body, res.Body), "%d of %d", size, limit)
		}
	}
}
