package bffmobile

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/benchtest"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/schema/commerce"
)

// appHeader is what an app sends with each request.
const appHeader = "Host: portico.test\r\nAccept-Language: fr-CH, fr;q=0.9, en;q=0.8\r\nAccept-Encoding: br, gzip\r\n"

// BenchmarkKept is a kept screen as an app asks for it, on a connection without a kernel. "whole" is the same without the quick way; "unchanged"
// is a 304 of it, "proven" one of which no answer is kept, and "config" is the smallest route.
func BenchmarkKept(b *testing.B) {
	const product, search, config = "/v1/screens/products/MUG-RED", "/v1/screens/search?q=zzz&first=1", "/v1/config"
	for _, row := range []struct {
		name, target      string
		whole             bool
		unchanged, proven bool
	}{
		{name: "quick", target: product},
		{name: "whole", target: product, whole: true},
		{name: "nothing found", target: search},
		{name: "config", target: config},
		{name: "config/unchanged", target: config, unchanged: true},
		{name: "unchanged", target: product, unchanged: true},
		{name: "proven", target: product, unchanged: true, proven: true},
	} {
		b.Run(row.name, func(b *testing.B) {
			s, c := keeping(b, func(backend *edge.Backend) {
				var err error
				backend.Telemetry, err = telemetry.New(telemetry.Config{LogLevel: slog.LevelInfo, Out: io.Discard}, "mobile")
				require.NoError(b, err)
			})
			if row.whole {
				s.app.quick.Answers = nil
			}
			s.app.server.Handler() // fiber makes its routes
			request := "GET " + row.target + " HTTP/1.1\r\n" + appHeader
			s.script(b, request+"\r\n", 2)
			res := s.script(b, request+"\r\n", 1)
			require.Equal(b, http.StatusOK, res.StatusCode)
			if row.proven {
				require.NoError(b, c.Invalidate(b.Context(), "stock:MUG-RED"))
				s.ok(b, get(row.target, "Accept-Encoding", "gzip", "Accept-Language", "fr")) // loads the stock again
			}
			want := http.StatusOK
			if row.unchanged {
				want, request = http.StatusNotModified, request+"If-None-Match: "+res.Header.Get("Etag")+"\r\n"
			}
			require.Equal(b, want, s.script(b, request+"\r\n", 1).StatusCode)
			if row.proven {
				require.Regexp(b, `portico_answers_requests_total\{[^}]*proven[^}]*\} 1\b`, s.metrics(b))
			}
			b.ReportAllocs()
			b.ResetTimer()
			used := benchtest.Processor(b)
			s.script(b, request+"\r\n", max(b.N, 2))
			b.ReportMetric(float64(benchtest.Processor(b)-used)/float64(b.N), "cpu-ns/op")
		})
	}
}

// scripted is a connection on which a request is sent so many times.
type scripted struct {
	net.Conn
	request, rest []byte
	times         int
	heard         io.Writer
}

func (c *scripted) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		if c.times == 0 {
			return 0, io.EOF
		}
		c.rest = c.request
		c.times--
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *scripted) Write(p []byte) (int, error) { return c.heard.Write(p) }
func (c *scripted) Close() error                { return nil }
func (c *scripted) LocalAddr() net.Addr         { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 8081} }

func (c *scripted) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }
func (c *scripted) SetDeadline(time.Time) error      { return nil }
func (c *scripted) SetReadDeadline(time.Time) error  { return nil }
func (c *scripted) SetWriteDeadline(time.Time) error { return nil }

// script serves a request so many times on one connection, and tells what was answered first.
func (s *shop) script(b *testing.B, request string, times int) *http.Response {
	b.Helper()
	var first bytes.Buffer
	require.NoError(b, s.app.server.Server().ServeConn(&scripted{request: []byte(request), times: 1, heard: &first}))
	if times > 1 {
		require.NoError(b, s.app.server.Server().ServeConn(&scripted{request: []byte(request), times: times - 1, heard: io.Discard}))
	}
	res, err := http.ReadResponse(bufio.NewReader(&first), nil)
	require.NoError(b, err)
	require.NoError(b, res.Body.Close())
	return res
}

// BenchmarkM9_Refused is what a request costs that there is no room for, on a connection without
// a kernel: it has to be far below what it would cost to serve.
func BenchmarkM9_Refused(b *testing.B) {
	s, _ := keeping(b, func(backend *edge.Backend) {
		backend.Config.Limits.MaxInFlight = 10
		var err error
		backend.Telemetry, err = telemetry.New(telemetry.Config{LogLevel: slog.LevelInfo, Out: io.Discard}, "mobile")
		require.NoError(b, err)
		backend.Log = backend.Telemetry.Log()
	})
	s.app.server.Handler() // fiber makes its routes
	var inside, done sync.WaitGroup
	leave := make(chan struct{})
	const room = 8 // for reads
	inside.Add(room)
	s.Hold(commerce.OpSearch, func(context.Context) { inside.Done(); <-leave })
	for i := range room {
		request := get(fmt.Sprintf("/v1/screens/search?q=mug%d", i)).request(b)
		done.Go(func() { s.quietly(request) })
	}
	inside.Wait()
	const request = "GET /v1/screens/products/MUG-RED HTTP/1.1\r\n" + appHeader + "\r\n"
	refused := s.script(b, request, 1)
	require.Equal(b, http.StatusServiceUnavailable, refused.StatusCode)
	require.Equal(b, "1", refused.Header.Get("Retry-After"))
	b.ReportAllocs()
	b.ResetTimer()
	used := benchtest.Processor(b)
	s.script(b, request, max(b.N, 2))
	b.ReportMetric(float64(benchtest.Processor(b)-used)/float64(b.N), "cpu-ns/op")
	b.StopTimer()
	close(leave)
	done.Wait()
}
