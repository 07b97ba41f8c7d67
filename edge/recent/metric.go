package recent

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Measure has the counts of [Seen] be a metric, portico.requests.impaired by kind.
func (r *Requests) Measure(provider metric.MeterProvider) error {
	meter := provider.Meter("github.com/portico-bff/portico/edge")
	impaired, err := meter.Int64ObservableCounter("portico.requests.impaired", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that failed, were degraded or slow, each once, for the worst."))
	if err != nil {
		return err
	}
	var kinds [len(shelves)]metric.MeasurementOption
	for k, word := range shelves {
		kinds[k] = metric.WithAttributes(attribute.String("kind", word))
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for k := range r.seen {
			o.ObserveInt64(impaired, r.seen[k].Load(), kinds[k])
		}
		return nil
	}, impaired)
	return err
}
