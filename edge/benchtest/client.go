package benchtest

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// client sends one request over and over on a connection of its own, with as little
// work as it can: what is measured is the server.
type client struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func (c *client) once() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("%q: %w", line, err)
	}
	length := 0
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	_, err = c.in.Discard(length)
	return err
}

// cost is what a number of requests took.
type cost struct{ wall, cpu time.Duration }

// spent is what n requests to addr cost on eight connections: the time that passed, and
// the processor time of this process, in which client and server are.
func spent(b *testing.B, addr string, request []byte, n int) cost {
	b.Helper()
	const connections = 8
	clients := make([]*client, connections)
	for i := range clients {
		conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", addr)
		require.NoError(b, err)
		clients[i] = &client{conn, bufio.NewReaderSize(conn, 64<<10), request}
	}
	errs := make([]error, connections)
	start, used := time.Now(), Processor(b)
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			for range max(n/connections, 1) {
				if errs[i] == nil {
					errs[i] = c.once()
				}
			}
		})
	}
	wg.Wait()
	took := cost{time.Since(start), Processor(b) - used}
	for i, c := range clients {
		require.NoError(b, errs[i])
		require.NoError(b, c.conn.Close())
	}
	return took
}

// Processor is the processor time that this process has used.
func Processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
