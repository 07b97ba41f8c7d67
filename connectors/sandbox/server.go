package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/schema/commerce"
)

// Config says how the sandbox is served. The zero value works, on a free port of the loopback.
type Config struct {
	Addr string       `env:"SANDBOX_ADDR" envDefault:"127.0.0.1:8090" doc:"Where the imitated systems listen."`
	Log  *slog.Logger // nil means the default logger

	EventsURL    []string        `env:"SANDBOX_EVENTS_URL" doc:"Where the imitated systems tell of changes, separated by commas; they tell nobody when empty."`
	EventsSecret commerce.Secret `env:"SANDBOX_EVENTS_SECRET" doc:"Secret that those events are signed with: one of EVENTS_SECRET's."`
}

// stopTimeout is how long calls that are under way may take once the server has to stop.
const stopTimeout = 5 * time.Second

// Server is the imitated systems and their control.
type Server struct {
	// World is what all dialects share.
	World *world.World

	cfg       Config
	log       *slog.Logger
	mux       *http.ServeMux
	names     []string // of the systems
	systems   []system
	announcer announcer
	faults    faults
	counts    counts
	signer    *signer

	stopped  chan struct{} // closed by Close: calls that hang give up
	stopOnce sync.Once
	ready    chan struct{} // closed once addr is known
	addr     string
}

// New loads the world and mounts every dialect over it. Call Close, or have Serve end, to let go of hanging calls.
func New(cfg Config) (*Server, error) {
	w, err := world.Load()
	if err != nil {
		return nil, err
	}
	s := &Server{
		World: w, cfg: cfg, log: cfg.Log, mux: http.NewServeMux(), signer: newSigner(),
		stopped: make(chan struct{}), ready: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.announcer.log, s.announcer.queue = s.log, make(chan announcement, announceQueue)
	s.announcer.client.Transport = &http.Transport{} // its own connections, to be closed with it
	s.systems = systems(w)
	for _, system := range s.systems {
		s.names = append(s.names, system.name)
		prefix := "/" + system.name
		s.mux.Handle(prefix+"/", http.StripPrefix(prefix, s.intercept(system)))
	}
	s.control()
	if len(cfg.EventsURL) > 0 {
		if err := s.SendEvents(cfg.EventsSecret, cfg.EventsURL...); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Handler serves the systems at /pimcore, /elasticsearch, /odoo, /openloyalty and /magento,
// and the control below /_sandbox/.
func (s *Server) Handler() http.Handler { return s.mux }

// Close ends calls that a fault has made hang, and no more events are sent. The handler can be used on.
func (s *Server) Close() {
	s.stopOnce.Do(func() { close(s.stopped) })
	s.announcer.work.Wait()
}

// Ready is closed once Serve listens.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addr is the host and port that Serve listens on; it waits until that is known, so call it after Ready is closed.
func (s *Server) Addr() string {
	<-s.ready
	return s.addr
}

// Serve listens on the configured address until ctx ends, then stops gracefully
// and answers nil. It can be called once.
func (s *Server) Serve(ctx context.Context) error {
	addr := s.cfg.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	s.addr = listener.Addr().String()
	close(s.ready)
	server := &http.Server{
		Handler:           s.mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      3 * time.Minute, // longer than any latency that can be set
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.Close()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
