package bffmobile

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/bff-mobile/internal/rest"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
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

// spent is how long n requests to addr take on eight connections.
func spent(b *testing.B, addr string, request []byte, n int) time.Duration {
	b.Helper()
	const connections = 8
	clients := make([]*client, connections)
	for i := range clients {
		conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", addr)
		require.NoError(b, err)
		clients[i] = &client{conn, bufio.NewReaderSize(conn, 64<<10), request}
	}
	errs := make([]error, connections)
	start := time.Now()
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
	took := time.Since(start)
	for i, c := range clients {
		require.NoError(b, errs[i])
		require.NoError(b, c.conn.Close())
	}
	return took
}

// serveBench serves app on a connection to this machine.
func serveBench(b *testing.B, app *fiber.App) string {
	b.Helper()
	ln, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	var done sync.WaitGroup
	done.Go(func() { _ = app.Listener(ln) })
	b.Cleanup(func() {
		require.NoError(b, app.Shutdown())
		done.Wait()
	})
	return ln.Addr().String()
}

// BenchmarkAnswerHit is requests per second of a kept screen, as a share of those of a
// bare fiber handler that writes the same bytes, over real connections. Before both
// stands what resolves market and caller.
func BenchmarkAnswerHit(b *testing.B) {
	const path, rounds, each = "/v1/screens/products/MUG-RED", 15, 4_000
	var ours *fiber.App
	var identify fiber.Handler
	open(b, func(backend *edge.Backend) {
		cfg := cache.Config{AnswerBytes: 4 << 20, SurrogateKeys: true}
		c, err := cache.New(cfg, cache.Deps{Log: backend.Log})
		require.NoError(b, err)
		backend.Ports = c.Wrap(backend.Ports)
		answers, err := cache.NewAnswers(c, cfg, "mobile", backend.Telemetry.Meter())
		require.NoError(b, err)
		b.Cleanup(func() {
			answers.Close()
			require.NoError(b, c.Close())
		})
		ours, identify = web.NewServer(backend.Telemetry), web.Identify(backend.Markets, tokens{})
		api := &rest.API{Screens: &screen.Screens{Ports: backend.Ports, Log: backend.Log, HomePage: "home"}, Ports: backend.Ports, Answers: answers}
		for _, r := range api.Routes() {
			ours.Add(r.Method, r.Path, identify, r.Handle)
		}
	})
	res, err := ours.Test(get(path).request(b), -1)
	require.NoError(b, err)
	var body bytes.Buffer
	_, err = body.ReadFrom(res.Body)
	require.NoError(b, err)
	require.NoError(b, res.Body.Close())
	require.Equal(b, http.StatusOK, res.StatusCode, body.String())

	bare := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	bare.Get("/v1/screens/products/:sku", identify, func(c *fiber.Ctx) error {
		for name, values := range res.Header {
			if name != fiber.HeaderContentLength && name != fasthttp.HeaderDate {
				c.Set(name, values[0])
			}
		}
		return c.Send(body.Bytes())
	})
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: portico.test\r\n\r\n")
	mine, theirs := serveBench(b, ours), serveBench(b, bare)
	spent(b, mine, request, each)
	spent(b, theirs, request, each)
	var ratios, rps []float64
	for b.Loop() {
		for range rounds {
			t, m := spent(b, theirs, request, each), spent(b, mine, request, each)
			ratios, rps = append(ratios, t.Seconds()/m.Seconds()), append(rps, each/m.Seconds())
		}
	}
	slices.Sort(ratios)
	slices.Sort(rps)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(rps[len(rps)/2], "ours-rps")
	b.ReportMetric(0, "ns/op")
}
