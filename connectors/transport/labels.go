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
type labelSets struct{ byOutcome sync.Map }

func (c *Client) labels(op *operation, outcome string) *labels {
	if known, ok := op.labels.byOutcome.Load(outcome); ok {
		return known.(*labels) //nolint:forcetypeassert // nothing else is stored
	}
	set := metric.WithAttributeSet(attribute.NewSet(
		attribute.String("system", c.system),
		attribute.String("role", c.deps.Role),
		attribute.String("operation", string(op.name)),
		attribute.String("outcome", outcome),
	))
	made := &labels{add: []metric.AddOption{set}, record: []metric.RecordOption{set}}
	op.labels.byOutcome.Store(outcome, made)
	return made
}
