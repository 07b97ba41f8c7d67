package transport

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// gauges show a registry's live state as metrics. Those of a system carry its
// name and role, those of an operation its name as well: constants of ours and
// of the configuration, so there are few.
type gauges struct {
	breaker  metric.Int64ObservableUpDownCounter
	latency  metric.Float64ObservableGauge
	failures metric.Float64ObservableGauge

	limit    metric.Int64ObservableUpDownCounter
	inFlight metric.Int64ObservableUpDownCounter
	queued   metric.Int64ObservableUpDownCounter
	budget   metric.Float64ObservableGauge
	hedges   metric.Float64ObservableGauge
	fanOut   metric.Float64ObservableGauge
}

// breakerStates are the values of portico.upstream.breaker.state's attribute
// "state". Each operation has one series for each, and 1 is at the one that it is
// in: over several nodes their sums say how many are in it, where an average of 0,
// 1 and 2 would say nothing.
var breakerStates = []string{breakerClosed.String(), breakerOpen.String(), breakerHalfOpen.String()}

// Measure shows the systems' live state as metrics of provider. Each collection
// takes one snapshot. Until the registration ends, or the provider is shut down,
// the registry must not be measured by it again: what is summed would count twice.
// A nil registry measures nothing.
func (r *Registry) Measure(provider metric.MeterProvider) (metric.Registration, error) {
	if r == nil {
		return noop.Registration{}, nil
	}
	meter := provider.Meter("github.com/portico-bff/portico/connectors/transport")
	g, err := newGauges(meter)
	if err != nil {
		return nil, err
	}
	return meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, s := range r.Systems() {
			g.system(o, s)
		}
		return nil
	}, g.breaker, g.latency, g.failures, g.limit, g.inFlight, g.queued, g.budget, g.hedges, g.fanOut)
}

func newGauges(meter metric.Meter) (*gauges, error) {
	var g gauges
	var errs [9]error
	g.breaker, errs[0] = meter.Int64ObservableUpDownCounter("portico.upstream.breaker.state",
		metric.WithUnit("{operation}"), metric.WithDescription("1 at the state that an operation's circuit breaker is in."))
	g.latency, errs[1] = meter.Float64ObservableGauge("portico.upstream.latency",
		metric.WithUnit("s"), metric.WithDescription("Latency of answered attempts of the last 10 to 20 seconds."))
	g.failures, errs[2] = meter.Float64ObservableGauge("portico.upstream.error.ratio",
		metric.WithUnit("1"), metric.WithDescription("Share of attempts that failed in the last 10 to 20 seconds."))
	g.limit, errs[3] = meter.Int64ObservableUpDownCounter("portico.upstream.concurrency.limit",
		metric.WithUnit("{attempt}"), metric.WithDescription("Attempts that the bulkhead lets inside at a time."))
	g.inFlight, errs[4] = meter.Int64ObservableUpDownCounter("portico.upstream.concurrency.in_flight",
		metric.WithUnit("{attempt}"), metric.WithDescription("Attempts inside the bulkhead."))
	g.queued, errs[5] = meter.Int64ObservableUpDownCounter("portico.upstream.concurrency.queued",
		metric.WithUnit("{attempt}"), metric.WithDescription("Attempts that wait for the bulkhead."))
	g.budget, errs[6] = meter.Float64ObservableGauge("portico.upstream.retry_budget",
		metric.WithUnit("{token}"), metric.WithDescription("Tokens of the retry budget; nothing is repeated at half of them or below."))
	g.hedges, errs[7] = meter.Float64ObservableGauge("portico.upstream.hedge_allowance",
		metric.WithUnit("{token}"), metric.WithDescription("Hedges that were earned and not used."))
	g.fanOut, errs[8] = meter.Float64ObservableGauge("portico.upstream.calls_per_request",
		metric.WithUnit("{call}"), metric.WithDescription("Calls for each request of a client in the last 10 to 20 seconds."))
	return &g, errors.Join(errs[:]...)
}

func (g *gauges) system(o metric.Observer, s SystemState) {
	who := []attribute.KeyValue{attribute.String("system", s.System), attribute.String("role", s.Role)}
	with := metric.WithAttributes(who...)
	o.ObserveInt64(g.limit, int64(s.Limit), with)
	o.ObserveInt64(g.inFlight, int64(s.InFlight), with)
	o.ObserveInt64(g.queued, int64(s.Queued), with)
	o.ObserveFloat64(g.budget, s.BudgetTokens, with)
	o.ObserveFloat64(g.hedges, s.HedgeTokens, with)
	o.ObserveFloat64(g.fanOut, s.CallsPerRequest, with)
	for _, op := range s.Operations {
		which := append(slices.Clip(who), attribute.String("operation", string(op.Operation)))
		if op.Step != "" {
			which = append(which, attribute.String("step", op.Step))
		}
		g.operation(o, op, which)
	}
}

// operation leaves out what is unknown: a latency of 0 would read as a very good one.
func (g *gauges) operation(o metric.Observer, s OperationState, who []attribute.KeyValue) {
	who = slices.Clip(who)
	for _, state := range breakerStates {
		var in int64
		if s.Breaker == state {
			in = 1
		}
		o.ObserveInt64(g.breaker, in, metric.WithAttributes(append(who, attribute.String("state", state))...))
	}
	if s.Calls > 0 {
		o.ObserveFloat64(g.failures, s.ErrorRate, metric.WithAttributes(who...))
	}
	if s.Calls == s.Failed {
		return
	}
	for _, q := range []struct {
		name string
		ms   float64
	}{{"0.5", s.P50Ms}, {"0.95", s.P95Ms}, {"0.99", s.P99Ms}} {
		o.ObserveFloat64(g.latency, q.ms/1000, metric.WithAttributes(append(who, attribute.String("quantile", q.name))...))
	}
}
