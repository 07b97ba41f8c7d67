package bffmobile

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/rest"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/schema/commerce"
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
	start, used := time.Now(), processor(b)
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
	took := cost{time.Since(start), processor(b) - used}
	for i, c := range clients {
		require.NoError(b, errs[i])
		require.NoError(b, c.conn.Close())
	}
	return took
}

// processor is the processor time that this process has used.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// compare measures the requests per second of ours as a share of those of bare, in many
// short rounds that take turns, so that what else the machine does hits both alike; the
// medians count. cpu-ratio is the same of requests per second of processor time.
func compare(b *testing.B, ours, bare string, request []byte) {
	b.Helper()
	const rounds, each = 101, 400
	spent(b, ours, request, each)
	spent(b, bare, request, each)
	figures := map[string][]float64{}
	note := func(unit string, value float64) { figures[unit] = append(figures[unit], value) }
	for b.Loop() {
		for i := range rounds {
			var mine, theirs cost
			if i%2 == 0 {
				mine, theirs = spent(b, ours, request, each), spent(b, bare, request, each)
			} else {
				theirs, mine = spent(b, bare, request, each), spent(b, ours, request, each)
			}
			note("ratio", theirs.wall.Seconds()/mine.wall.Seconds())
			note("cpu-ratio", theirs.cpu.Seconds()/mine.cpu.Seconds())
			note("ours-rps", each/mine.wall.Seconds())
			note("bare-rps", each/theirs.wall.Seconds())
		}
	}
	for unit, list := range figures {
		slices.Sort(list)
		b.ReportMetric(list[len(list)/2], unit)
	}
	b.ReportMetric(0, "ns/op")
}

// benchMarket is the market, and nobody the caller, of every request.
type benchMarket struct{}

func (benchMarket) Resolve(market.Hints) (commerce.Market, error) {
	return commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}, nil
}

func (benchMarket) PriceGroup(commerce.Market, commerce.Principal) commerce.PriceGroup {
	return "retail"
}

func (benchMarket) Verify(context.Context, string) (commerce.Principal, error) {
	return commerce.Principal{Tenant: "default"}, nil
}

// answerPath is the channel's server with its handlers and their answers, over the
// imitated systems, and nothing before them but what says the market: no log, no trace,
// no token.
func answerPath(b *testing.B) (app *fiber.App, product string) {
	b.Helper()
	systems := sandboxtest.Start(b)
	cfg, err := Load(append([]string{"PORTICO_MODE=development"}, sandbox.Environ(systems.URL)...))
	require.NoError(b, err)
	cfg.Telemetry.Out = io.Discard
	backend, err := edge.New(b.Context(), cfg.Config, "mobile")
	require.NoError(b, err)
	b.Cleanup(func() { assert.NoError(b, backend.Close(context.Background())) })
	app = web.NewServer(backend.Telemetry)
	api := &rest.API{Screens: &screen.Screens{Ports: backend.Ports, Log: backend.Log, HomePage: "home"}, Ports: backend.Ports, Answers: backend.Answers}
	for _, r := range api.Routes() {
		app.Add(r.Method, r.Path, web.Identify(benchMarket{}, benchMarket{}), r.Handle)
	}
	return app, string(systems.Fixture().Products[0])
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

// exchange sends one request, and answers what came back.
func exchange(b *testing.B, addr string, request []byte) (http.Header, []byte) {
	b.Helper()
	conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", addr)
	require.NoError(b, err)
	_, err = conn.Write(request)
	require.NoError(b, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(b, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(b, err)
	require.NoError(b, res.Body.Close())
	require.NoError(b, conn.Close())
	require.Equal(b, http.StatusOK, res.StatusCode, string(body))
	return res.Header, body
}

// bareOf writes what was answered, and looks at nothing.
func bareOf(path string, header http.Header, body []byte) *fiber.App {
	type pair struct{ name, value string }
	var list []pair
	for name, values := range header {
		if name != fiber.HeaderDate && name != fiber.HeaderContentLength { // are the server's
			list = append(list, pair{name, values[0]})
		}
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Get(path, func(c *fiber.Ctx) error {
		for _, p := range list {
			c.Set(p.name, p.value)
		}
		return c.Send(body)
	})
	return app
}

// BenchmarkAnswerHit is requests per second of a kept screen, as a share of those of a
// bare fiber handler that writes the same bytes, headers and all, over real connections.
func BenchmarkAnswerHit(b *testing.B) {
	app, product := answerPath(b)
	ours := serveBench(b, app)
	for name, c := range map[string]struct{ path, target string }{
		"product":    {"/v1/screens/products/:sku", "/v1/screens/products/" + product},
		"list of 24": {"/v1/screens/search", "/v1/screens/search?first=24"},
		"list of 50": {"/v1/screens/search", "/v1/screens/search?q=bike&first=50&sort=PRICE_ASC"},
	} {
		b.Run(name, func(b *testing.B) {
			request := []byte("GET " + c.target + " HTTP/1.1\r\nHost: portico.test\r\n\r\n")
			exchange(b, ours, request)
			header, body := exchange(b, ours, request)
			bare := serveBench(b, bareOf(c.path, header, body))
			sameBytes(b, exchangeOf(b, ours, request), exchangeOf(b, bare, request))
			compare(b, ours, bare, request)
			b.ReportMetric(float64(len(body)), "bytes")
		})
	}
}

// reply is what came back, but for what the time of day says.
type reply struct {
	header http.Header
	body   string
}

func exchangeOf(b *testing.B, addr string, request []byte) reply {
	b.Helper()
	header, body := exchange(b, addr, request)
	header.Del("Date")
	header.Del("Age")
	return reply{header, string(body)}
}

func sameBytes(b *testing.B, ours, bare reply) {
	b.Helper()
	require.NotEmpty(b, ours.body)
	require.Equal(b, ours, bare)
}
