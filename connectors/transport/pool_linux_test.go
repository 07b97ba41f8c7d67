package transport

import (
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// deaf is the address of a socket whose queue is full: who dials it gets no answer.
func deaf(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	bound, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	inet, ok := bound.(*syscall.SockaddrInet4)
	require.True(t, ok)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(inet.Port))
	for range 8 {
		dialer := net.Dialer{Timeout: 100 * time.Millisecond}
		conn, err := dialer.DialContext(t.Context(), "tcp", address)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	require.Fail(t, "the queue never fills")
	return ""
}

func TestN7_DiallingEndsAfterASecond(t *testing.T) {
	t.Parallel()
	c, err := New("odoo", Config{
		BaseURL: "http://" + deaf(t), AllowPrivate: true,
		AttemptTimeout: 20 * time.Second, Timeout: 20 * time.Second, MaxAttempts: 1,
	}, nil, quiet())
	require.NoError(t, err)
	begun := time.Now()
	_, err = do(t, c, writeTraits, post(`{}`))
	require.Error(t, err)
	require.NotErrorIs(t, err, commerce.ErrOutcomeUnknown, "nothing was sent")
	// Far from both limits, for a busy machine.
	assert.Less(t, time.Since(begun), 5*time.Second)
	assert.GreaterOrEqual(t, time.Since(begun), 900*time.Millisecond)
}
