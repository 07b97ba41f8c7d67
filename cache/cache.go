package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/portico-bff/portico/schema/commerce"
)

// Config of the cache. A zero limit means the default that its tag names, unless its doc says otherwise.
type Config struct {
	Off         bool            `env:"CACHE_OFF" envDefault:"false" doc:"Keeps nothing that systems answer, and no whole answers: every read asks its system, and only those at a time share a call."`
	RedisURL    commerce.Secret `env:"REDIS_URL" doc:"Redis for the second cache tier and idempotency keys: redis, rediss, redis+sentinel or redis+cluster; empty keeps both in this process."`
	L1Bytes     int64           `env:"CACHE_L1_BYTES" envDefault:"25165824" doc:"Memory for what systems answered, in bytes, with what garbage collection takes for it (GOGC)."`
	AnswerBytes int64           `env:"CACHE_ANSWER_BYTES" envDefault:"12582912" doc:"Memory for whole answers to clients, alike; 0 keeps none."`
	// SurrogateKeyBytes bounds the header by which public answers name what they were made of.
	SurrogateKeyBytes int           `env:"SURROGATE_KEY_BYTES" envDefault:"2560" doc:"Most bytes of Surrogate-Key, in which public answers to GET name their tags for a content delivery network to purge by; what has more tags is not for shared caches. 0 names none; at most 16384."`
	HardTimeout       time.Duration `env:"CACHE_HARD_TIMEOUT" envDefault:"1s" doc:"How long a request waits for an answer that is not in the cache; its deferred parts wait longer."`
	// Unheard is 0 where answers last their whole lifetime all the same.
	Unheard time.Duration `env:"CACHE_UNHEARD" envDefault:"5s" doc:"How long an answer counts as fresh at most while this process cannot hear what others invalidate; 0 sets no bound."`
}

const (
	defaultL1Bytes     = 24 << 20
	leastL1Bytes       = 64 << 10
	defaultHardTimeout = time.Second
)

// Deps are what the process lends. Zero fields have working defaults.
type Deps struct {
	Log   *slog.Logger
	Meter metric.MeterProvider
	// Dial opens connections to Redis; nil is over the network. Tests of what stands on the cache have it in memory.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Cache keeps and shares answers of upstreams. It is safe for concurrent use.
type Cache struct {
	off         bool
	hardTimeout time.Duration
	unheard     time.Duration // see span
	memory      *memory
	remote      *remote // nil without Redis
	flights     flights
	tags        *tagTable
	news        *news // nil without Redis
	epochs      *epochs
	phases      *phases
	metrics     *instruments
	unwatch     func() error // nil without Redis
	log         *slog.Logger
	pause       func() // lets those go first who are ready to run; see board

	// Loads under way belong to the cache, not to a request.
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup
	// So does the reading of what others invalidate, which ends with the cache only.
	following sync.WaitGroup
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
	if cfg.Unheard != 0 && cfg.Unheard < hearing {
		errs = append(errs, errors.New("CACHE_UNHEARD: must be 0 or at least 1s"))
	}
	errs = append(errs, cfg.checkAnswers())
	metrics, err := newInstruments(deps.Meter)
	errs = append(errs, err)
	second, err := newRemote(cfg.RedisURL, deps, metrics)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	tags := newTagTable()
	first, err := newMemory(cfg.L1Bytes, tags.alive)
	if err != nil {
		return nil, err
	}
	c := &Cache{
		off: cfg.Off, hardTimeout: cfg.HardTimeout, unheard: cfg.Unheard, memory: first, remote: second, metrics: metrics, log: deps.Log,
		flights: flights{byKey: map[string]*flight{}}, tags: tags, epochs: newEpochs(), phases: newPhases(),
		pause: runtime.Gosched,
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	if second == nil {
		return c, nil
	}
	second.life, second.arrived, second.work = c.ctx, c.arrived, &c.work
	c.news = newNews(second, *second.opts, c.tags)
	if c.unwatch, err = metrics.watch(c.news); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.following.Go(func() { c.news.follow(c.ctx) })
	return c, nil
}

func newRemote(address commerce.Secret, deps Deps, metrics *instruments) (*remote, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // no Redis is a configuration, not a failure
	}
	opts, err := redisOptions(address)
	if err != nil {
		return nil, err
	}
	opts.Dialer = deps.Dial
	p, err := newPacker()
	if err != nil {
		return nil, err
	}
	leased, err := newLeaseCounts(metrics.meter)
	if err != nil {
		return nil, err
	}
	silence()
	return &remote{
		client: newClient(*opts), lent: newClient(lent(*opts)), opts: opts, cluster: opts.IsClusterMode,
		packer: p, wait: remoteWait, log: deps.Log, metrics: metrics, leased: leased, name: rand.Text(),
		rooms: rooms{kept: make(chan *room, freeRooms)}, desks: rooms{kept: make(chan *room, freeDesks)},
	}, nil
}

// HeardSince tells whether this process knows by now of everything that others had
// invalidated by t: what it answers from here on is no older than that. Without Redis
// there are no others.
func (c *Cache) HeardSince(t time.Time) bool {
	return c.news == nil || (c.news.current.Load() && c.news.lastHeard().After(t))
}

// Invalidate drops every answer that was made of one of tags, in constant time
// whatever their number: from its return on this process gives none of them again,
// nor what was under way for them, and other processes follow within a second. With
// an error, which is then [commerce.ErrUnavailable], they do not know yet: they are
// told as soon as Redis answers. Without Redis there are no others.
func (c *Cache) Invalidate(ctx context.Context, tags ...commerce.Tag) error {
	if len(tags) == 0 {
		return nil
	}
	c.metrics.invalidated("own", len(tags))
	if c.news == nil {
		c.tags.strike(tags, false)
		return nil
	}
	return c.news.tell(ctx, tags)
}

// Forget drops what is known about keys of op, written as in [commerce.Source]. See
// [Cache.Invalidate].
func (c *Cache) Forget(ctx context.Context, op commerce.Operation, keys ...string) error {
	tags := make([]commerce.Tag, len(keys))
	for i, text := range keys {
		tags[i] = tagOfKey(op, text)
	}
	return c.Invalidate(ctx, tags...)
}

// ForgetAvailability drops what is known about the stock of skus, in every market:
// an order has just changed it. That others learn of it late is in the log.
func (c *Cache) ForgetAvailability(ctx context.Context, skus []commerce.SKU) {
	tags := make([]commerce.Tag, len(skus))
	for i, sku := range skus {
		tags[i] = commerce.TagStock(sku)
	}
	_ = c.Invalidate(ctx, tags...)
}

// Redis is a client of the second tier's Redis for those whom no shopper's read
// waits for, or nil without one. It waits for two seconds where the cache waits for
// milliseconds: who borrows it brings deadlines. It never sends a command again. It
// is the cache's to close.
func (c *Cache) Redis() redis.UniversalClient {
	if c.remote == nil {
		return nil
	}
	return c.remote.lent
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
	if c.remote == nil {
		c.work.Wait()
		c.memory.close()
		return nil
	}
	errs := []error{c.news.reader.Close()} // ends its blocking read
	c.following.Wait()
	c.work.Wait()
	c.memory.close()
	if c.unwatch != nil {
		errs = append(errs, c.unwatch())
	}
	return errors.Join(append(errs, c.remote.client.Close(), c.remote.lent.Close())...)
}
