package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// tally counts executions by the path that was called.
type tally struct {
	mu   sync.Mutex
	runs map[string]int
}

func (y *tally) add(path string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.runs[path]++
}

func (y *tally) most() (path string, n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for p, runs := range y.runs {
		if runs > n {
			path, n = p, runs
		}
	}
	return path, n
}

func (y *tally) total() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.runs)
}

// The moments at which a connection is cut.
const (
	cutBefore = iota // before the request is read
	cutDuring        // in the middle of it
	cutAfter         // when it was executed, before the answer
	cutAnswer        // in the middle of the answer
	cutMoments
)

// scissors serves HTTP/1.1 on conn: "/warm" is answered, everything else is cut
// at the moment that its first path segment names.
func scissors(conn net.Conn, y *tally) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		line, err := in.Peek(len("DELETE /0"))
		if err != nil {
			return
		}
		moment := int(line[bytes.IndexByte(line, '/')+1] - '0')
		switch moment {
		case cutBefore:
			return
		case cutDuring:
			_, _ = in.ReadString('\n')
			return
		}
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		switch moment {
		case cutAfter:
			y.add(req.URL.Path)
			return
		case cutAnswer:
			y.add(req.URL.Path)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
			return
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
			return
		}
	}
}

// piped is a pool whose connections end in scissors, without sockets.
func piped(t *testing.T, y *tally) *http.Transport {
	t.Helper()
	pool := newPool(Config{})
	var wg sync.WaitGroup
	pool.DialContext = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		wg.Go(func() { scissors(theirs, y) })
		return ours, nil
	}
	t.Cleanup(func() {
		pool.CloseIdleConnections()
		wg.Wait()
	})
	return pool
}

// trials sends writes with every combination of method, body, header and
// connection, and checks that each is known to be done, or unknown.
func trials(t *testing.T, c *Client, from, to int) {
	t.Helper()
	methods := []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	for i := from; i < to; i++ {
		if i%2 == 0 { // on a connection that is kept alive
			_, err := do(t, c, readTraits, Request{Method: http.MethodPost, Path: []string{"9"}})
			require.NoError(t, err)
		}
		var body []byte
		if i/2%2 == 0 {
			body = []byte(`{"quantity":1}`)
		}
		_, err := do(t, c, writeTraits, Request{Method: methods[i/4%4], Path: []string{fmt.Sprint(i / 16 % cutMoments), fmt.Sprint(i)}, Body: body})
		require.ErrorIs(t, err, commerce.ErrOutcomeUnknown, "trial %d", i)
	}
}

func TestN1_WritesReachTheWireAtMostOnce(t *testing.T) {
	t.Parallel()
	for name, sign := range map[string]func(*http.Request) error{"with idempotency headers": insistent, "without": nil} {
		t.Run("HTTP/1.1 "+name, func(t *testing.T) {
			t.Parallel()
			y := &tally{runs: map[string]int{}}
			c := over(t, Config{BaseURL: "http://upstream.example"}, piped(t, y))
			c.sign = sign
			const workers, each = 4, 1152 // a multiple of all combinations
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() { trials(t, c, w*each, (w+1)*each) })
			}
			wg.Wait()
			path, most := y.most()
			assert.Equal(t, 1, most, path)
			assert.Equal(t, workers*each/2, y.total(), "half the cuts come after the upstream has executed")
		})
		t.Run("HTTP/2 "+name, func(t *testing.T) {
			t.Parallel()
			y := &tally{runs: map[string]int{}}
			c := h2Client(t, y)
			c.sign = sign
			for i := range 400 {
				var body []byte
				if i%2 == 0 {
					body = []byte(`{"quantity":1}`)
				}
				_, err := do(t, c, writeTraits, Request{Method: http.MethodPost, Path: []string{"order", fmt.Sprint(i)}, Body: body})
				require.Error(t, err)
			}
			path, most := y.most()
			assert.Equal(t, 1, most, path)
			assert.Equal(t, 400, y.total())
		})
	}
}

type connKey struct{}

// h2Client speaks HTTP/2 to a server that executes a request and then cuts its
// connection, or resets its stream.
func h2Client(t *testing.T, y *tally) *Client {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			return
		}
		y.add(r.URL.Path)
		if conn, ok := r.Context().Value(connKey{}).(net.Conn); ok && len(r.URL.Path)%2 == 0 {
			_ = conn.Close()
		}
		panic(http.ErrAbortHandler)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	server.StartTLS()
	t.Cleanup(server.Close)

	pool := newPool(Config{AllowPrivate: true})
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	pool.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	t.Cleanup(pool.CloseIdleConnections)
	base, err := url.Parse(server.URL)
	require.NoError(t, err)
	cfg, _, err := Config{BaseURL: server.URL}.checked()
	require.NoError(t, err)
	c, err := newClient("magento", cfg, nil, quiet().withDefaults(), wire{base: base, via: pool})
	require.NoError(t, err)
	return c
}

// A pool full of connections that all die is one lost attempt, not one for each:
// net/http would try a GET on the next one, and the next, unseen.
func TestN3_DyingConnectionsAreNotAttempts(t *testing.T) {
	t.Parallel()
	const kept = 8
	var (
		together sync.WaitGroup
		seen     atomic.Int32
	)
	together.Add(kept)
	c, _ := serve(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/warm" {
			together.Done()
			together.Wait()
			_, _ = io.WriteString(w, "{}")
			return
		}
		seen.Add(1)
		panic(http.ErrAbortHandler)
	}))
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		var calls sync.WaitGroup
		for range kept {
			calls.Go(func() { _, _ = do(t, c, readTraits, get("warm")) })
		}
		calls.Wait()
		together.Add(kept)
		seen.Store(0)

		_, err := do(t, c, readTraits, Request{Method: method, Path: []string{"cut"}})
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.EqualValues(t, 3, seen.Load(), "%s attempts at the upstream", method)
	}
}
