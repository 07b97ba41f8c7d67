package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/portico-bff/portico/schema/commerce"
)

// healthy answers as upstreams do: JSON of a few kilobytes.
func healthy(b *testing.B) *httptest.Server {
	b.Helper()
	body := make([]byte, 4<<10)
	for i := range body {
		body[i] = ' '
	}
	body[0], body[len(body)-1] = '{', '}'
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = w.Write(body)
	}))
	b.Cleanup(server.Close)
	return server
}

// shippedDeps are those of a process in operation: metrics on, traces off, live state on.
func shippedDeps() Deps {
	deps := quiet()
	deps.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	deps.Registry, deps.Role = NewRegistry(), "erp"
	return deps
}

// BenchmarkCall compares a call through the whole stack, in its shipped
// configuration, with a bare http.Client on the same connection pool: the
// difference is what safety costs.
func BenchmarkCall(b *testing.B) {
	b.Run("bare", benchmarkBare)
	b.Run("read", func(b *testing.B) { benchmarkStack(b, readTraits, get("x")) })
	b.Run("write", func(b *testing.B) { benchmarkStack(b, writeTraits, post("{}", "x")) })
	b.Run("on-trail", func(b *testing.B) { benchmarkOnTrail(b, readTraits, get("x")) })
}

// onCPU reports what the whole process computed for each call, the upstream's
// part included: it is the same for all, so the difference is the stack's.
func onCPU(b *testing.B) func() {
	b.Helper()
	begun := processTime(b)
	return func() {
		b.ReportMetric(float64((processTime(b)-begun).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
	}
}

func processTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func benchmarkBare(b *testing.B) {
	server := healthy(b)
	pool := newPool(Config{AllowPrivate: true})
	defer pool.CloseIdleConnections()
	client := &http.Client{Transport: pool}
	b.ReportAllocs()
	defer onCPU(b)()
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), 2*time.Second)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/x", nil)
		require.NoError(b, err)
		req.Header.Set("Accept", "application/json")
		req.Header.Set("User-Agent", userAgent)
		res, err := client.Do(req)
		require.NoError(b, err)
		_, err = io.ReadAll(res.Body)
		require.NoError(b, err)
		_ = res.Body.Close()
		cancel()
	}
}

func benchmarkStack(b *testing.B, traits commerce.Traits, r Request) {
	b.Helper()
	benchmarkWith(b, traits, r, func(ctx context.Context) context.Context { return ctx })
}

// benchmarkOnTrail is a call as the cache's loads make it: somebody may ask what it
// took, so it is recorded.
func benchmarkOnTrail(b *testing.B, traits commerce.Traits, r Request) {
	b.Helper()
	benchmarkWith(b, traits, r, func(ctx context.Context) context.Context {
		ctx, _ = commerce.WithTrail(ctx)
		return ctx
	})
}

func benchmarkWith(b *testing.B, traits commerce.Traits, r Request, each func(context.Context) context.Context) {
	b.Helper()
	server := healthy(b)
	c, err := New("odoo", Config{BaseURL: server.URL, AllowPrivate: true}, nil, shippedDeps())
	require.NoError(b, err)
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	for range 100 { // hedging knows its p95
		_, err := c.Do(ctx, traits, r)
		require.NoError(b, err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	defer onCPU(b)()
	for b.Loop() {
		_, err := c.Do(each(ctx), traits, r)
		require.NoError(b, err)
	}
}

// BenchmarkStack is a call whose upstream is in memory: what the layers alone cost,
// also on a goroutine of its own, as a load makes it, whose stack has yet to grow.
func BenchmarkStack(b *testing.B) {
	row := []byte(`{"ok":true}`)
	b.Run("grown", func(b *testing.B) { benchmarkLayers(b, row, func(call func()) { call() }) })
	b.Run("list", func(b *testing.B) {
		benchmarkLayers(b, bytes.Repeat(row, 10_000), func(call func()) { call() })
	})
	b.Run("fresh", func(b *testing.B) {
		benchmarkLayers(b, row, func(call func()) {
			var one sync.WaitGroup
			one.Go(call)
			one.Wait()
		})
	})
}

func benchmarkLayers(b *testing.B, body []byte, on func(call func())) {
	b.Helper()
	header := http.Header{"Content-Type": {"application/json"}}
	via := roundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: header, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)), Request: req}, nil
	})
	cfg, base, err := Config{BaseURL: "https://upstream.example/api"}.checked()
	require.NoError(b, err)
	c, err := newClient("odoo", cfg, nil, shippedDeps().withDefaults(), wire{base: base, via: via})
	require.NoError(b, err)
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	r := post(`{"a":1}`, "json", "2", "product.product", "search_read")
	r.Read = func(*Response) error { return nil } // as every connector does
	for range 100 {
		_, err := c.Do(ctx, readTraits, r)
		require.NoError(b, err)
	}
	b.ReportAllocs()
	defer onCPU(b)()
	for b.Loop() {
		on(func() {
			ctx, _ := commerce.WithTrail(ctx)
			if _, err := c.Do(ctx, readTraits, r); err != nil {
				b.Error(err)
			}
		})
	}
}
