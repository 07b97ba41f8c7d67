package telemetry

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// maxAlike bounds how many kinds of requests are told apart. Methods, routes and statuses
// are few; this is for what nobody has thought of.
const maxAlike = 1000

// buckets in seconds, those of OpenTelemetry's semantic conventions for HTTP.
var buckets = [...]float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// kind is what requests have in common that are told and measured as one.
type kind struct {
	method, route string
	status        int
}

// alike is all requests of a kind: how long they took, and the pieces of a line that are the
// same for each.
type alike struct {
	labels attribute.Set
	begin  time.Time // of the first
	counts [len(buckets) + 1]atomic.Uint64
	sum    atomic.Uint64 // of seconds, as the bits of a float64

	// Of a line, between the time and the request's id, and from there to how long it took.
	// Both are empty when something in them would have to be escaped.
	before, after string
}

func (a *alike) measure(took time.Duration) {
	seconds, bucket := took.Seconds(), 0
	for bucket < len(buckets) && seconds > buckets[bucket] {
		bucket++
	}
	a.counts[bucket].Add(1)
	for {
		sum := a.sum.Load()
		if a.sum.CompareAndSwap(sum, math.Float64bits(math.Float64frombits(sum)+seconds)) {
			return
		}
	}
}

// point is what was measured until now.
func (a *alike) point(now time.Time) metricdata.HistogramDataPoint[float64] {
	p := metricdata.HistogramDataPoint[float64]{
		Attributes: a.labels, StartTime: a.begin, Time: now, Bounds: buckets[:], Sum: math.Float64frombits(a.sum.Load()),
	}
	for i := range a.counts {
		n := a.counts[i].Load()
		p.Count, p.BucketCounts = p.Count+n, append(p.BucketCounts, n)
	}
	return p
}

// durations is how long requests took, by kind: the metric http.server.request.duration, of
// which every request is an observation. It is measured here, since to a histogram of the SDK
// attributes come as a set that is looked through and looked up each time.
type durations struct {
	channel string
	known   atomic.Pointer[map[kind]*alike]
	others  atomic.Pointer[alike] // those beyond maxAlike
	mu      sync.Mutex            // held while one of both is replaced
}

// of is the kind that a request is one of. method and route are not kept.
func (s *durations) of(method, route string, status int) *alike {
	k := kind{method, route, status}
	if known := s.known.Load(); known != nil {
		if a := (*known)[k]; a != nil {
			return a
		}
	}
	return s.add(k)
}

func (s *durations) add(k kind) *alike {
	s.mu.Lock()
	defer s.mu.Unlock()
	more := map[kind]*alike{}
	if known := s.known.Load(); known != nil {
		if a := (*known)[k]; a != nil {
			return a
		}
		if len(*known) >= maxAlike {
			return s.other()
		}
		maps.Copy(more, *known)
	}
	k.method, k.route = strings.Clone(k.method), strings.Clone(k.route)
	a := &alike{begin: time.Now(), labels: attribute.NewSet(
		attribute.String("http.request.method", k.method),
		attribute.String("http.route", k.route),
		attribute.Int("http.response.status_code", k.status),
	)}
	if plain(k.method) && plain(k.route) {
		a.before = `","level":"` + levelOf(k.status).String() + `","msg":"request","channel":"` + s.channel + `","` + requestKey + `":"`
		a.after = `","method":"` + k.method + `","route":"` + k.route + `","status":` + strconv.Itoa(k.status) + `,"durationMs":`
	}
	more[k] = a
	s.known.Store(&more)
	return a
}

// other is one for all requests that are not told apart, as the SDK has it. The caller holds
// the lock.
func (s *durations) other() *alike {
	if s.others.Load() == nil {
		s.others.Store(&alike{begin: time.Now(), labels: attribute.NewSet(attribute.Bool("otel.metric.overflow", true))})
	}
	return s.others.Load()
}

// levelOf is how severe it is that a request was answered with status.
func levelOf(status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// Produce implements [sdk.Producer].
func (s *durations) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	known, now := s.known.Load(), time.Now()
	if known == nil {
		return nil, nil
	}
	points := make([]metricdata.HistogramDataPoint[float64], 0, len(*known)+1)
	for _, a := range *known {
		points = append(points, a.point(now))
	}
	if others := s.others.Load(); others != nil {
		points = append(points, others.point(now))
	}
	return []metricdata.ScopeMetrics{{
		Scope: instrumentation.Scope{Name: "github.com/portico-bff/portico/edge"},
		Metrics: []metricdata.Metrics{{
			Name: "http.server.request.duration", Description: "Duration of requests.", Unit: "s",
			Data: metricdata.Histogram[float64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality},
		}},
	}}, nil
}
