package web

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/portico-bff/portico/edge/telemetry"
)

// clocked is a connection that counts how often its clocks are set.
type clocked struct {
	net.Conn
	sets int
}

func (c *clocked) SetReadDeadline(t time.Time) error {
	c.sets++
	return c.Conn.SetReadDeadline(t)
}

func (c *clocked) SetWriteDeadline(t time.Time) error {
	c.sets++
	return c.Conn.SetWriteDeadline(t)
}

const (
	think = 3 * time.Second // what the long way takes
	large = 64 << 10        // more than fits into a buffer
)

// unobserved tells nobody about requests.
type unobserved struct{}

func (unobserved) ObserveRequest(context.Context, telemetry.Request) {}

// timely is a server whose connections see to their deadlines themselves. "/" answers at once,
// "/think" later, "/large" with more than fits into any buffer.
func timely(t *testing.T) *fasthttp.Server {
	t.Helper()
	app := NewServer(unobserved{})
	gate, err := NewGate(10, 0, noop.NewMeterProvider(), nil)
	require.NoError(t, err)
	Front(app, nil, gate)
	app.Get("/", func(c *fiber.Ctx) error { return c.SendString("hello") })
	app.Post("/", func(c *fiber.Ctx) error { return c.Send(c.Request().Body()) })
	app.Get("/think", func(c *fiber.Ctx) error { time.Sleep(think); return c.SendString("hello") })
	app.Get("/large", func(c *fiber.Ctx) error { return c.SendString(strings.Repeat("x", large)) })
	app.Handler() // fiber makes its routes
	timesItself(app.Server())
	return app.Server()
}

// A client that takes too long is left, whatever it is waited for.
func TestW12_ConnectionsOfSlowClientsEnd(t *testing.T) {
	t.Parallel()
	(&fasthttp.ResponseHeader{}).AppendBytes(nil) // has fasthttp begin its clock, which never ends, out of the bubble
	const get, post = "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
	ask := func(t *testing.T, c net.Conn, r *bufio.Reader, text string) {
		t.Helper()
		_, err := io.WriteString(c, text)
		require.NoError(t, err)
		answer, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
	}
	// drip sends a byte a second, until nobody takes it.
	drip := func(c net.Conn) {
		for {
			time.Sleep(time.Second)
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
		}
	}
	begun := func(text string) func(*testing.T, net.Conn, *bufio.Reader) {
		return func(t *testing.T, c net.Conn, _ *bufio.Reader) {
			_, err := io.WriteString(c, text)
			require.NoError(t, err)
		}
	}
	for name, row := range map[string]struct {
		before  func(*testing.T, net.Conn, *bufio.Reader) // until the client is slow
		dripped bool
		after   time.Duration
		deaf    bool // reads nothing
	}{
		"says nothing":                      {nil, false, readTimeout, false},
		"header":                            {begun(get + "X-Slow: "), false, readTimeout, false},
		"header, drip by drip":              {begun(get + "X-Slow: "), true, readTimeout, false},
		"first line, drip by drip":          {begun("G"), true, readTimeout, false},
		"body":                              {begun(post + "\r\n123"), false, readTimeout, false},
		"body, drip by drip":                {begun(strings.Replace(post, "9", "900", 1) + "\r\n123"), true, readTimeout, false},
		"body that it was told to continue": {begun(post + "Expect: 100-continue\r\n\r\n"), false, readTimeout, false},
		"takes no answer":                   {begun("GET /large HTTP/1.1\r\nHost: a\r\n\r\n"), false, writeTimeout, true},
		"takes no late answer":              {begun("GET /think HTTP/1.1\r\nHost: a\r\n\r\n"), false, think + writeTimeout, true},
		"takes no refusal":                  {begun("nonsense\r\n\r\n"), false, writeTimeout, true},
		"takes no refusal after an answer": {func(t *testing.T, c net.Conn, r *bufio.Reader) {
			ask(t, c, r, get+"\r\n")
			time.Sleep(idleTimeout - 2*mostEarly)
			begun("nonsense\r\n\r\n")(t, c, r)
		}, false, writeTimeout, true},
		"takes no refusal of a method": {begun("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), false, writeTimeout, true},
		"asks for nothing more": {func(t *testing.T, c net.Conn, r *bufio.Reader) {
			for range 20 {
				ask(t, c, r, get+"\r\n")
				time.Sleep(idleTimeout - 2*mostEarly)
			}
			ask(t, c, r, get+"\r\n")
		}, false, idleTimeout, false},
		"asks for nothing after a late answer": {func(t *testing.T, c net.Conn, r *bufio.Reader) {
			ask(t, c, r, "GET /think HTTP/1.1\r\nHost: a\r\n\r\n")
		}, false, idleTimeout, false},
		"asks slowly after an answer": {func(t *testing.T, c net.Conn, r *bufio.Reader) {
			ask(t, c, r, get+"\r\n")
			time.Sleep(idleTimeout - 2*mostEarly)
			begun("GET")(t, c, r)
		}, true, readTimeout, false},
		"sends a part of the next request at once": {func(t *testing.T, c net.Conn, r *bufio.Reader) {
			ask(t, c, r, get+"\r\n"+get+"X-Slow: ")
		}, true, readTimeout, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := timely(t)
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				var left time.Time
				var ended sync.WaitGroup
				ended.Go(func() {
					c := newConn(here)
					_ = server.ServeConn(c)
					left = time.Now()
					_ = c.Close()
				})
				r := bufio.NewReader(there)
				if row.before != nil {
					row.before(t, there, r)
				}
				begin := time.Now()
				if row.dripped {
					ended.Go(func() { drip(there) })
				}
				if !row.deaf {
					_, _ = io.Copy(io.Discard, r)
				}
				ended.Wait()
				took := left.Sub(begin)
				assert.LessOrEqual(t, took, row.after)
				assert.Greater(t, took, row.after-mostEarly)
				require.NoError(t, there.Close())
			})
		})
	}
}

// Who asks in time is answered for as long as they like, and their clocks are set about once a second.
func TestW12_DeadlinesThatNobodyWaitsForCostNothing(t *testing.T) {
	t.Parallel()
	(&fasthttp.ResponseHeader{}).AppendBytes(nil)
	server := timely(t)
	synctest.Test(t, func(t *testing.T) {
		const requests, pause = 2000, 50 * time.Millisecond
		here, there := net.Pipe()
		below := &clocked{Conn: here}
		var ended sync.WaitGroup
		ended.Go(func() { assert.NoError(t, server.ServeConn(newConn(below))) })
		r := bufio.NewReader(there)
		for range requests {
			time.Sleep(pause)
			_, err := io.WriteString(there, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			require.NoError(t, err)
			answer, err := http.ReadResponse(r, nil)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
		}
		require.NoError(t, there.Close())
		ended.Wait()
		assert.LessOrEqual(t, below.sets, 2*int(requests*pause/time.Second)+4)
	})
}
