package edge

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

func keyed(ctx context.Context, b *Backend) (ran bool, err error) {
	request := idempotency.Request{Principal: commerce.Principal{Tenant: "default", Subject: "C1"}, Operation: "lineAdd", Key: "k"}
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
	begun := time.Now()
	ran, err := keyed(t.Context(), b)
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	assert.False(t, ran)
	assert.Less(t, time.Since(begun), 1500*time.Millisecond)
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
	ran, err := keyed(t.Context(), b)
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	assert.False(t, ran)
	assert.Equal(t, int64(1), claims.Load())
}
