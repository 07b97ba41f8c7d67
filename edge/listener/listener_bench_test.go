package listener_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/listener"
)

// unread is a connection of the kernel's that is neither read nor written: what is measured
// are its clocks.
type unread struct{ net.Conn }

func (unread) Read(p []byte) (int, error)  { return len(p), nil }
func (unread) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkDeadlines is what three deadlines cost of a request that comes and is answered at
// once.
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
	late, err := listener.SettingLate(&handed{unread{tcp}}).Accept()
	require.NoError(b, err)
	for _, row := range []struct {
		name string
		conn net.Conn
	}{{"at once", unread{tcp}}, {"late", late}} {
		b.Run(row.name, func(b *testing.B) {
			p := make([]byte, 1)
			b.ReportAllocs()
			for b.Loop() {
				_ = row.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
				_, _ = row.conn.Read(p)
				_ = row.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
				_ = row.conn.SetWriteDeadline(time.Now().Add(15 * time.Second))
				_, _ = row.conn.Write(p)
			}
		})
	}
}
