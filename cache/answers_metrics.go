package cache

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// measure prepares the count of a channel's answers, with every label there is.
func (a *Answers) measure(provider metric.MeterProvider, channel string) error {
	meter := provider.Meter("github.com/portico-bff/portico/cache")
	var err1, err2 error
	a.counter, err1 = meter.Int64Counter("portico.answers.requests",
		metric.WithUnit("{request}"), metric.WithDescription("Requests by how they were answered: hit, miss, shared, or bypass for what is not kept."))
	_, err2 = meter.Int64ObservableGauge("portico.answers.bytes", metric.WithUnit("By"),
		metric.WithDescription("Memory that kept answers take, estimated."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(a.table.WeightedSize()))
			return nil
		}))
	a.labels = map[Result][]metric.AddOption{}
	for _, r := range []Result{Hit, Miss, Shared, Bypass} {
		a.labels[r] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
			attribute.String("channel", channel), attribute.String("result", string(r))))}
	}
	return errors.Join(err1, err2)
}

// Count counts a request that was answered with result. What [Answers.Kept] and
// [Answers.Do] answer is counted by them.
func (a *Answers) Count(ctx context.Context, result Result) {
	if a != nil {
		a.counter.Add(ctx, 1, a.labels[result]...)
		a.counts[placeOfResult(result)].Add(1)
	}
}

func (a *Answers) counted(result Result) int64 { return a.counts[placeOfResult(result)].Load() }

func placeOfResult(r Result) int {
	switch r {
	case Hit:
		return 0
	case Miss:
		return 1
	case Shared:
		return 2
	default:
		return 3
	}
}
