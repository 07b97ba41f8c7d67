package edge

import (
	"context"
	"log/slog"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/schema/commerce"
)

// connected opens the cache and then the systems, which are told by it of what was
// invalidated.
func (b *Backend) connected() (systems commerce.Ports, uncached, unconnected error) {
	deps := transport.Deps{Log: b.Log, Meter: b.Telemetry.Meter(), Tracer: b.Telemetry.Tracer(), Registry: b.Registry, Wire: b.Config.Wire}
	if b.cache, uncached = cache.New(b.Config.Cache, cache.Deps{Log: b.Log, Meter: b.Telemetry.Meter()}); uncached == nil {
		deps.Invalidations = b.cache.Invalidations()
	}
	systems, unconnected = b.Config.Systems.connect(deps)
	return systems, uncached, unconnected
}

// rateLimit bounds callers, in Redis where there is one.
func (b *Backend) rateLimit() (*ratelimit.Limiter, error) {
	return ratelimit.New(b.Config.RateLimit, ratelimit.Deps{Redis: b.cache.Redis(), Secret: b.Config.Ordering.TokenKey, Log: b.Log})
}

// cached puts the cache in front of the systems and opens the ledger that lives
// beside it: in Redis, or in this process when there is none.
func (b *Backend) cached(ctx context.Context, systems commerce.Ports) (commerce.Ports, ledger.Ledger, error) {
	c := b.cache
	if c == nil {
		return systems, nil, nil // why is known
	}
	var err error
	if b.Answers, err = cache.NewAnswers(c, b.Config.Cache, b.Telemetry.Channel(), b.Telemetry.Meter()); err != nil {
		return commerce.Ports{}, nil, err
	}
	ports := c.Wrap(systems)
	if client := c.Redis(); client != nil {
		return ports, ledger.NewRedis(client), nil
	}
	b.Log.LogAttrs(ctx, slog.LevelWarn, "no Redis is configured; cache and idempotency keys are this process's own")
	return ports, ledger.NewMemory(), nil
}
