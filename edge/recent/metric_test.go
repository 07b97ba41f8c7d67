package recent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestWhatIsNotWellIsAMetricToo(t *testing.T) {
	t.Parallel()
	reader := sdk.NewManualReader()
	r := New(Config{Slow: time.Second}) // keeps none
	require.NoError(t, r.Measure(sdk.NewMeterProvider(sdk.WithReader(reader))))
	r.Observe(t.Context(), &Request{Status: 503})
	r.Observe(t.Context(), &Request{Status: 200, Made: &Made{Degraded: true}})
	r.Observe(t.Context(), &Request{Status: 200, Made: &Made{Degraded: true}, Duration: time.Minute})
	r.Observe(t.Context(), &Request{Status: 200, Duration: time.Second})
	r.Observe(t.Context(), &Request{Status: 200})
	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &got))
	require.Len(t, got.ScopeMetrics, 1)
	require.Len(t, got.ScopeMetrics[0].Metrics, 1)
	impaired := got.ScopeMetrics[0].Metrics[0]
	assert.Equal(t, "portico.requests.impaired", impaired.Name)
	sum, ok := impaired.Data.(metricdata.Sum[int64])
	require.True(t, ok)
	assert.True(t, sum.IsMonotonic)
	counts := map[string]int64{}
	for _, point := range sum.DataPoints {
		kind, _ := point.Attributes.Value("kind")
		counts[kind.AsString()] = point.Value
	}
	assert.Equal(t, map[string]int64{"failed": 1, "degraded": 2, "slow": 1}, counts)
}
