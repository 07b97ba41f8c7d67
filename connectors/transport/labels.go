package transport

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// labels are a metric's attributes in the forms that its instruments want, made
// once for each outcome of an operation.
type labels struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

// labelSets are an operation's labels by outcome.
type labelSets struct {
	mu        sync.RWMutex
	byOutcome map[string]*labels
}

func (c *Client) labels(op *operation, outcome string) *labels {
	op.labels.mu.RLock()
	known := op.labels.byOutcome[outcome]
	op.labels.mu.RUnlock()
	if known != nil {
		return known
	}
	set := metric.WithAttributeSet(attribute.NewSet(
		attribute.String("system", c.system),
		attribute.String("role", c.deps.Role),
		attribute.String("operation", string(op.name)),
		attribute.String("outcome", outcome),
	))
	made := &labels{add: []metric.AddOption{set}, record: []metric.RecordOption{set}}
	op.labels.mu.Lock()
	defer op.labels.mu.Unlock()
	if op.labels.byOutcome == nil {
		op.labels.byOutcome = map[string]*labels{}
	}
	op.labels.byOutcome[outcome] = made
	return made
}
