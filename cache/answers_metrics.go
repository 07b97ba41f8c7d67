package cache

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// everyResult is what requests are counted by; a result's place is where.
var everyResult = [...]Result{Hit, Miss, Shared, Bypass, Proven}

// measure has the counts of a channel's answers read whenever metrics are: a hit costs
// an addition and nothing else.
func (a *Answers) measure(provider metric.MeterProvider, channel string) error {
	meter := provider.Meter("github.com/portico-bff/portico/cache")
	var labels [len(everyResult)]metric.ObserveOption
	for i, r := range everyResult {
		labels[i] = metric.WithAttributeSet(attribute.NewSet(attribute.String("channel", channel), attribute.String("result", string(r))))
	}
	_, err1 := meter.Int64ObservableCounter("portico.answers.requests",
		metric.WithUnit("{request}"), metric.WithDescription("Requests by how they were answered: hit, miss, shared, bypass for what is not kept, or proven for what the caller has already."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			for i := range everyResult {
				o.Observe(a.counts[i].Load(), labels[i])
			}
			return nil
		}))
	_, err2 := meter.Int64ObservableGauge("portico.answers.bytes", metric.WithUnit("By"),
		metric.WithDescription("Memory that kept answers, and what they were made of, take, estimated."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			bytes := a.table.WeightedSize()
			if t := a.recipes.Load(); t != nil {
				bytes += t.WeightedSize()
			}
			o.Observe(int64(bytes))
			return nil
		}))
	return errors.Join(err1, err2)
}

// Count counts a request that was answered with result. What [Answers.Kept] and
// [Answers.Do] answer is counted by them.
func (a *Answers) Count(result Result) {
	if a != nil {
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
	case Proven:
		return 4
	default:
		return 3
	}
}
