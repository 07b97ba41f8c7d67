package telemetry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// rounding is what two sums of the same numbers may differ by.
var rounding = regexp.MustCompile(`(_sum\{.* [0-9]+\.[0-9]{6})[0-9]*`)

// scraped are the lines of what a scrape reads that begin so, sorted, but for roundings.
func scraped(t *testing.T, h http.Handler, prefix string) (lines []string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), prefix) {
			lines = append(lines, rounding.ReplaceAllString(line, "$1"))
		}
	}
	slices.Sort(lines)
	return lines
}

// A scrape reads of our histogram what it would of the SDK's, letter for letter.
func TestDurationsAreAsTheSDKMeasuresThem(t *testing.T) {
	t.Parallel()
	tel, err := New(Config{Out: &discarding{}}, "web")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tel.Close(context.Background())) })
	require.Empty(t, scraped(t, tel.Handler(), "http_server"), "nothing was measured yet")

	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	require.NoError(t, err)
	theirs := sdk.NewMeterProvider(sdk.WithReader(reader))
	t.Cleanup(func() { require.NoError(t, theirs.Shutdown(context.Background())) })
	histogram, err := theirs.Meter("github.com/portico-bff/portico/edge").Float64Histogram("http.server.request.duration",
		metric.WithUnit("s"), metric.WithDescription("Duration of requests."), metric.WithExplicitBucketBoundaries(buckets[:]...))
	require.NoError(t, err)

	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 3000 {
		took := time.Duration(rng.Int64N(int64(1) << rng.IntN(36)))
		if i < len(buckets) {
			took = time.Duration(buckets[i] * float64(time.Second)) // right at a bound
		}
		route, status := []string{"/v1/screens/home", "/v1/carts/:id"}[rng.IntN(2)], []int{200, 304, 503}[rng.IntN(3)]
		tel.ObserveRequest(t.Context(), Request{Method: "GET", Route: route, Status: status, Duration: took})
		histogram.Record(t.Context(), took.Seconds(), metric.WithAttributes(attribute.String("http.request.method", "GET"),
			attribute.String("http.route", route), attribute.Int("http.response.status_code", status)))
	}
	want := scraped(t, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), "http_server_request_duration_seconds")
	require.Greater(t, len(want), 6*len(buckets))
	assert.Equal(t, want, scraped(t, tel.Handler(), "http_server_request_duration_seconds"))
}

// What is not told apart any more is still measured.
func TestKindsOfRequestsAreBounded(t *testing.T) {
	t.Parallel()
	const asking = 4
	var s durations
	var wg sync.WaitGroup
	for range asking {
		wg.Go(func() {
			for status := range 2 * maxAlike {
				s.of("GET", "/", status).measure(time.Millisecond)
			}
		})
	}
	wg.Wait()
	assert.Len(t, *s.known.Load(), maxAlike)
	assert.Same(t, s.of("GET", "/", 200), s.of("GET", "/", 200))
	assert.NotSame(t, s.of("GET", "/", 200), s.of("GET", "/", 201))
	for _, a := range *s.known.Load() {
		assert.EqualValues(t, asking, a.point(time.Now()).Count)
	}
	others := s.others.Load().point(time.Now())
	assert.EqualValues(t, asking*maxAlike, others.Count)
	assert.InDelta(t, asking*maxAlike*0.001, others.Sum, 1e-6)
	told, err := s.Produce(t.Context())
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(told), "otel.metric.overflow")
}
