package cache

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/portico-bff/portico/schema/commerce"
)

// Config of the cache. A zero limit means the default that its tag names.
type Config struct {
	RedisURL    commerce.Secret `env:"REDIS_URL" doc:"Redis for the second cache tier and idempotency keys: redis, rediss, redis+sentinel or redis+cluster; empty keeps both in this process."`
	L1Bytes     int64           `env:"CACHE_L1_BYTES" envDefault:"67108864" doc:"Memory for cached answers, in bytes."`
	HardTimeout time.Duration   `env:"CACHE_HARD_TIMEOUT" envDefault:"1s" doc:"How long a request waits for an answer that is not in the cache."`
}

const (
	defaultL1Bytes     = 64 << 20
	leastL1Bytes       = 64 << 10
	defaultHardTimeout = time.Second
)

// Deps are what the process lends. Zero fields have working defaults.
type Deps struct {
	Log   *slog.Logger
	Meter metric.MeterProvider
}

// Cache keeps and shares answers of upstreams. It is safe for concurrent use.
type Cache struct {
	hardTimeout time.Duration
	memory      *memory
	remote      *remote // nil without Redis
	flights     flights
	graves      graves
	metrics     *instruments
	log         *slog.Logger

	// Loads under way belong to the cache, not to a request.
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup
}

// New makes a cache. It does not call Redis: that it is down is no reason not to start.
func New(cfg Config, deps Deps) (*Cache, error) {
	if cfg.L1Bytes == 0 {
		cfg.L1Bytes = defaultL1Bytes
	}
	if cfg.HardTimeout == 0 {
		cfg.HardTimeout = defaultHardTimeout
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	if deps.Meter == nil {
		deps.Meter = noop.NewMeterProvider()
	}
	var errs []error
	if cfg.L1Bytes < leastL1Bytes {
		errs = append(errs, errors.New("CACHE_L1_BYTES: must be at least 65536"))
	}
	if cfg.HardTimeout < 0 {
		errs = append(errs, errors.New("CACHE_HARD_TIMEOUT: must not be negative"))
	}
	metrics, err := newInstruments(deps.Meter)
	errs = append(errs, err)
	second, err := newRemote(cfg.RedisURL, deps.Log, metrics)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	first, err := newMemory(cfg.L1Bytes)
	if err != nil {
		return nil, err
	}
	c := &Cache{
		hardTimeout: cfg.HardTimeout, memory: first, remote: second, metrics: metrics, log: deps.Log,
		flights: flights{byKey: map[string]*flight{}},
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c, nil
}

func newRemote(address commerce.Secret, log *slog.Logger, metrics *instruments) (*remote, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // no Redis is a configuration, not a failure
	}
	opts, err := redisOptions(address)
	if err != nil {
		return nil, err
	}
	p, err := newPacker()
	if err != nil {
		return nil, err
	}
	silence()
	return &remote{
		client: redis.NewUniversalClient(opts), cluster: opts.IsClusterMode,
		packer: p, wait: remoteWait, log: log, metrics: metrics,
	}, nil
}

// ForgetAvailability drops what is known about the stock of skus, in every
// market: an order has just changed it. Loads under way for them are not joined
// any more. Other processes learn of it as their answers end.
func (c *Cache) ForgetAvailability(ctx context.Context, skus []commerce.SKU) {
	texts := make([]string, len(skus))
	for i, sku := range skus {
		texts[i] = string(sku)
	}
	c.Forget(ctx, commerce.OpAvailability, texts...)
}

// Forget drops what is known about keys of op, written as in [commerce.Source].
// An answer whose load began before is never given again by this process.
func (c *Cache) Forget(_ context.Context, op commerce.Operation, keys ...string) {
	c.graves.bury(op, keys, time.Now())
}

// Redis is the second tier's client, or nil without one. It is the cache's to close.
func (c *Cache) Redis() redis.UniversalClient {
	if c.remote == nil {
		return nil
	}
	return c.remote.client
}

// Ping tells whether Redis answers; without Redis there is nothing to fail.
func (c *Cache) Ping(ctx context.Context) error {
	if c.remote == nil {
		return nil
	}
	return c.remote.client.Ping(ctx).Err()
}

// Close ends loads under way and releases everything. Nothing may be asked afterwards.
func (c *Cache) Close() error {
	c.stop()
	c.work.Wait()
	c.memory.close()
	if c.remote == nil {
		return nil
	}
	return c.remote.client.Close()
}
