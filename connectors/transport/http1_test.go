package transport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// saying is an upstream that answers the requests on a connection with these words, in
// turn, and closes the connection after the last.
func saying(answers ...string) func(net.Conn) {
	return func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		requests := bufio.NewReader(conn)
		for _, answer := range answers {
			req, err := http.ReadRequest(requests)
			if err != nil {
				return
			}
			if _, err = io.Copy(io.Discard, req.Body); err != nil {
				return
			}
			if _, err = io.WriteString(conn, answer); err != nil {
				return
			}
		}
	}
}

// listening is the address of an upstream whose connections are served by each, and how many there were.
func listening(t testing.TB, each func(net.Conn)) (addr string, opened *atomic.Int64) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	opened = &atomic.Int64{}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			opened.Add(1)
			served.Go(func() { each(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		served.Wait()
	})
	return listener.Addr().String(), opened
}

// asked is what came of one request by h.
func asked(ctx context.Context, via http.RoundTripper, addr string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/x", strings.NewReader(`{}`))
	if err != nil {
		return 0, "", err
	}
	req.GetBody = nil
	res, err := via.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	read, err := io.ReadAll(res.Body)
	return res.StatusCode, string(read), err
}

func newTestHTTP1(t testing.TB) *http1 {
	t.Helper()
	h := newHTTP1(newPool(Config{AllowPrivate: true}))
	t.Cleanup(func() {
		for c := h.conns.pop(); c != nil; c = h.conns.pop() {
			_ = c.Close()
		}
	})
	return h
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestN7_AConnectionIsUsedAgainOnlyWhereItsAnswerEnded(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(w, "ok")
	require.NoError(t, w.Close())
	for name, tt := range map[string]struct {
		first  string
		opened int64
		body   string
	}{
		"length":              {ok, 1, "ok"},
		"chunks":              {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1, "ok"},
		"nothing":             {"HTTP/1.1 204 No Content\r\n\r\n", 1, ""},
		"interim answers":     {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok, 1, "ok"},
		"gzip":                {fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", zipped.Len(), &zipped), 1, "ok"},
		"close":               {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 2, "ok"},
		"HTTP/1.0":            {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2, "ok"},
		"more than was asked": {ok + ok, 2, "ok"},
		"another protocol":    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr, opened := listening(t, saying(tt.first, ok))
			h := newTestHTTP1(t)
			_, body, err := asked(t.Context(), h, addr)
			require.NoError(t, err)
			assert.Equal(t, tt.body, body)
			_, body, err = asked(t.Context(), h, addr)
			require.NoError(t, err)
			if tt.opened == 1 {
				assert.Equal(t, "ok", body)
			}
			assert.Equal(t, tt.opened, opened.Load())
		})
	}
}

func TestN7_AnIdleConnectionThatEndedIsNotUsed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	c, err := New("odoo", patient(Config{BaseURL: server.URL, MaxAttempts: 1}), nil, quiet())
	require.NoError(t, err)
	for range 50 {
		_, err := do(t, c, writeTraits, post(`{}`)) // a write whose outcome is unknown would be the error
		require.NoError(t, err)
		server.CloseClientConnections()
	}
}

// A body that was not read, and one that broke off, take their connection with them.
func TestN7_AnAnswerThatWasNotReadEndsItsConnection(t *testing.T) {
	t.Parallel()
	addr, opened := listening(t, saying(ok, ok))
	h := newTestHTTP1(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr, nil)
	require.NoError(t, err)
	res, err := h.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	_, err = res.Body.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	_, body, err := asked(t.Context(), h, addr)
	require.NoError(t, err)
	assert.Equal(t, "ok", body)
	assert.EqualValues(t, 2, opened.Load())

	addr, _ = listening(t, saying("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"))
	_, _, err = asked(t.Context(), newTestHTTP1(t), addr)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	addr, opened = listening(t, saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n", ok))
	h = newTestHTTP1(t)
	_, _, err = asked(t.Context(), h, addr)
	require.Error(t, err)
	_, _, err = asked(t.Context(), h, addr)
	require.Error(t, err, "of a connection of its own")
	assert.EqualValues(t, 2, opened.Load())
}

func TestN7_WhoSaysWhatAnAnswerMayComeInReadsItAsItCame(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ method, header, value string }{
		{http.MethodGet, "Accept-Encoding", "br"}, {http.MethodGet, "Range", "bytes=0-1"}, {http.MethodHead, "", ""},
	} {
		var got http.Header
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r.Header
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "as it came")
		}))
		req, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL, nil)
		require.NoError(t, err)
		if tt.header != "" {
			req.Header.Set(tt.header, tt.value)
		}
		res, err := newTestHTTP1(t).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, "gzip", res.Header.Get("Content-Encoding"))
		_, err = io.ReadAll(res.Body)
		require.NoError(t, err)
		assert.Equal(t, req.Header.Get("Accept-Encoding"), got.Get("Accept-Encoding"))
		server.Close()
	}
}

// Who leaves after the header, and still finds the body there, leaves no connection behind that
// was interrupted.
func TestN7_AnInterruptedConnectionIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	addr, opened := listening(t, saying(ok, ok))
	h := newTestHTTP1(t)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr, nil)
	require.NoError(t, err)
	res, err := h.RoundTrip(req)
	require.NoError(t, err)
	interrupted := make(chan struct{})
	context.AfterFunc(ctx, func() { close(interrupted) })
	cancel()
	<-interrupted
	read, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, "ok", string(read))
	_, body, err := asked(t.Context(), h, addr)
	require.NoError(t, err)
	assert.Equal(t, "ok", body)
	assert.EqualValues(t, 2, opened.Load())
}

func TestN7_HeadersAndInterimAnswersAreBounded(t *testing.T) {
	t.Parallel()
	addr, _ := listening(t, saying("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", maxHeaderBytes)+"\r\n\r\n"))
	_, _, err := asked(t.Context(), newTestHTTP1(t), addr)
	require.ErrorIs(t, err, errHeaderSize)
	addr, _ = listening(t, saying(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", mostInterim+1)+ok))
	_, _, err = asked(t.Context(), newTestHTTP1(t), addr)
	require.ErrorIs(t, err, errInterim)
	c, err := New("odoo", patient(Config{BaseURL: "http://" + addr, MaxAttempts: 1}), nil, quiet())
	require.NoError(t, err)
	_, err = do(t, c, readTraits, get("x"))
	require.ErrorIs(t, err, commerce.ErrUpstream)
}

// An upstream that answers a large body before it has read it is heard, as net/http sees to that.
func TestN7_ALargeBodyIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	heard := make(chan struct{})
	addr, _ := listening(t, func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil { // of its body, no more than came along
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		<-heard // a reset before that may lose it
	})
	defer close(heard)
	c, err := New("odoo", patient(Config{BaseURL: "http://" + addr, MaxAttempts: 1}), nil, quiet())
	require.NoError(t, err)
	res, err := do(t, c, writeTraits, post(strings.Repeat("x", 16<<20)))
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestEntityTooLarge, res.Status)
}

func TestN7_WhoLeavesEndsTheExchange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ended sync.WaitGroup
		h := newTestHTTP1(t)
		h.dial = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			ended.Go(func() { _, _ = io.Copy(io.Discard, theirs) }) // until ours is closed
			return ours, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		_, _, err := asked(ctx, h, "upstream.example")
		require.Error(t, err)
		assert.Equal(t, time.Second, time.Since(begun))
		ended.Wait()
		assert.Nil(t, h.conns.pop())
	})
}

func TestN7_IdleConnectionsAreClosedAfterAWhileAndBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var conns idleConns
		var open atomic.Int64
		put := func(n int) {
			for range n {
				ours, theirs := net.Pipe()
				open.Add(1)
				go func() {
					defer open.Add(-1)
					_, _ = theirs.Read(make([]byte, 1))
				}()
				c := newConn(ours)
				c.rest()
				conns.put(c)
			}
			synctest.Wait()
		}
		put(maxIdlePerHost + 10)
		assert.EqualValues(t, maxIdlePerHost, open.Load())
		time.Sleep(idleTimeout / 2)
		used := conns.take()
		conns.put(used)
		time.Sleep(idleTimeout / 2)
		synctest.Wait()
		assert.EqualValues(t, 1, open.Load(), "the one that was used since")
		time.Sleep(idleTimeout / 2)
		synctest.Wait()
		assert.Zero(t, open.Load())
		put(1)
		time.Sleep(idleTimeout)
		synctest.Wait()
		assert.Zero(t, open.Load(), "later ones are, too")
	})
}

// Whatever becomes of others on the same connections, an answer is that of the request:
// callers leave while they wait and while they read, and the upstream hangs up at times.
func TestN7_NoAnswerIsAnothersHoweverCallsEnd(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what, _ := io.ReadAll(r.Body)
		roll := rand.IntN(20)
		if roll < 4 {
			time.Sleep(time.Duration(roll) * time.Millisecond)
		}
		switch roll {
		case 17:
			w.Header().Set("Connection", "close")
		case 18:
			panic(http.ErrAbortHandler)
		case 19:
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = fmt.Fprintf(w, "%s%s", what, strings.Repeat(" ", rand.IntN(40_000)))
	}))
	defer server.Close()
	h := newTestHTTP1(t)
	var wrong, right atomic.Int64
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for i := range 250 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+rand.IntN(6))*time.Millisecond)
				if i%4 == 0 {
					cancel()
					ctx, cancel = context.WithCancel(t.Context())
				}
				own := fmt.Sprintf("%d-%d", worker, i)
				req, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(own))
				res, err := h.RoundTrip(req)
				if err == nil {
					var read []byte
					if read, err = io.ReadAll(res.Body); err == nil {
						if strings.TrimSpace(string(read)) == own {
							right.Add(1)
						} else {
							wrong.Add(1)
						}
					}
					_ = res.Body.Close()
				}
				cancel()
			}
		})
	}
	wg.Wait()
	assert.Zero(t, wrong.Load())
	assert.Greater(t, right.Load(), int64(400))
}

// FuzzHTTP1 has net/http's transport and ours read the same bytes. Both have the same
// status, header and body of them, or both have an error.
func FuzzHTTP1(f *testing.F) {
	for _, answer := range []string{
		ok, ok + ok, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nuntil the end",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\n" + ok, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n folded\r\n\r\n", "\r\n" + ok, "",
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go saying(string(answer))(theirs)
			return ours, nil
		}
		pool := newPool(Config{})
		pool.DialContext = dial
		defer pool.CloseIdleConnections()
		own := newTestHTTP1(t)
		own.dial = dial
		type outcome struct {
			Status int
			Header http.Header
			Body   string
			Failed bool
		}
		of := func(via http.RoundTripper) (o outcome) {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://upstream.example/", strings.NewReader("{}"))
			req.Body = io.NopCloser(strings.NewReader("{}"))
			req.GetBody = nil
			res, err := via.RoundTrip(req)
			if err != nil {
				return outcome{Failed: true}
			}
			defer func() { _ = res.Body.Close() }()
			if res.StatusCode == http.StatusSwitchingProtocols {
				return outcome{Status: res.StatusCode}
			}
			read, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
			if err != nil && !errors.Is(err, io.EOF) {
				return outcome{Failed: true}
			}
			return outcome{Status: res.StatusCode, Header: res.Header, Body: string(read)}
		}
		assert.Equal(t, of(pool), of(own))
	})
}

// A message that the socket does not take at once, since the upstream is slow to read, arrives whole.
func TestN7_AMessageInPartsArrivesWhole(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		_, _ = w.Write(got)
	}))
	server.Listener = onUnix(t)
	server.Start()
	defer server.Close()
	h := newTestHTTP1(t)
	var dialled atomic.Int64
	h.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialled.Add(1)
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", server.Listener.Addr().String())
		if of, ok := conn.(*net.UnixConn); ok {
			err = errors.Join(err, of.SetWriteBuffer(1)) // as little as the system allows
		}
		return conn, err
	}
	for i := range 20 {
		letter := string(rune('a' + i))
		sent := strings.Repeat(letter, mostInOneWrite)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://upstream.example", strings.NewReader(sent))
		require.NoError(t, err)
		res, err := h.RoundTrip(req)
		require.NoError(t, err)
		got, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		assert.Len(t, got, len(sent))
		assert.Empty(t, bytes.Trim(got, letter))
	}
	assert.EqualValues(t, 1, dialled.Load())
}

// onUnix listens on a socket that takes no more than it has room for.
func onUnix(t *testing.T) net.Listener {
	t.Helper()
	dir, err := os.MkdirTemp("", "http1") // shorter than the test's own, as such a name has to be
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	return listener
}
