// Package telemetry gives a process its log, its metrics, its traces, one line
// per request, and those requests that are looked at later.
package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/portico-bff/portico/edge/recent"
	"github.com/portico-bff/portico/edge/requestid"
)

// Config says how much to tell.
type Config struct {
	LogLevel slog.Level `env:"LOG_LEVEL" envDefault:"info" doc:"Least severe level that is logged: debug, info, warn or error."`
	// Out is where the log goes, line by line. Nil means standard output, to which lines
	// below WARN are written up to 50 ms later, many at once.
	Out    io.Writer
	Traces Traces
	// Requests keeps those that failed or took long; nil keeps none.
	Requests *recent.Requests
}

// Telemetry is a process's log, metrics and traces.
type Telemetry struct {
	channel   string
	level     slog.Level // the least severe that is logged
	sink      *sink      // of log
	log       *slog.Logger
	tracing   *tracing // nil: traces are off
	metrics   *sdk.MeterProvider
	scrape    http.Handler
	durations *durations
	clock     clock
	requests  *recent.Requests
}

// New starts the log, the metrics and, where cfg says so, the traces of a channel
// ("web" or "mobile"). Nothing global is changed: a process may hold several. The
// collector of traces need not be up, now or later.
func New(cfg Config, channel string) (*Telemetry, error) {
	lines := newSink(cfg.Out, 0)
	if cfg.Out == nil {
		lines = newSink(os.Stdout, lineWait)
	}
	json := slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: cfg.LogLevel})
	log := slog.New(naming{json, lines}).With(slog.String("channel", channel))
	registry := prometheus.NewRegistry()
	durations := &durations{channel: channel}
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithProducer(durations))
	if err != nil {
		return nil, err
	}
	metrics := sdk.NewMeterProvider(sdk.WithReader(reader))
	tracing, err := newTracing(cfg.Traces, channel, log)
	if err := errors.Join(err, runtime.Start(runtime.WithMeterProvider(metrics))); err != nil {
		return nil, errors.Join(err, metrics.Shutdown(context.Background()))
	}
	scrape := promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)})
	return &Telemetry{
		channel: channel, level: cfg.LogLevel, sink: lines, log: log, tracing: tracing, metrics: metrics, scrape: scrape, durations: durations, requests: cfg.Requests,
	}, nil
}

// Channel is whose telemetry this is: "web" or "mobile".
func (t *Telemetry) Channel() string { return t.channel }

// Log is the process's log: JSON, one object per line.
func (t *Telemetry) Log() *slog.Logger { return t.log }

// Meter is where instruments come from.
func (t *Telemetry) Meter() metric.MeterProvider { return t.metrics }

// Handler answers Prometheus's scrapes.
func (t *Telemetry) Handler() http.Handler { return t.scrape }

// Close ends the metrics, exports the spans that are left, until ctx ends and for three
// seconds at most, and writes what is left of the log. Spans that nobody takes are no
// error.
func (t *Telemetry) Close(ctx context.Context) error {
	defer t.sink.close()
	if t.tracing != nil {
		t.tracing.close(ctx)
	}
	return t.metrics.Shutdown(ctx)
}

// Request is a served request, for its one log line and its metrics.
type Request struct {
	Method    string
	Route     string // the route's template, never the path: "/v1/carts/:id"
	Operation string // a GraphQL operation's name as the client sent it; empty otherwise
	Answer    string // how the answer cache was used: hit, miss, shared, bypass or proven; empty where there is none
	Status    int
	Duration  time.Duration
	At        time.Time    // when it had been answered; zero: now
	Bytes     int64        // of the answer's body
	RequestID string       // empty means the context's
	Err       error        // the cause of a 5xx answer, for the log; may be nil
	Made      *recent.Made // what is known of an answer that was made; nil otherwise
	Lasts     bool         // a stream: how long it took was for its client to say
	Ended     string       // why a stream ended; empty for what is none
}

// maxOperation bounds what a client's operation name adds to a line.
const maxOperation = 64

// methods that become a metric's attribute; a client could make up any number of others.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// ObserveRequest writes the request's one log line, adds it to
// http.server.request.duration, in seconds by method, route and status, and keeps it
// when it is one that is asked for later: a stream is not for having lasted.
func (t *Telemetry) ObserveRequest(ctx context.Context, r Request) {
	r.Method = knownMethod(r.Method)
	if r.RequestID == "" {
		r.RequestID = requestid.From(ctx)
	}
	of := t.durations.of(r.Method, r.Route, r.Status)
	of.measure(r.Duration)
	t.logRequest(ctx, of, &r)
	if r.Lasts && r.Status < http.StatusBadRequest {
		return
	}
	t.requests.Observe(ctx, &recent.Request{
		ID: r.RequestID, Method: r.Method, Route: r.Route, Operation: r.Operation, Answer: r.Answer,
		Status: r.Status, Duration: r.Duration, Err: r.Err, Made: r.Made,
	})
}

// milliseconds is how long something took, to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (r *Request) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String(requestKey, r.RequestID),
		slog.String("method", r.Method),
		slog.String("route", r.Route),
		slog.Int("status", r.Status),
		slog.Float64("durationMs", milliseconds(r.Duration)),
		slog.Int64("bytes", r.Bytes),
	}
	if r.Operation != "" {
		attrs = append(attrs, slog.String("operation", r.Operation[:min(len(r.Operation), maxOperation)]))
	}
	if r.Answer != "" {
		attrs = append(attrs, slog.String("answer", r.Answer))
	}
	if r.Ended != "" {
		attrs = append(attrs, slog.String("ended", r.Ended))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("error", r.Err.Error()))
	}
	return attrs
}
