package cache

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// How asking for leases ended, by key.
const (
	countGranted = iota
	countHeld
	countTaken
	countFailed
)

// leaseCounts count leases by what became of them.
type leaseCounts struct {
	counter metric.Int64Counter
	sums    [countFailed + 1]atomic.Int64
	labels  [countFailed + 1][]metric.AddOption
}

func newLeaseCounts(meter metric.Meter) (*leaseCounts, error) {
	counter, err := meter.Int64Counter("portico.cache.leases", metric.WithUnit("{key}"), metric.WithDescription(
		"Keys that were about to be loaded, by what became of their lease: granted, held by another process, taken over from one, failed."))
	c := &leaseCounts{counter: counter}
	for i, result := range []string{"granted", "held", "taken-over", "failed"} {
		c.labels[i] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String("result", result)))}
	}
	return c, err
}

func (c *leaseCounts) add(which, n int) {
	if n > 0 {
		c.sums[which].Add(int64(n))
		c.counter.Add(context.Background(), int64(n), c.labels[which]...)
	}
}
