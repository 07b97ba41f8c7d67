// Package bffmobile is the mobile channel: one trimmed REST answer per screen of
// the iOS and Android apps, composed from the systems behind, on fiber.
package bffmobile

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/docs"
	"github.com/portico-bff/portico/bff-mobile/internal/lifecycle"
	"github.com/portico-bff/portico/bff-mobile/internal/rest"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/bff-mobile/syncing"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/demo"
	"github.com/portico-bff/portico/schema/commerce"
)

// App is the mobile channel.
type App struct {
	config  Channel
	backend *edge.Backend
	server  *fiber.App
	quick   *web.Quick // nil where requests are traced
	gate    *web.Gate
	running
}

// New makes the channel. Nothing listens yet and no upstream needs to be up.
func New(ctx context.Context, cfg Config) (*App, error) {
	backend, err := edge.New(ctx, cfg.Config, "mobile")
	if err != nil {
		return nil, err
	}
	backend.Log.LogAttrs(ctx, slog.LevelInfo, "configuration of the mobile channel", cfg.own()...)
	app, err := newApp(cfg.Channel, backend, backend.Identity)
	if err != nil {
		return nil, errors.Join(err, backend.Close(ctx))
	}
	return app, nil
}

// newApp is the whole channel, outside in.
func newApp(cfg Channel, b *edge.Backend, identity web.Identity) (*App, error) {
	server := web.NewServer(b.Telemetry)
	document := lifecycle.NewDocument(cfg.Apps, b.Markets.List(), b.Journal.Tells)
	quick := web.NewQuick(web.Quick{
		Document: document, Answers: b.Answers, Limiter: b.RateLimit, Observer: b.Telemetry, Counted: b.ClientRequest, Log: b.Log,
	}, b.Telemetry)
	gate, err := web.NewGate(b.Config.Limits.MaxInFlight, cfg.LateFrom, b.Telemetry.Meter(), b.Log)
	if err != nil {
		return nil, err
	}
	web.Front(server, quick, gate)
	server.Use(web.Trace(b.Telemetry))
	server.Use(web.Observe(b.Telemetry, b.Log))
	server.Use(web.Guard)
	if b.Config.Development() && cfg.DemoURL != "" {
		docs.RegisterDemo(server, demo.Sandbox{URL: cfg.DemoURL})
	}
	docs.Register(server)
	document.Register(server)
	server.Use(web.Deadline(b.Config.Limits.RequestTimeout))
	server.Use(lifecycle.Current(cfg.Apps))
	server.Use(web.LimitAddress(b.RateLimit))

	b.Journal.Tells() // which has it follow what changes, from the start

	identify := web.Identify(b.Markets, identity)
	handlers := &rest.API{
		Screens: &screen.Screens{
			Ports: b.Ports, Orders: b.Orders, Log: b.Log, HomePage: commerce.PageID(cfg.HomePage), Pressure: gate.Pressure,
		},
		Ports: b.Ports, Orders: b.Orders, Idempotency: b.Idempotency, Turns: b.Turns,
		Syncing: &syncing.Catalogue{Ports: b.Ports, Journal: b.Journal},
		Answers: b.Answers, Quick: quick, Surrogates: b.Config.Cache.SurrogateKeyBytes,
	}
	counted := func(c *fiber.Ctx) error {
		b.ClientRequest()
		return c.Next()
	}
	for _, r := range handlers.Routes() {
		server.Add(r.Method, r.Path, identify, web.LimitCustomer, counted, lifecycle.Deprecated(r.Method, r.Path), web.Timed, r.Handle)
		if r.Method == fiber.MethodGet {
			server.Add(fiber.MethodHead, r.Path, identify, web.LimitCustomer, counted, lifecycle.Deprecated(r.Method, r.Path), web.Timed, r.Handle)
		}
	}
	return &App{config: cfg, backend: b, server: server, quick: quick, gate: gate, running: newRunning()}, nil
}

// Backend is what the channel serves from.
func (a *App) Backend() *edge.Backend { return a.backend }

// Test answers one request without a socket. The request needs a Host.
func (a *App) Test(r *http.Request) (*http.Response, error) {
	const forever = -1
	return a.server.Test(r, forever)
}
