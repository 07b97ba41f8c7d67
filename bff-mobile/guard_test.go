package bffmobile

import (
	"bytes"
	"compress/gzip"
	"io"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is odd but lawful stays answered, and an announced end is kept to.
func TestLawfulOddRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	s := open(t)
	addr, _ := s.serve(t)
	const host, next = "Host: portico.test:8081\r\n", "GET /v1/screens/home HTTP/1.1\r\nHost: smuggled\r\n\r\n"
	for name, request := range map[string]string{
		"whole address":           "GET http://portico.test:8081/docs HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n",
		"whole address, a query":  "GET HTTP://Portico.Test:8081?x HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n",
		"IPv6":                    "GET /docs HTTP/1.1\r\nHost: [::1]:8081\r\nConnection: close\r\n\r\n",
		"HTTP/1.0 without a host": "GET /docs HTTP/1.0\r\n\r\n" + next,
		"line end first":          "\r\nGET /docs HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n",
		"close among options":     "GET /docs HTTP/1.1\r\n" + host + "Connection: X-Request-Id, Close\r\n\r\n" + next,
		"chunk extension":         "POST /v1/carts HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nIdempotency-Key: " + longKey + "\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n" + next,
	} {
		t.Run(name, func(t *testing.T) {
			got := raw(t, addr, request)
			require.Regexp(t, `^HTTP/1\.[01] (200|201|404) `, got)
			require.NotContains(t, got, "malformed")
			require.Equal(t, 1, strings.Count(got, "HTTP/1."), "%q", got)
		})
	}
}

// A body that grows a thousandfold is refused as it came: what it takes is what
// was sent, not what it would become.
func TestT4_AnEncodedBodyIsNeverInflated(t *testing.T) { //nolint:paralleltest // counts the process's memory
	s := open(t)
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, err := io.CopyN(w, zeros{}, 60<<20)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Less(t, bomb.Len(), 64<<10, "within the limit of what may be sent")
	addr, _ := s.serve(t)
	var before, after runtime.MemStats
	for _, encoding := range []string{"gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "identity", "gzip, gzip"} {
		runtime.ReadMemStats(&before)
		got := raw(t, addr, "POST /v1/carts HTTP/1.1\r\nHost: portico.test\r\nConnection: close\r\nContent-Type: application/json\r\n"+
			"Content-Encoding: "+encoding+"\r\nContent-Length: "+strconv.Itoa(bomb.Len())+"\r\n\r\n"+bomb.String())
		runtime.ReadMemStats(&after)
		require.True(t, strings.HasPrefix(got, "HTTP/1.1 415 "), "%s: %q", encoding, got)
		require.Contains(t, got, "/problems/unsupported-media-type")
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), encoding)
	}
	require.Zero(t, s.TotalCalls())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Fiber's own cache and idempotency middleware answer one caller with what
// another one got; none of its middleware is linked.
func TestT5_T6_NoFiberMiddlewareIsLinked(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "./...").Output()
	require.NoError(t, err)
	deps := strings.Fields(string(out))
	require.Contains(t, deps, "github.com/gofiber/fiber/v2")
	for _, path := range deps {
		require.NotContains(t, path, "github.com/gofiber/fiber/v2/middleware")
	}
}
