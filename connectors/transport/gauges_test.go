package transport

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/portico-bff/portico/schema/commerce"
)

// sick is a client of an upstream that answered 25 reads of the stock in 40 ms
// each and has failed since, until the breaker opened; and its registry.
func sick(t *testing.T) (*Client, *Registry) {
	t.Helper()
	cfg, base, err := Config{BaseURL: "https://upstream.example", MaxAttempts: 1, MaxConcurrent: 16}.checked()
	require.NoError(t, err)
	r := NewRegistry()
	deps := quiet()
	deps.Registry, deps.Role = r, "erp"
	steps := make([]step, 25, 26)
	for i := range steps {
		steps[i] = step{status: http.StatusOK, body: "{}", takes: 40 * time.Millisecond}
	}
	upstream := &script{steps: append(steps, step{status: http.StatusServiceUnavailable})}
	c, err := newClient("odoo", cfg, nil, deps.withDefaults(), wire{base: base, via: upstream})
	require.NoError(t, err)
	for range 50 {
		r.ClientRequest()
		_, _ = do(t, c, readTraits, get())
	}
	return c, r
}

// collected is what can be read: metric → attributes → value.
func collected(t *testing.T, reader metric.Reader) map[string]map[string]float64 {
	t.Helper()
	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &got))
	found := map[string]map[string]float64{}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			found[m.Name] = points(m.Data)
		}
	}
	return found
}

func points(data metricdata.Aggregation) map[string]float64 {
	found := map[string]float64{}
	add := func(set attribute.Set, value float64) { found[set.Encoded(attribute.DefaultEncoder())] = value }
	switch data := data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, float64(p.Value))
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, p.Value)
		}
	}
	return found
}

func TestEveryPartOfTheLiveStateIsMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, r := sick(t)
		reader := metric.NewManualReader()
		registration, err := r.Measure(metric.NewMeterProvider(metric.WithReader(reader)))
		require.NoError(t, err)
		state := r.Systems()[0]
		op := state.Operations[0]
		require.Equal(t, "open", op.Breaker)

		const system, operation = "role=erp,system=odoo", "operation=inventory.availability,role=erp,system=odoo"
		in := func(state string) string {
			return "operation=inventory.availability,role=erp,state=" + state + ",system=odoo"
		}
		one := func(value float64) map[string]float64 { return map[string]float64{system: value} }
		assert.Equal(t, map[string]map[string]float64{
			"portico.upstream.breaker.state":         {in("closed"): 0, in("open"): 1, in("half-open"): 0},
			"portico.upstream.concurrency.limit":     one(float64(state.Limit)),
			"portico.upstream.concurrency.in_flight": one(0),
			"portico.upstream.concurrency.queued":    one(0),
			"portico.upstream.retry_budget":          one(0),
			"portico.upstream.hedge_allowance":       one(c.hedges.left()),
			"portico.upstream.calls_per_request":     one(1),
			"portico.upstream.error.ratio":           {operation: op.ErrorRate},
			"portico.upstream.latency": {
				"operation=inventory.availability,quantile=0.5,role=erp,system=odoo":  op.P50Ms / 1000,
				"operation=inventory.availability,quantile=0.95,role=erp,system=odoo": op.P95Ms / 1000,
				"operation=inventory.availability,quantile=0.99,role=erp,system=odoo": op.P99Ms / 1000,
			},
		}, collected(t, reader))
		assert.Equal(t, 16, state.Limit)
		assert.InDelta(t, 40, op.P50Ms, 4)
		assert.InDelta(t, 0.5, op.ErrorRate, 0.1)

		require.NoError(t, registration.Unregister())
		assert.Empty(t, collected(t, reader), "nothing is left of it")
	})
}

// A breaker that lets calls through again is seen as closed, and what is not
// known any more is not there.
func TestARecoveredSystemIsMeasuredAsSuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, r := sick(t)
		c.operationOf(readTraits.Operation, "").breaker.close()
		time.Sleep(time.Minute)
		reader := metric.NewManualReader()
		_, err := r.Measure(metric.NewMeterProvider(metric.WithReader(reader)))
		require.NoError(t, err)
		got := collected(t, reader)
		assert.InDelta(t, 1, got["portico.upstream.breaker.state"]["operation=inventory.availability,role=erp,state=closed,system=odoo"], 0)
		assert.NotContains(t, got, "portico.upstream.latency")
		assert.NotContains(t, got, "portico.upstream.error.ratio")
		assert.Equal(t, map[string]float64{"role=erp,system=odoo": 0}, got["portico.upstream.calls_per_request"])
	})
}

func TestNothingIsMeasuredWithoutARegistry(t *testing.T) {
	t.Parallel()
	var r *Registry
	reader := metric.NewManualReader()
	registration, err := r.Measure(metric.NewMeterProvider(metric.WithReader(reader)))
	require.NoError(t, err)
	assert.Empty(t, collected(t, reader))
	require.NoError(t, registration.Unregister())
}

// What is refused on our side is counted by its reason.
func TestRefusedCallsAreCountedByReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader := metric.NewManualReader()
		cfg, base, err := Config{BaseURL: "https://upstream.example", MaxConcurrent: 1}.checked()
		require.NoError(t, err)
		deps := quiet()
		deps.Meter = metric.NewMeterProvider(metric.WithReader(reader))
		upstream := &script{steps: []step{{status: http.StatusOK, body: "{}", takes: time.Second}, {status: http.StatusServiceUnavailable}}}
		c, err := newClient("odoo", cfg, nil, deps.withDefaults(), wire{base: base, via: upstream})
		require.NoError(t, err)
		go func() { _, _ = c.Do(t.Context(), readTraits, get()) }()
		synctest.Wait()
		_, err = do(t, c, readTraits, get())
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		time.Sleep(time.Second)
		for range 40 {
			_, _ = do(t, c, readTraits, get())
		}
		calls := map[string]float64{}
		for _, reason := range []commerce.Reason{commerce.ReasonBulkheadFull, commerce.ReasonBudgetSpent, commerce.ReasonBreakerOpen} {
			calls[string(reason)] = collected(t, reader)["portico.upstream.calls"]["operation=inventory.availability,outcome="+string(reason)+",role=,system=odoo"]
		}
		assert.InDelta(t, 1, calls["bulkhead-full"], 0)
		assert.Positive(t, calls["budget-spent"])
		assert.Positive(t, calls["breaker-open"])
	})
}
