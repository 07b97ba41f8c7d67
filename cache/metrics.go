package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/portico-bff/portico/schema/commerce"
)

// instruments count keys asked for, by operation, tier and result.
type instruments struct {
	requests      metric.Int64Counter
	remoteErrors  metric.Int64Counter
	invalidations metric.Int64Counter
	by            map[string][]metric.AddOption // of invalidations
	meter         metric.Meter

	own, others atomic.Int64 // invalidated tags

	mu    sync.Mutex
	plans map[commerce.Operation]*plan // that [Cache.Inspect] tells of
}

// served is from which tier a key was answered, and with what.
type served uint8

const (
	memoryFresh served = iota
	memoryStale
	memoryAbsent
	redisFresh
	redisStale
	upstreamFresh
	upstreamAbsent
	upstreamFailed
	upstreamLate
	uncached
)

// everyServed is every label there is, so that counting builds none.
var everyServed = [...]struct{ tier, result string }{
	memoryFresh:    {"memory", "fresh"},
	memoryStale:    {"memory", "stale"},
	memoryAbsent:   {"memory", "absent"},
	redisFresh:     {"redis", "fresh"},
	redisStale:     {"redis", "stale"},
	upstreamFresh:  {"upstream", "fresh"},
	upstreamAbsent: {"upstream", "absent"},
	upstreamFailed: {"upstream", "failed"},
	upstreamLate:   {"upstream", "late"},
	uncached:       {"none", "uncached"},
}

func newInstruments(provider metric.MeterProvider) (*instruments, error) {
	meter := provider.Meter("github.com/portico-bff/portico/cache")
	requests, err1 := meter.Int64Counter("portico.cache.requests",
		metric.WithUnit("{key}"), metric.WithDescription("Keys asked for, by operation, tier that answered, and result."))
	remoteErrors, err2 := meter.Int64Counter("portico.cache.redis.errors",
		metric.WithUnit("{error}"), metric.WithDescription("Redis calls that failed (get, put) and entries that could not be used (corrupt)."))
	invalidations, err3 := meter.Int64Counter("portico.cache.invalidations",
		metric.WithUnit("{tag}"), metric.WithDescription("Tags invalidated, by whether this process or others did."))
	return &instruments{
		requests: requests, remoteErrors: remoteErrors, invalidations: invalidations, by: byWhom(), meter: meter,
		plans: map[commerce.Operation]*plan{},
	}, errors.Join(err1, err2, err3)
}

// watch shows how n hears of others, until the function it answers is called.
func (i *instruments) watch(n *news) (func() error, error) {
	lag, err1 := i.meter.Float64ObservableGauge("portico.cache.invalidations.lag",
		metric.WithUnit("s"), metric.WithDescription("Time since everything that other processes invalidated was last known here; below one second in good health."))
	deaf, err2 := i.meter.Int64ObservableGauge("portico.cache.invalidations.deaf",
		metric.WithDescription("1 while other processes' invalidations are not heard, and Redis is not read."))
	registration, err3 := i.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveFloat64(lag, n.lag().Seconds())
		silent := int64(1)
		if n.current.Load() {
			silent = 0
		}
		o.ObserveInt64(deaf, silent)
		return nil
	}, lag, deaf)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return registration.Unregister, nil
}

func (i *instruments) invalidated(who string, n int) {
	if who == "own" {
		i.own.Add(int64(n))
	} else {
		i.others.Add(int64(n))
	}
	if n > 0 {
		i.invalidations.Add(context.Background(), int64(n), i.by[who]...)
	}
}

// byWhom are the labels of invalidations.
func byWhom() map[string][]metric.AddOption {
	labels := map[string][]metric.AddOption{}
	for _, who := range []string{"own", "others"} {
		labels[who] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String("by", who)))}
	}
	return labels
}

func (i *instruments) remoteError(ctx context.Context, what string) {
	i.remoteErrors.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(attribute.String("error", what))))
}

func labelsOf(op commerce.Operation) (labels [len(everyServed)]metric.AddOption) {
	for i, s := range everyServed {
		labels[i] = metric.WithAttributeSet(attribute.NewSet(
			attribute.String("operation", string(op)), attribute.String("tier", s.tier), attribute.String("result", s.result),
		))
	}
	return labels
}

// count adds up what one call was served.
func (i *instruments) count(ctx context.Context, r *request, results []result) {
	var counts [len(everyServed)]int64
	for n := range results {
		counts[results[n].served]++
	}
	r.plan.counts.results(results, r.sources)
	for s, n := range counts {
		if n > 0 {
			r.plan.counts.served[s].Add(n)
			i.requests.Add(ctx, n, r.plan.labels[s])
		}
	}
}
