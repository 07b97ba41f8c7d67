package documents

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// usage is how often something was asked for, and when. It is safe for concurrent use.
type usage struct {
	count, first, last atomic.Int64 // the times in nanoseconds since 1970; 0: never
}

func (u *usage) note(now time.Time) {
	at := now.UnixNano()
	if u.first.Load() == 0 {
		u.first.CompareAndSwap(0, at)
	}
	u.last.Store(at)
	u.count.Add(1) // last: who sees a use finds its time
}

// other stands in metrics for whatever no manifest names: clients could make up any number.
const other = "other"

// refusals are why requests were refused; their places are those of the counts.
var refusals = [...]string{"unknown", "required", "unready"}

type refusal int

const (
	unknown refusal = iota
	required
	unready
)

// measure has the counts read whenever metrics are: a request costs an addition.
func (s *Store) measure(provider metric.MeterProvider) error {
	meter := provider.Meter("github.com/portico-bff/portico/bff-web")
	_, err1 := meter.Int64ObservableCounter("portico.documents.uses", metric.WithUnit("{request}"),
		metric.WithDescription("Requests by trusted document, and the client and version that sent them; other is whatever no manifest names."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			s.set.Load().observe(o)
			return nil
		}))
	_, err2 := meter.Int64ObservableCounter("portico.documents.refused", metric.WithUnit("{request}"),
		metric.WithDescription("Requests refused before anything was parsed: unknown id, free text where a document is required, or no manifest loaded yet."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			for i, reason := range refusals {
				o.Observe(s.refused[i].Load(), metric.WithAttributes(attribute.String("reason", reason)))
			}
			return nil
		}))
	_, err3 := meter.Int64ObservableGauge("portico.documents.loaded", metric.WithUnit("{document}"),
		metric.WithDescription("Trusted documents that can be asked for."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(len(s.set.Load().byHash)))
			return nil
		}))
	_, err4 := meter.Int64ObservableGauge("portico.documents.problems", metric.WithUnit("{problem}"),
		metric.WithDescription("What in the sources of trusted documents cannot be used now; /documents on the admin address names it."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(len(*s.problems.Load())))
			return nil
		}))
	return errors.Join(err1, err2, err3, err4)
}

// observe tells the counts that are not 0. Documents of one name in one version, as
// far as there are any, are told as one.
func (s *set) observe(o metric.Int64Observer) {
	type series struct{ client, version, document string }
	counts := map[series]int64{}
	add := func(of series, u *usage) {
		if n := u.count.Load(); n > 0 {
			counts[of] += n
		}
	}
	for _, m := range s.manifests {
		for d, u := range m.uses {
			add(series{m.Name, m.Version, d.Name}, u)
		}
		add(series{m.Name, m.Version, other}, m.others)
	}
	for d, u := range s.strangers {
		add(series{other, other, d.Name}, u)
	}
	for of, n := range counts {
		o.Observe(n, metric.WithAttributes(attribute.String("client", of.client),
			attribute.String("version", of.version), attribute.String("document", of.document)))
	}
}
