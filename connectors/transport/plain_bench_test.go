package transport

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// upstreamProcess is set in the environment of the process that plays the upstream.
const upstreamProcess = "PORTICO_BENCH_UPSTREAM"

// beUpstream answers with JSON of a few kilobytes until its standard input ends.
func beUpstream() {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	body := []byte(`{"rows":[` + strings.Repeat(`{"id":4711,"name":"Touring-1000 Blue, 54"},`, 60) + `{}]}`)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
		_, _ = w.Write(body)
	})}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Println("http://" + listener.Addr().String())
	_ = server.Serve(listener)
}

// upstreamApart starts an upstream in a process of its own, so that what this one
// computes is the client's side alone, and answers where it is.
func upstreamApart(b *testing.B) string {
	b.Helper()
	child := exec.CommandContext(b.Context(), os.Args[0])
	child.Env = append(os.Environ(), upstreamProcess+"=1")
	in, err := child.StdinPipe()
	require.NoError(b, err)
	out, err := child.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, child.Start())
	b.Cleanup(func() {
		_ = in.Close()
		_ = child.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(b, err)
	return strings.TrimSpace(line)
}

// side is one way to make a call, and what it has cost so far.
type side struct {
	call   func() error
	cpu    time.Duration
	allocs uint64
	bytes  uint64
}

func (s *side) run(b *testing.B, calls int) {
	b.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := processTime(b)
	for range calls {
		if err := s.call(); err != nil {
			b.Fatal(err)
		}
	}
	s.cpu += processTime(b) - begun
	runtime.ReadMemStats(&after)
	s.allocs += after.Mallocs - before.Mallocs
	s.bytes += after.TotalAlloc - before.TotalAlloc
}

// BenchmarkAgainstPlain makes the same calls through the stack in its shipped
// configuration and through a plain, tuned http.Client, by turns, so that both see
// the same machine. What it reports is of this process alone: the upstream is another.
func BenchmarkAgainstPlain(b *testing.B) {
	query := post(`{"ids":[4711]}`, "x")
	b.Run("read", func(b *testing.B) { againstPlain(b, Config{}, readTraits, get("x")) })
	b.Run("query", func(b *testing.B) { againstPlain(b, Config{}, readTraits, query) })
	b.Run("query-unhedged", func(b *testing.B) { againstPlain(b, Config{NoHedge: true}, readTraits, query) })
	b.Run("write", func(b *testing.B) { againstPlain(b, Config{}, writeTraits, query) })
}

func againstPlain(b *testing.B, cfg Config, traits commerce.Traits, r Request) {
	b.Helper()
	const turn = 50
	at := upstreamApart(b)
	cfg.BaseURL, cfg.AllowPrivate = at, true
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	plain := &side{call: plainCall(ctx, b, at+"/x", r)}
	stack := &side{call: stackCall(ctx, b, cfg, traits, r)}
	for _, s := range []*side{plain, stack} {
		s.run(b, 200) // hedging knows its p95, connections are there
		s.cpu, s.allocs, s.bytes = 0, 0, 0
	}
	calls := 0
	for b.Loop() {
		plain.run(b, turn)
		stack.run(b, turn)
		calls += turn
	}
	for name, s := range map[string]*side{"plain": plain, "stack": stack} {
		b.ReportMetric(float64(s.cpu.Nanoseconds())/1000/float64(calls), name+"-cpu-µs/call")
		b.ReportMetric(float64(s.allocs)/float64(calls), name+"-allocs/call")
		b.ReportMetric(float64(s.bytes)/float64(calls), name+"-B/call")
	}
	b.ReportMetric(float64(stack.cpu)/float64(plain.cpu), "cpu-ratio")
	b.ReportMetric(0, "ns/op")
}

// plainCall is a call as a careful aggregator without any of this would make it:
// pooled connections, a timeout, a body read into a buffer of its size.
func plainCall(ctx context.Context, b *testing.B, at string, r Request) func() error {
	b.Helper()
	pool := newPool(Config{AllowPrivate: true})
	b.Cleanup(pool.CloseIdleConnections)
	pool.ReadBufferSize = 0 // net/http's own
	client := &http.Client{Transport: pool}
	return func() error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		var body io.Reader
		if r.Body != nil {
			body = bytes.NewReader(r.Body)
		}
		req, err := http.NewRequestWithContext(ctx, r.Method, at, body)
		if err != nil {
			return err
		}
		req.Header.Set("Accept", "application/json")
		req.Header.Set("User-Agent", userAgent)
		if r.Body != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		_, err = io.ReadFull(res.Body, make([]byte, res.ContentLength))
		return err
	}
}

// stackCall is a call as the cache's loads make it: on a trail.
func stackCall(ctx context.Context, b *testing.B, cfg Config, traits commerce.Traits, r Request) func() error {
	b.Helper()
	c, err := New("odoo", cfg, nil, shippedDeps())
	require.NoError(b, err)
	return func() error {
		ctx, _ := commerce.WithTrail(ctx)
		_, err := c.Do(ctx, traits, r)
		return err
	}
}
