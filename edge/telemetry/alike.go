package telemetry

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maxAlike bounds how many kinds of requests are remembered. Methods, routes and statuses
// are few; this is for what nobody has thought of.
const maxAlike = 1000

// kind is what requests have in common that are measured as one.
type kind struct {
	method, route string
	status        int
}

// sameRequests remembers the attributes of requests, which are the same for all of a
// kind: making a set of them anew costs more than the measurement itself. The zero value
// is ready.
type sameRequests struct {
	known atomic.Pointer[map[kind][]metric.RecordOption]
	mu    sync.Mutex // held while known is replaced
}

// of are the attributes of a request, to be read only. method and route are not kept.
func (s *sameRequests) of(method, route string, status int) []metric.RecordOption {
	k := kind{method, route, status}
	if known := s.known.Load(); known != nil {
		if options := (*known)[k]; options != nil {
			return options
		}
	}
	k.method, k.route = strings.Clone(method), strings.Clone(route)
	options := []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(
		attribute.String("http.request.method", k.method),
		attribute.String("http.route", k.route),
		attribute.Int("http.response.status_code", k.status),
	))}
	s.mu.Lock()
	defer s.mu.Unlock()
	more := map[kind][]metric.RecordOption{k: options}
	if known := s.known.Load(); known != nil && len(*known) < maxAlike {
		maps.Copy(more, *known)
	}
	s.known.Store(&more)
	return options
}
