// Package edge is what both channels share: from configuration to cached ports,
// identity, markets, idempotency, placing an order, telemetry and limits. It
// knows neither net/http's nor fiber's routing; each channel wraps it thinly.
package edge

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/edge/cors"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/identity"
	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/edge/recent"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/edge/turns"
	"github.com/portico-bff/portico/edge/watch"
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
	Turns       *turns.Turns // which the Ports that change carts take
	CORS        *cors.Policy
	RateLimit   *ratelimit.Limiter // of both channels; nil, which limits nobody, when turned off
	Telemetry   *telemetry.Telemetry
	Registry    *transport.Registry // the systems' live state
	Answers     *cache.Answers      // whole public answers of the channel; nil, which keeps nothing, when turned off
	Events      *events.Service     // takes the systems' change events; nil, which does nothing, when not configured
	Requests    *recent.Requests    // the last that failed or took long; they are counted, too
	Journal     events.Journal      // what changed lately; of a process that hears of no changes it tells nothing
	Watch       *watch.Hub          // wakes who watches what the cache drops

	gauges   metric.Registration // of Registry; nil until it is measured
	cache    *cache.Cache
	watching sync.WaitGroup
	unwatch  context.CancelFunc // ends Watch
	pace     *pacer             // of garbage collection; nil where Go or the operator sets it
	draining atomic.Bool
}

// New wires a backend for a channel, "web" or "mobile". No upstream is called and
// none, nor Redis, nor the issuer of tokens, needs to be up.
func New(ctx context.Context, cfg Config, channel string) (*Backend, error) {
	cfg.Telemetry.Requests = recent.New(cfg.Requests)
	tel, err := telemetry.New(cfg.Telemetry, channel)
	if err != nil {
		return nil, err
	}
	b := &Backend{Config: cfg, Telemetry: tel, Log: tel.Log(), Registry: transport.NewRegistry(), Requests: cfg.Telemetry.Requests}
	if err := errors.Join(b.Requests.Measure(tel.Meter()), b.wire(ctx)); err != nil {
		return nil, errors.Join(err, b.Close(ctx))
	}
	return b, nil
}

// wire is the whole stack, from the systems to what the channels call.
func (b *Backend) wire(ctx context.Context) error {
	var errs [7]error
	var systems commerce.Ports
	systems, errs[0], errs[6] = b.connected()
	b.Markets, errs[1] = market.New(b.Config.Markets)
	b.CORS, errs[2] = cors.New(b.Config.CORS)
	b.Identity, errs[3] = identity.New(b.Config.Identity, b.Log)
	var book ledger.Ledger
	b.Ports, book, errs[4] = b.cached(ctx, systems)
	b.gauges, errs[5] = b.Registry.Measure(b.Telemetry.Meter())
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	var err error
	if b.RateLimit, err = b.rateLimit(); err != nil {
		return err
	}
	if b.Events, err = b.changes(); err != nil {
		return err
	}
	b.Journal = events.NewJournal(b.cache.Redis(), b.Events, b.cache.HeardSince, b.Log)
	b.watch()
	b.Turns = turns.New(book, b.Log)
	b.Ports = b.Turns.Wrap(b.Ports)
	timeout := b.Config.Limits.RequestTimeout
	b.Idempotency = idempotency.New(book, timeout, b.Log)
	b.Orders = ordering.New(b.orderKey(ctx), ordering.Deps{
		Ports: b.Ports, Ledger: book, Timeout: timeout, Log: b.Log, Forget: b.cache.ForgetAvailability,
	})
	b.announce(ctx)
	return nil
}

// watch wakes watchers until the backend is closed.
func (b *Backend) watch() {
	var ctx context.Context
	ctx, b.unwatch = context.WithCancel(context.Background())
	b.Watch = watch.New(b.cache.Invalidations())
	b.cache.OnInvalidation(b.Watch.Ring)
	b.watching.Go(func() { b.Watch.Run(ctx) })
}

// orderKey makes up the key of guests' order tokens where there is none: good for
// this process only, and not in production, where Load requires one.
func (b *Backend) orderKey(ctx context.Context) ordering.Config {
	cfg := b.Config.Ordering
	if cfg.TokenKey == "" {
		cfg.TokenKey = commerce.Secret(rand.Text() + rand.Text())
		b.Log.LogAttrs(ctx, slog.LevelWarn, "order token key made up; guests' order tokens end with this process")
	}
	return cfg
}

// announce logs the configuration in force, once, and what it leaves out.
func (b *Backend) announce(ctx context.Context) {
	b.Log.LogAttrs(ctx, slog.LevelInfo, "configuration", b.Config.Effective()...)
	if b.Config.Identity.Issuer == "" {
		b.Log.LogAttrs(ctx, slog.LevelWarn, "no token issuer is configured; every bearer token is refused")
	}
	level := slog.LevelWarn
	if b.Config.Development() {
		level = slog.LevelInfo
	}
	if roles := b.Config.Systems.Unconfigured(); len(roles) > 0 {
		b.Log.LogAttrs(ctx, level, "roles without a system; their ports answer unavailable", slog.String("roles", strings.Join(roles, ",")))
	}
}

// Drain makes /readyz answer 503: the process is about to stop.
func (b *Backend) Drain() { b.draining.Store(true) }

// ClientRequest counts a request that is about to be answered from the ports, for
// what each system is asked per request. Requests that were refused before, and
// pages and files of our own, are none.
func (b *Backend) ClientRequest() { b.Registry.ClientRequest() }

// Redis is a client of the cache's Redis, or nil without one. It waits for up to two
// seconds: who uses it brings deadlines. It is the backend's to close.
func (b *Backend) Redis() redis.UniversalClient {
	if b.cache == nil {
		return nil
	}
	return b.cache.Redis()
}

// Close releases what New opened.
func (b *Backend) Close(ctx context.Context) error {
	b.Drain()
	b.pace.stop()
	var errs []error
	if b.gauges != nil {
		errs = append(errs, b.gauges.Unregister())
	}
	if b.Identity != nil {
		b.Identity.Close()
	}
	errs = append(errs, b.Events.Close())
	if b.Journal != nil {
		b.Journal.Close()
	}
	if b.Turns != nil {
		b.Turns.Close()
	}
	if b.unwatch != nil {
		b.unwatch()
		b.watching.Wait()
	}
	b.Answers.Close()
	if b.cache != nil {
		errs = append(errs, b.cache.Close())
	}
	return errors.Join(append(errs, b.Telemetry.Close(ctx))...)
}
