package edge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/schema/commerce"
)

// listen serves every connection until the test ends.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			wg.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() {
		assert.NoError(t, ln.Close())
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close() // may be closed already
		}
		mu.Unlock()
		wg.Wait()
	})
	return ln.Addr().String()
}

func keyed(ctx context.Context, b *Backend, key string) (ran bool, err error) {
	request := idempotency.Request{Principal: commerce.Principal{Tenant: "default", Subject: "C1"}, Operation: "lineAdd", Key: key}
	_, _, err = b.Idempotency.Do(ctx, request, func(context.Context) (idempotency.Answer, error) {
		ran = true
		return idempotency.Answer{Status: 200}, nil
	})
	return ran, err
}

func TestT18_AHungRedisCostsHalfASecondAtMost(t *testing.T) {
	t.Parallel()
	address := listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	b, _ := open(t, "PORTICO_MODE=development", "REDIS_URL=redis://"+address)
	var took time.Duration
	for range 5 { // a busy machine makes some of them late, a process that waits for Redis all
		begun := time.Now()
		ran, err := keyed(t.Context(), b, "k")
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.False(t, ran)
		if took = time.Since(begun); took < time.Second {
			break
		}
	}
	assert.Less(t, took, time.Second)
}

func TestT19_AClaimWhoseAnswerIsLostIsNotRepeated(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	var claims atomic.Int64
	address := listen(t, func(conn net.Conn) {
		var d net.Dialer
		upstream, err := d.DialContext(context.Background(), "tcp", server.Addr())
		if err != nil {
			return
		}
		defer func() { _ = upstream.Close() }()
		buffer := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			claim := bytes.Contains(bytes.ToLower(buffer[:n]), []byte("evalsha"))
			_, _ = upstream.Write(buffer[:n])
			if claim {
				claims.Add(1)
				_ = conn.Close() // it was executed; nobody is told
				return
			}
			if n, err = upstream.Read(buffer); err != nil {
				return
			}
			_, _ = conn.Write(buffer[:n])
		}
	})
	b, _ := open(t, "PORTICO_MODE=development", "REDIS_URL=redis://"+address)
	ran, err := keyed(t.Context(), b, "k")
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	assert.False(t, ran)
	assert.Equal(t, int64(1), claims.Load())
}

// slowly passes everything on to a Redis, and its answers to scripts late: longer than
// a shopper's read would wait.
func slowly(t *testing.T, server *miniredis.Miniredis) (address string) {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		var d net.Dialer
		upstream, err := d.DialContext(context.Background(), "tcp", server.Addr())
		if err != nil {
			return
		}
		defer func() { _ = upstream.Close() }()
		buffer := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			script := bytes.Contains(bytes.ToLower(buffer[:n]), []byte("eval"))
			_, _ = upstream.Write(buffer[:n])
			if n, err = upstream.Read(buffer); err != nil {
				return
			}
			if script {
				time.Sleep(100 * time.Millisecond) // this is a slow Redis, not a wait for something
			}
			_, _ = conn.Write(buffer[:n])
		}
	})
}

// Redis on a busy machine is late, and not down: who sends events and who writes are not refused.
func TestASlowRedisRefusesNoWriteAndNoEvent(t *testing.T) {
	t.Parallel()
	const secret = "a secret of twenty-four bytes or more"
	b, _ := open(t, "PORTICO_MODE=development", "REDIS_URL=redis://"+slowly(t, miniredis.RunT(t)), "EVENTS_ADDR=127.0.0.1:0", "EVENTS_SECRET="+secret,
		"PIM_KIND=pimcore", "PIM_BASE_URL=http://127.0.0.1:1", "PIM_API_KEY=key", "PIM_ALLOW_PRIVATE=true")
	const tries = 5 // a busy machine is later than this Redis for some of them, a process that does not wait for it for all
	var ran bool
	var err error
	for i := range tries {
		if ran, err = keyed(t.Context(), b, fmt.Sprint("k", i)); err == nil {
			break
		}
	}
	require.NoError(t, err)
	assert.True(t, ran)

	var answer *httptest.ResponseRecorder
	for i := range tries {
		body := fmt.Sprintf(`{"specversion":"1.0","id":"e%d","source":"pim","type":"portico.invalidate","data":{"tags":["all"]}}`, i)
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/events", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/cloudevents+json")
		events.Sign(request.Header, secret, fmt.Sprint("msg_", i), time.Now(), []byte(body))
		answer = httptest.NewRecorder()
		if b.Events.Handler().ServeHTTP(answer, request); answer.Code == http.StatusAccepted {
			break
		}
	}
	assert.Equal(t, http.StatusAccepted, answer.Code, answer.Body.String())
}
