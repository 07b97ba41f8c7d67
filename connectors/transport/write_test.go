package transport

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// mortal is an upstream that executes every request it reads whole, answers the
// first of each connection and then dies: at once, or when the next one is in.
type mortal struct {
	executed atomic.Int64
	listener net.Listener
	idleCut  bool // closes after the answer rather than after the next request
}

func newMortal(t *testing.T, idleCut bool) *mortal {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &mortal{listener: listener, idleCut: idleCut}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			m.live(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return m
}

func (m *mortal) live(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for served := 0; ; served++ {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		if req.URL.Path != "/warm" {
			m.executed.Add(1)
		}
		if served > 0 {
			return // executed, never answered
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
			return
		}
		if m.idleCut {
			return
		}
	}
}

func (m *mortal) client(t *testing.T, sign func(*http.Request) error) *Client {
	t.Helper()
	c, err := New("magento", patient(Config{BaseURL: "http://" + m.listener.Addr().String()}), sign, quiet())
	require.NoError(t, err)
	return c
}

// insistent adds the headers that would make net/http repeat the request.
func insistent(req *http.Request) error {
	req.Header.Set("Idempotency-Key", "k")
	req.Header["x-idempotency-key"] = []string{"k"}
	req.Header.Set("X-Idempotency-Key", "k")
	return nil
}

func TestT12_WriteIsSentOnceOnDyingConnections(t *testing.T) {
	t.Parallel()
	methods := []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet, http.MethodOptions}
	for _, idleCut := range []bool{false, true} {
		upstream := newMortal(t, idleCut)
		for _, method := range methods {
			for _, body := range []string{"", `{"a":1}`} {
				c := upstream.client(t, insistent)
				_, err := do(t, c, readTraits, get("warm")) // the connection is kept alive now
				require.NoError(t, err)

				upstream.executed.Store(0)
				_, err = do(t, c, writeTraits, Request{Method: method, Path: []string{"order"}, Body: []byte(body)})
				assert.LessOrEqual(t, upstream.executed.Load(), int64(1), "%s %q", method, body)
				if err != nil {
					require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
				}
			}
		}
	}
}

// Were the headers let through, net/http would execute the same request twice:
// the test above cannot pass for want of a reason to fail.
func TestT12_NetHTTPDoesRepeatWithTheHeader(t *testing.T) {
	t.Parallel()
	upstream := newMortal(t, false)
	base := "http://" + upstream.listener.Addr().String()
	pool := newPool(Config{AllowPrivate: true})
	defer pool.CloseIdleConnections()
	for _, path := range []string{"/warm", "/order"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Idempotency-Key", "k")
		res, err := pool.RoundTrip(req)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	assert.Equal(t, int64(2), upstream.executed.Load())
}

func TestWriteOutcome(t *testing.T) {
	t.Parallel()
	t.Run("no connection: nothing happened", func(t *testing.T) {
		t.Parallel()
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		address := listener.Addr().String()
		require.NoError(t, listener.Close())
		c, err := New("magento", patient(Config{BaseURL: "http://" + address}), nil, quiet())
		require.NoError(t, err)
		_, err = do(t, c, writeTraits, post(`{}`))
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.NotErrorIs(t, err, commerce.ErrOutcomeUnknown)
	})
	for name, tc := range map[string]struct {
		answer  step
		kind    error
		unknown bool
	}{
		"reset":       {step{err: io.ErrUnexpectedEOF}, commerce.ErrUnavailable, true},
		"timeout":     {step{takes: time.Hour}, commerce.ErrTimeout, true},
		"500":         {step{status: 500}, commerce.ErrUnavailable, true},
		"503":         {step{status: 503}, commerce.ErrUnavailable, true},
		"redirect":    {step{status: 302}, commerce.ErrUnavailable, true},
		"too large":   {step{status: 200, body: string(make([]byte, 100))}, commerce.ErrUnavailable, true},
		"rate limit":  {step{status: 429}, commerce.ErrRateLimited, false},
		"dial":        {step{err: &net.OpError{Op: "dial", Err: io.EOF}}, commerce.ErrUnavailable, false},
		"bad address": {step{err: &net.OpError{Op: "dial", Err: errAddress}}, commerce.ErrUnavailable, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				upstream := &script{steps: []step{tc.answer}}
				_, err := do(t, over(t, Config{MaxBodyBytes: 99}, upstream), writeTraits, post(`{}`))
				require.ErrorIs(t, err, tc.kind)
				assert.Equal(t, tc.unknown, errors.Is(err, commerce.ErrOutcomeUnknown))
				assert.Len(t, upstream.seen, 1)
			})
		})
	}
}

func TestCancelledWriteThatLeftIsNotForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		_, err := over(t, Config{}, &script{steps: []step{{takes: time.Hour}}}).Do(ctx, writeTraits, post(`{}`))
		require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestRejectedWriteIsAnAnswer(t *testing.T) {
	t.Parallel()
	c := over(t, Config{}, &script{steps: []step{{status: 400, body: `{"message":"no"}`}}})
	res, err := do(t, c, writeTraits, post(`{}`))
	require.NoError(t, err)
	assert.Equal(t, 400, res.Status)
	assert.JSONEq(t, `{"message":"no"}`, string(res.Body))
}

// Cutting a write at the attempt timeout would win nothing: there is no second attempt.
func TestWriteHasTheOperationsWholeTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		slow := writeTraits
		slow.Timeout = 8 * time.Second
		c := over(t, Config{}, &script{steps: []step{{status: 200, takes: 7 * time.Second}}})
		_, err := do(t, c, slow, post(`{}`))
		require.NoError(t, err)
		assert.Equal(t, 7*time.Second, time.Since(begun))

		begun = time.Now()
		c = over(t, Config{}, &script{steps: []step{{takes: time.Hour}}})
		_, err = do(t, c, writeTraits, post(`{}`))
		require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
		assert.Equal(t, defaultTimeout, time.Since(begun))
	})
}
