package bffweb

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/edge"
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

// answerPath is the channel's executor with its answers, over the imitated systems, and
// nothing before it: no log, no trace, no token. Whoever calls it says the market. skus
// are some of what is sold.
func answerPath(b *testing.B) (h http.Handler, skus []string) {
	b.Helper()
	systems := sandboxtest.Start(b)
	cfg, err := Load(append([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true"}, sandbox.Environ(systems.URL)...))
	require.NoError(b, err)
	cfg.Telemetry.Out = io.Discard
	backend, err := edge.New(b.Context(), cfg.Config, "web")
	require.NoError(b, err)
	b.Cleanup(func() { assert.NoError(b, backend.Close(context.Background())) })
	found, err := backend.Ports.Search.Search(b.Context(), benchMarket, commerce.SearchQuery{First: 50})
	require.NoError(b, err)
	for _, sku := range found.SKUs {
		skus = append(skus, string(sku))
	}
	require.Len(b, skus, 50)
	published, err := publications(b.Context(), backend, cfg)
	require.NoError(b, err)
	b.Cleanup(published.Close)
	transport, exec := graphQL(stack{Backend: backend, verifier: backend.Identity, published: published}, Config{})
	return transport.Handler(exec), skus
}

var benchMarket = commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}

// serveBench serves h on a connection to this machine.
func serveBench(b *testing.B, h http.Handler) string {
	b.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.BaseContext = func(net.Listener) context.Context {
		return caller.WithMarket(context.Background(), benchMarket)
	}
	s.Start()
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
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
func bareOf(header http.Header, body []byte) http.Handler {
	type pair struct{ name, value string }
	var list []pair
	for name, values := range header {
		if name != "Date" { // is the server's
			list = append(list, pair{name, values[0]})
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for _, p := range list {
			h.Set(p.name, p.value)
		}
		_, _ = w.Write(body)
	})
}

const (
	benchPage = `query Page($sku:String!){product(sku:$sku){sku name brand description price{unit{amount currency formatted}} availability{quantity inStock} reviews{count} categories{id name} images(width:400){url} related{sku name price{unit{amount formatted}} images(width:200){url}}}}`
	benchList = `query List($skus:[String!]!){products(skus:$skus){sku name price{unit{amount currency formatted}} availability{inStock} images(width:200){url}}}`
)

// BenchmarkAnswerHit is requests per second of a kept answer, as a share of those of a
// bare net/http handler that writes the same bytes, headers and all, over real
// connections.
func BenchmarkAnswerHit(b *testing.B) {
	h, skus := answerPath(b)
	type asked struct{ name, query, variables string }
	list := func(n int) string { return `{"skus":["` + strings.Join(skus[:n], `","`) + `"]}` }
	for _, c := range []asked{
		{"product", benchPage, `{"sku":"` + skus[7] + `"}`}, {"list of 24", benchList, list(24)}, {"list of 50", benchList, list(50)},
	} {
		requests := map[string]string{
			"GET":  "GET /graphql?" + url.Values{"query": {c.query}, "variables": {c.variables}}.Encode() + " HTTP/1.1\r\nHost: portico.test\r\n\r\n",
			"POST": `{"query":` + strconv.Quote(c.query) + `,"variables":` + c.variables + `}`,
		}
		requests["POST"] = fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: portico.test\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			len(requests["POST"]), requests["POST"])
		for _, method := range []string{"GET", "POST"} {
			b.Run(method+" "+c.name, func(b *testing.B) {
				request := []byte(requests[method])
				ours := serveBench(b, h)
				exchange(b, ours, request)
				header, body := exchange(b, ours, request)
				bare := serveBench(b, bareOf(header, body))
				sameBytes(b, exchangeOf(b, ours, request), exchangeOf(b, bare, request))
				compare(b, ours, bare, request)
				b.ReportMetric(float64(len(body)), "bytes")
			})
		}
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
