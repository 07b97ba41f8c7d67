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
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/cache"
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

// compare measures the requests per second of ours as a share of those of bare, in
// rounds that take turns; the median counts.
func compare(b *testing.B, ours, bare string, request []byte) {
	b.Helper()
	const rounds, each = 15, 4_000
	spent(b, ours, request, each)
	spent(b, bare, request, each)
	var ratios, mine, theirs []float64
	for b.Loop() {
		for range rounds {
			t := spent(b, bare, request, each).Seconds()
			m := spent(b, ours, request, each).Seconds()
			ratios, mine, theirs = append(ratios, t/m), append(mine, each/m), append(theirs, each/t)
		}
	}
	for unit, list := range map[string][]float64{"ratio": ratios, "ours-rps": mine, "bare-rps": theirs} {
		slices.Sort(list)
		b.ReportMetric(list[len(list)/2], unit)
	}
	b.ReportMetric(0, "ns/op")
}

// answerPath is the executor with its answers and nothing before it but the market
// and a caller who is nobody: no log, no trace, no token.
func answerPath(b *testing.B) http.Handler {
	b.Helper()
	var graph http.Handler
	open(b, func(backend *edge.Backend) {
		cfg := cache.Config{AnswerBytes: 4 << 20, SurrogateKeys: true}
		c, err := cache.New(cfg, cache.Deps{Log: backend.Log})
		require.NoError(b, err)
		backend.Ports = c.Wrap(backend.Ports)
		backend.Answers, err = cache.NewAnswers(c, cfg, "web", backend.Telemetry.Meter())
		require.NoError(b, err)
		b.Cleanup(func() {
			backend.Answers.Close()
			require.NoError(b, c.Close())
		})
		graph = graphQL(backend)
	})
	return graph
}

// inMarket is ctx of requests whose market is resolved.
func inMarket(ctx context.Context) context.Context {
	return caller.WithMarket(ctx, commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"})
}

// serveBench serves h on a connection to this machine.
func serveBench(b *testing.B, h http.Handler) string {
	b.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.BaseContext = func(net.Listener) context.Context { return inMarket(context.Background()) }
	s.Start()
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// bareOf writes what h answers to r, and nothing else.
func bareOf(b *testing.B, h http.Handler, r *http.Request) http.Handler {
	b.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	require.Equal(b, http.StatusOK, rec.Code, rec.Body)
	body, header := rec.Body.Bytes(), rec.Result().Header
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, values := range header {
			w.Header().Set(name, values[0])
		}
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(body)
	})
}

const listQuery = `query List($skus:[String!]!){products(skus:$skus){sku name brand description price{unit{amount currency formatted}} images{url} related{sku name price{unit{amount}}}} categories{id name}}`

// BenchmarkAnswerHit is requests per second of a kept answer, as a share of those of a
// bare net/http handler that writes the same bytes, over real connections.
func BenchmarkAnswerHit(b *testing.B) {
	page := `{"skus":["MUG-RED"]}`
	list := `{"skus":["MUG-RED"` + strings.Repeat(`,"BOWL-1"`, 99) + `]}`
	type request struct{ method, target, body string }
	get := func(variables string) request {
		return request{http.MethodGet, "/graphql?" + url.Values{"query": {listQuery}, "variables": {variables}}.Encode(), ""}
	}
	post := func(variables string) request {
		return request{http.MethodPost, "/graphql", `{"query":` + strconv.Quote(listQuery) + `,"variables":` + variables + `}`}
	}
	for name, c := range map[string]request{
		"GET a product": get(page), "POST a product": post(page), "GET a list of 100": get(list), "POST a list of 100": post(list),
	} {
		b.Run(name, func(b *testing.B) {
			ours := answerPath(b)
			make := func() *http.Request {
				r := httptest.NewRequestWithContext(inMarket(b.Context()), c.method, "http://portico.test"+c.target, strings.NewReader(c.body))
				r.Header.Set("Content-Type", "application/json")
				return r
			}
			bare := bareOf(b, ours, make())
			var wire bytes.Buffer
			require.NoError(b, make().Write(&wire))
			compare(b, serveBench(b, ours), serveBench(b, bare), wire.Bytes())
		})
	}
}
