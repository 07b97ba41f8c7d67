package listener_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/listener"
)

// watched is a connection that counts how often its clocks are set.
type watched struct {
	net.Conn
	sets   int
	halved bool
}

func (w *watched) SetReadDeadline(t time.Time) error {
	w.sets++
	return w.Conn.SetReadDeadline(t)
}

func (w *watched) SetWriteDeadline(t time.Time) error {
	w.sets++
	return w.Conn.SetWriteDeadline(t)
}

func (w *watched) CloseWrite() error {
	w.halved = true
	return nil
}

// handed is a listener with one connection.
type handed struct{ conn net.Conn }

func (h *handed) Accept() (net.Conn, error) {
	c := h.conn
	if h.conn = nil; c == nil {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (*handed) Close() error   { return nil }
func (*handed) Addr() net.Addr { return nil }

// late is a connection of such a listener, what lies below it, and its other end.
func late(t *testing.T) (c net.Conn, below *watched, other net.Conn) {
	t.Helper()
	here, there := net.Pipe()
	below = &watched{Conn: here}
	l := listener.SettingLate(&handed{below})
	c, err := l.Accept()
	require.NoError(t, err)
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	t.Cleanup(func() { require.NoError(t, errors.Join(c.Close(), there.Close())) })
	return c, below, there
}

// Whoever waits, waits until what was asked for last, before that or meanwhile.
func TestW13_ADeadlineIsInForceForWhoWaits(t *testing.T) {
	t.Parallel()
	wait := map[string]func(net.Conn) error{
		"read":  func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"write": func(c net.Conn) error { _, err := c.Write([]byte("x")); return err },
	}
	set := map[string][]func(net.Conn, time.Time) error{
		"read":  {net.Conn.SetReadDeadline, net.Conn.SetDeadline},
		"write": {net.Conn.SetWriteDeadline, net.Conn.SetDeadline},
	}
	for side, waiting := range wait {
		for _, ask := range set[side] {
			synctest.Test(t, func(t *testing.T) {
				c, _, _ := late(t)
				for _, d := range []time.Duration{2 * time.Second, 5 * time.Second, 60 * time.Second, 2 * time.Second} {
					require.NoError(t, ask(c, time.Now().Add(d)))
					begin := time.Now()
					require.ErrorIs(t, waiting(c), os.ErrDeadlineExceeded, side)
					assert.Equal(t, d, time.Since(begin), side)
				}
				for _, meanwhile := range []time.Duration{time.Second, 0, -time.Hour} { // sooner than was asked before
					require.NoError(t, ask(c, time.Now().Add(time.Minute)))
					begin := time.Now()
					var ended sync.WaitGroup
					ended.Go(func() { assert.ErrorIs(t, waiting(c), os.ErrDeadlineExceeded, side) })
					synctest.Wait()
					require.NoError(t, ask(c, time.Now().Add(meanwhile)))
					ended.Wait()
					assert.Equal(t, max(0, meanwhile), time.Since(begin), side)
				}
			})
		}
	}
}

// By a deadline that has long passed net/http ends a read, and by none it goes on.
func TestW13_WhatWasEndedGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _, other := late(t)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
		require.NoError(t, c.SetReadDeadline(time.Unix(1, 0)))
		_, err := c.Read(make([]byte, 1))
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		require.NoError(t, c.SetReadDeadline(time.Time{}))
		var sent sync.WaitGroup
		sent.Go(func() {
			time.Sleep(time.Hour)
			_, err := other.Write([]byte("x"))
			assert.NoError(t, err)
		})
		got := make([]byte, 1)
		_, err = io.ReadFull(c, got)
		require.NoError(t, err, "there is no deadline any more")
		assert.Equal(t, "x", string(got))
		sent.Wait()
	})
}

// The deadlines of requests that come one after the other cost a clock a second, and end no
// more than that too early.
func TestW13_DeadlinesThatNobodyWaitsForCostNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, below, other := late(t)
		const requests, pause = 100, 50 * time.Millisecond
		var sent sync.WaitGroup
		sent.Go(func() {
			for range requests {
				time.Sleep(pause)
				_, err := other.Write([]byte("x"))
				assert.NoError(t, err)
			}
		})
		for range requests { // as net/http does it
			require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
			_, err := c.Read(make([]byte, 1))
			require.NoError(t, err)
			for _, at := range []time.Time{{}, time.Now().Add(2 * time.Second), time.Now().Add(5 * time.Second), time.Unix(1, 0), {}} {
				require.NoError(t, c.SetReadDeadline(at))
				if at.Unix() == 1 { // who waits for a client that may have left is told to stop
					_, err := c.Read(make([]byte, 1))
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				}
			}
		}
		sent.Wait()
		assert.LessOrEqual(t, below.sets, int(requests*pause/time.Second)+1)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
		begin := time.Now()
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Greater(t, time.Since(begin), 59*time.Second)
		assert.LessOrEqual(t, time.Since(begin), time.Minute)
	})
}

func TestConnectionsAreClosedByHalves(t *testing.T) {
	t.Parallel()
	c, below, _ := late(t)
	half, ok := c.(interface{ CloseWrite() error })
	require.True(t, ok)
	require.NoError(t, half.CloseWrite())
	assert.True(t, below.halved)
}
