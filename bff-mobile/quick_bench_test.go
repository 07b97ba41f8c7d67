package bffmobile

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/telemetry"
)

// BenchmarkKept is a kept screen as an app asks for it, from the server's handler on:
// without reading, writing and the kernel. "whole" is the same without the quick way.
func BenchmarkKept(b *testing.B) {
	const request = "GET /v1/screens/products/MUG-RED HTTP/1.1\r\nHost: portico.test\r\nAccept-Language: fr-CH, fr;q=0.9, en;q=0.8\r\nAccept-Encoding: br, gzip\r\n\r\n"
	for _, name := range []string{"quick", "whole"} {
		b.Run(name, func(b *testing.B) {
			s, _ := keeping(b, func(backend *edge.Backend) {
				var err error
				backend.Telemetry, err = telemetry.New(telemetry.Config{LogLevel: slog.LevelInfo, Out: io.Discard}, "mobile")
				require.NoError(b, err)
			})
			if name == "whole" {
				s.app.quick.Answers = nil
			}
			s.app.server.Handler() // fiber makes its routes
			handle := s.app.server.Server().Handler
			var c fasthttp.RequestCtx
			ask := func() {
				c.Response.Reset()
				c.ResetUserValues()
				handle(&c)
			}
			c.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}, nil)
			require.NoError(b, c.Request.Read(bufio.NewReader(strings.NewReader(request))))
			ask()
			ask()
			require.Equal(b, fasthttp.StatusOK, c.Response.StatusCode(), string(c.Response.Body()))
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
		})
	}
}
