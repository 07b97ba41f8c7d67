package edge

import (
	"context"
	"log/slog"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/schema/commerce"
)

// cached puts the cache in front of the systems and opens the ledger that lives
// beside it: in Redis, or in this process when there is none.
func (b *Backend) cached(ctx context.Context, systems commerce.Ports) (commerce.Ports, ledger.Ledger, error) {
	c, err := cache.New(b.Config.Cache, cache.Deps{Log: b.Log, Meter: b.Telemetry.Meter()})
	if err != nil {
		return commerce.Ports{}, nil, err
	}
	b.cache = c
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
