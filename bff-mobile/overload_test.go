package bffmobile

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// M5: the server's times, in their order: what arrives slowly, takes long or idles ends,
// and a request's own deadline comes before its answer's.
func TestM5_TimesAreSet(t *testing.T) {
	t.Parallel()
	s := open(t)
	server := s.app.server.Server()
	require.Equal(t, 5*time.Second, server.ReadTimeout)
	require.Equal(t, 15*time.Second, server.WriteTimeout)
	require.Equal(t, 30*time.Second, server.IdleTimeout)
	require.Equal(t, 64<<10, server.MaxRequestBodySize)
	require.Equal(t, 16<<10, server.ReadBufferSize)
	require.Less(t, s.app.Backend().Config.Limits.RequestTimeout, server.WriteTimeout)
}

// M5: a thousand clients that left cost no more than their requests' time, and are then
// not counted any more.
func TestM5_AThousandAbandonedRequestsEnd(t *testing.T) {
	t.Parallel()
	const clients, limit = 1_000, 2 * time.Second
	s := openLate(t, 0, func(b *edge.Backend) {
		b.Config.Limits.RequestTimeout = limit
		b.Config.Limits.MaxInFlight = 2 * clients
	})
	addr, _ := s.serve(t)
	var entered, left atomic.Int64
	s.Hold(commerce.OpSearch, func(ctx context.Context) {
		entered.Add(1)
		<-ctx.Done()
		left.Add(1)
	})
	for range clients {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET /v1/screens/search HTTP/1.1\r\nHost: portico.test\r\n\r\n")
		require.NoError(t, err)
		require.NoError(t, conn.Close(), "the client leaves at once")
	}
	require.Eventually(t, func() bool {
		return strings.Count(s.log.String(), `"msg":"request"`) == clients && left.Load() == entered.Load()
	}, time.Minute, 20*time.Millisecond)
	require.Positive(t, entered.Load())
	require.Eventually(t, func() bool { return s.metric(t, "http_server_active_requests") == 0 }, time.Minute, 20*time.Millisecond)
}

// M4: a request takes no more memory than four times what its body may hold, all of it
// counted: buffers, header, body and what a handler makes of it.
func TestM4_MemoryOfARequest(t *testing.T) { //nolint:paralleltest // counts the process's memory
	const clients, most = 200, 4 * (64 << 10)
	s := openLate(t, 0, func(b *edge.Backend) {
		b.Config.Limits.MaxInFlight, b.Config.Limits.RequestTimeout = 2*clients, time.Minute
	})
	addr, _ := s.serve(t)
	var inside sync.WaitGroup
	leave := make(chan struct{})
	s.Hold(commerce.OpCartCreate, func(context.Context) { inside.Done(); <-leave }) // which waits for nobody's turn
	filler := strings.Repeat(" ", 63<<10)
	before := inUse()
	inside.Add(clients)
	conns := make([]net.Conn, clients)
	for i := range conns {
		var err error
		conns[i], err = (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		require.NoError(t, err)
		body := `{` + filler + `}`
		_, err = fmt.Fprintf(conns[i], "POST /v1/carts HTTP/1.1\r\nHost: portico.test\r\nContent-Type: application/json\r\n"+
			"Idempotency-Key: %032x\r\nX-A: %s\r\nContent-Length: %d\r\n\r\n%s", i, strings.Repeat("a", 12<<10), len(body), body)
		require.NoError(t, err)
	}
	inside.Wait() // all are held at once, with all that they sent
	each := (inUse() - before) / clients
	t.Logf("%d bytes a request", each)
	require.Less(t, each, int64(most))
	s.Hold(commerce.OpCartCreate, nil)
	close(leave)
	for _, conn := range conns {
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		_, err := conn.Read(make([]byte, 1))
		assert.NoError(t, err)
		assert.NoError(t, conn.Close())
	}
}

// inUse is the memory that is reachable, and stacks.
func inUse() int64 {
	debug.FreeOSMemory() // collects, too
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// M9: what is beyond the bound is refused before anything is asked, with when to come back;
// writes find room when reads do not, and what is kept is answered whatever happens.
func TestM9_WhatIsRefusedSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	s, _ := keepingLate(t, 0, func(b *edge.Backend) { b.Config.Limits.MaxInFlight, b.Config.Limits.RequestTimeout = 10, time.Minute })
	for range 2 {
		s.ok(t, get("/v1/screens/home"))
	}
	var inside sync.WaitGroup
	inside.Add(8)
	leave := make(chan struct{})
	letGo := sync.OnceFunc(func() { close(leave) })
	defer letGo() // or a failure would be waited for
	s.Hold(commerce.OpSearch, func(context.Context) { inside.Done(); <-leave })
	var done sync.WaitGroup
	for i := range 8 {
		request := get(fmt.Sprintf("/v1/screens/search?q=mug%d", i)).request(t)
		done.Go(func() { assert.Equal(t, http.StatusOK, s.quietly(request)) })
	}
	inside.Wait()
	require.InDelta(t, 8, s.metric(t, "http_server_active_requests"), 0)
	s.ResetCalls()
	for range 3 {
		refused := s.checked(t, get("/v1/screens/search?q=bowl"))
		require.Equal(t, http.StatusServiceUnavailable, refused.Status)
		require.Equal(t, "1", refused.Header.Get("Retry-After"))
		require.Equal(t, "no-store", refused.Header.Get("Cache-Control"))
		require.Equal(t, "application/problem+json", refused.Header.Get("Content-Type"))
		require.Contains(t, refused.Raw, refused.Header.Get("X-Request-Id"))
		require.Contains(t, refused.Raw, "/problems/unavailable")
	}
	require.Zero(t, s.TotalCalls())
	require.InDelta(t, 3, s.metric(t, "portico_requests_refused_total"), 0)
	require.Equal(t, 1, min(1, strings.Count(s.log.String(), "too many requests at once")))
	require.Equal(t, http.StatusOK, s.send(t, get("/v1/screens/home")).Status, "what is kept is not counted")
	require.Equal(t, http.StatusOK, s.send(t, get("/docs")).Status)
	odd := get("/v1/config?").request(t) // which is not the document to the letter
	odd.Header["Accept-Encoding"] = []string{"br", "gzip"}
	require.Equal(t, http.StatusOK, s.sent(t, odd).Status, "what asks no system is not counted")
	require.Equal(t, http.StatusCreated, s.send(t, call{"POST", "/v1/carts", `{}`, nil}).Status, "there is room for writes")
	s.Hold(commerce.OpSearch, nil)
	letGo()
	done.Wait()
	s.ok(t, get("/v1/screens/search?q=bowl"))
	require.InDelta(t, 0, s.metric(t, "http_server_active_requests"), 0)
}

// M9: a slow system is no overload. Hundreds of requests that wait for it cost no processor
// time: none is refused, and those that ask another system are served.
func TestM9_ASlowSystemRefusesNobody(t *testing.T) {
	t.Parallel()
	const waiting = 200
	s := open(t, func(b *edge.Backend) { b.Config.Limits.RequestTimeout = 5 * time.Minute })
	entered := make(chan struct{})
	leave := make(chan struct{})
	letGo := sync.OnceFunc(func() { close(leave) })
	defer letGo() // or a failure would be waited for
	s.Hold(commerce.OpSearch, func(context.Context) { entered <- struct{}{}; <-leave })
	var done sync.WaitGroup
	for i := range waiting {
		request := get(fmt.Sprintf("/v1/screens/search?q=mug%d", i)).request(t)
		done.Go(func() { assert.Equal(t, http.StatusOK, s.quietly(request)) })
		select {
		case <-entered:
		case <-time.After(time.Minute):
			t.Fatalf("the %dth is refused or waits in line", i)
		}
	}
	s.ok(t, get("/v1/screens/products/MUG-RED"))
	require.InDelta(t, waiting, s.metric(t, "http_server_active_requests"), 0)
	require.Zero(t, s.metric(t, "portico_requests_waiting"))
	s.Hold(commerce.OpSearch, nil)
	letGo()
	done.Wait()
	require.NotContains(t, s.log.String(), "too many requests at once")
}
