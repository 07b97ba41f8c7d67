package web

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// unread is a connection of the kernel's that is neither read nor written: what is measured
// are its clocks.
type unread struct{ net.Conn }

func (unread) Read(p []byte) (int, error)  { return len(p), nil }
func (unread) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkDeadlines is what the deadlines of a request cost that comes and is answered at
// once: beside one reading of the clock, which is the server's.
func BenchmarkDeadlines(b *testing.B) {
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	client, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", l.Addr().String())
	require.NoError(b, err)
	tcp, err := l.Accept()
	require.NoError(b, err)
	b.Cleanup(func() {
		for _, c := range []interface{ Close() error }{tcp, client, l} {
			require.NoError(b, c.Close())
		}
	})
	c, p := newConn(unread{tcp}), make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = c.Read(p)
		c.begin()
		c.answer(time.Now())
		_, _ = c.Write(p)
	}
}
