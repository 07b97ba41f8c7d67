package events

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/schema/commerce"
)

// Deps are what the process lends. Redis may be nil; zero Log and Meter mean the
// default logger and no metrics.
type Deps struct {
	Mappers    map[string]Mapper // by role: "pim"
	Invalidate func(ctx context.Context, tags ...commerce.Tag) error
	Redis      redis.UniversalClient // the caller's to close, after the service
	Consumer   string                // this process's name in the consumer group
	Log        *slog.Logger
	Meter      metric.MeterProvider
}

// Service receives events and applies them. A nil service does nothing.
type Service struct {
	cfg      Config
	receiver *receiver
	source   Source // nil when events are applied as they are received
	apply    Apply

	listener net.Listener
	stop     chan struct{} // closed by Close
	serving  sync.WaitGroup
	mu       sync.Mutex // guards closed, and the step from there to serving
	closed   bool
}

// New makes the service that cfg describes, or nil when events are not taken.
// Nothing listens yet, and Redis need not be up.
func New(cfg Config, deps Deps) (*Service, error) {
	if !cfg.On() {
		return nil, nil //nolint:nilnil // nothing is what was asked for
	}
	if err := errors.Join(cfg.Validate(), cfg.CheckSources(deps.Mappers)); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	if deps.Meter == nil {
		deps.Meter = noop.NewMeterProvider()
	}
	metrics, err := newInstruments(deps.Meter)
	if err != nil {
		return nil, err
	}
	keys, err := cfg.keys()
	if err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, apply: applier(deps.Invalidate), stop: make(chan struct{})}
	known := mappers{byRole: deps.Mappers, names: cfg.Sources}
	s.receiver = &receiver{
		keys: keys, mappers: known, metrics: metrics, log: deps.Log,
		now: time.Now, places: make(chan struct{}, mostAtOnce),
	}
	if deps.Redis == nil {
		s.receiver.queue = newDirect(s.counted(metrics))
		return s, nil
	}
	shared := &stream{
		client: deps.Redis, consumer: deps.Consumer, apply: s.apply, instead: known.instead,
		log: deps.Log, metrics: metrics, claimEvery: claimEvery, most: mostKept,
	}
	s.receiver.queue, s.source = shared, shared
	return s, nil
}

// CheckSources reports sources whose role is no system of the process.
func (c Config) CheckSources(known map[string]Mapper) error {
	for _, role := range c.Sources {
		if _, ok := known[strings.ToLower(role)]; !ok {
			return config.Bad("EVENTS_SOURCES", "names a role that has no system")
		}
	}
	return nil
}

// mostAtATime is how many tags are invalidated in one go.
const mostAtATime = 500

// applier has the tags of changes invalidated, each once.
func applier(invalidate func(context.Context, ...commerce.Tag) error) Apply {
	return func(ctx context.Context, changes []Change) error {
		known := map[commerce.Tag]bool{}
		var tags []commerce.Tag
		for _, change := range changes {
			for _, tag := range change.Tags {
				if !known[tag] {
					known[tag] = true
					tags = append(tags, tag)
				}
			}
		}
		var errs []error
		for len(tags) > 0 {
			n := min(len(tags), mostAtATime)
			errs = append(errs, invalidate(ctx, tags[:n]...))
			tags = tags[n:]
		}
		return errors.Join(errs...)
	}
}

// counted counts what is applied as it is received.
func (s *Service) counted(metrics *instruments) Apply {
	return func(ctx context.Context, changes []Change) error {
		if err := s.apply(ctx, changes); err != nil {
			return err
		}
		for _, change := range changes {
			metrics.count(ctx, change.Source, resultApplied)
		}
		return nil
	}
}

// Handler answers POST /events.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /events", s.receiver)
	return mux
}

// Listen opens the address. Serve answers there.
func (s *Service) Listen(ctx context.Context) error {
	if s == nil {
		return nil
	}
	var lc net.ListenConfig
	var err error
	s.listener, err = lc.Listen(ctx, "tcp", s.cfg.Addr)
	return err
}

// Addr is where events are taken, or empty before Listen.
func (s *Service) Addr() string {
	if s == nil || s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// stopTimeout is how long requests under way may take once the service has to stop.
const stopTimeout = 2 * time.Second

// Serve answers and applies until ctx ends or Close is called, lets what is under
// way finish, and answers nil then. It can be called once. Without Listen before it only applies
// what other processes were sent, and what is handed to [Service.Handler].
func (s *Service) Serve(ctx context.Context) error {
	if s == nil || !s.begin() {
		return nil
	}
	defer s.serving.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler: s.Handler(), MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 2 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: 12 * time.Second, IdleTimeout: 30 * time.Second,
		ErrorLog: slog.NewLogLogger(s.receiver.log.Handler(), slog.LevelDebug),
	}
	var work sync.WaitGroup
	if s.source != nil {
		work.Go(func() { s.source.Run(ctx, s.apply) })
	}
	ended := make(chan error, 1)
	if s.listener != nil {
		work.Go(func() { ended <- server.Serve(s.listener) })
	}
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	case <-s.stop:
	}
	cancel()
	grace, done := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer done()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // who is this slow is cut off
	}
	work.Wait()
	return err
}

// begin is false when the service was closed before it began.
func (s *Service) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.serving.Add(1)
	}
	return !s.closed
}

// Close ends Serve and waits for it.
func (s *Service) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.stop)
	}
	s.mu.Unlock()
	s.serving.Wait()
	if s.listener != nil {
		_ = s.listener.Close() // closed already when it was served
	}
	return nil
}
