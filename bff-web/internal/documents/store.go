package documents

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/portico-bff/portico/edge/config"
)

// Config says where manifests are published.
type Config struct {
	Dir   string        `env:"WEB_DOCUMENTS_DIR" doc:"Directory of trusted documents' manifests, <client>/<version>.json as graphql-codegen writes them (docs/web.md). In production this, WEB_DOCUMENTS_REDIS or WEB_STOREFRONT is required."`
	Redis bool          `env:"WEB_DOCUMENTS_REDIS" envDefault:"false" doc:"Takes manifests from REDIS_URL, too (docs/web.md)."`
	Poll  time.Duration `env:"WEB_DOCUMENTS_POLL" envDefault:"5s" doc:"How often manifests are looked at for changes; at least 100ms."`
	// Open queries are free text.
	Open bool `env:"WEB_OPEN_QUERIES" envDefault:"false" doc:"Answers free text beside trusted documents; in development only."`
}

// leastPoll keeps a mistaken interval from being a load of its own.
const leastPoll = 100 * time.Millisecond

// Validate checks the interval.
func (c Config) Validate() error {
	if c.Poll < leastPoll {
		return config.Bad("WEB_DOCUMENTS_POLL", "must be at least 100ms")
	}
	return nil
}

// Deps are what the channel lends.
type Deps struct {
	Rules Rules
	Redis redis.UniversalClient // nil: none
	Log   *slog.Logger
	Meter metric.MeterProvider // nil: nothing is measured
	// Bundled are manifests of clients that this process serves itself.
	Bundled []Bundled
	// Required has the store not open when its directory holds no manifest that can be used.
	Required bool
}

// readTimeout bounds one look at all sources.
const readTimeout = 15 * time.Second

// Store is everything that is published, kept current. It is safe for concurrent use.
type Store struct {
	rules   Rules
	log     *slog.Logger
	open    bool
	since   time.Time
	sources []source

	set        atomic.Pointer[set]
	generation atomic.Uint64 // grows with every set
	problems   atomic.Pointer[[]Problem]
	states     atomic.Pointer[[]state]
	refused    [len(refusals)]atomic.Int64

	mu   sync.Mutex // held while sources are read
	held map[place]*held
	last []state // of sources, by their places

	stop context.CancelFunc
	work sync.WaitGroup
}

// place is where a manifest lies.
type place struct{ source, file string }

// state is how a source is.
type state struct {
	Source  string    `json:"source"`
	Read    bool      `json:"read"`              // at least once
	Checked time.Time `json:"checked"`           // the last time that it could be read
	Problem string    `json:"problem,omitempty"` // why it cannot be read now
	strays  []Problem
}

// Open reads all sources and keeps up with them until the store is closed. Redis need
// not be up.
func Open(ctx context.Context, cfg Config, deps Deps) (*Store, error) {
	s := &Store{rules: deps.Rules, log: deps.Log, open: cfg.Open, since: time.Now(), held: map[place]*held{}, stop: func() {}}
	if cfg.Dir != "" {
		s.sources = append(s.sources, newDirectory(cfg.Dir))
	}
	if cfg.Redis {
		if deps.Redis == nil {
			return nil, config.Bad("WEB_DOCUMENTS_REDIS", "needs REDIS_URL")
		}
		s.sources = append(s.sources, newRemote(deps.Redis))
	}
	changing := len(s.sources) > 0
	if len(deps.Bundled) > 0 {
		s.sources = append(s.sources, &bundle{manifests: deps.Bundled})
	}
	for _, src := range s.sources {
		s.last = append(s.last, state{Source: src.name()})
	}
	s.set.Store(newSet())
	s.publish(nil)
	s.Refresh(ctx)
	if deps.Required && cfg.Dir != "" && !s.holds("directory") {
		return nil, s.unusable()
	}
	if deps.Meter == nil {
		deps.Meter = noop.NewMeterProvider()
	}
	if err := s.measure(deps.Meter); err != nil {
		return nil, err
	}
	if changing {
		ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
		s.work.Go(func() { s.follow(ctx, cfg.Poll) })
	}
	return s, nil
}

// unusable is why no manifest of the directory can be used, all of it.
func (s *Store) unusable() error {
	errs := []error{config.Bad("WEB_DOCUMENTS_DIR", "holds no manifest that can be used")}
	for _, p := range *s.problems.Load() {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// holds tells whether anything from a source can be used.
func (s *Store) holds(source string) bool {
	for _, m := range s.set.Load().list {
		if m.source == source {
			return true
		}
	}
	return false
}

// Close ends what keeps the store current.
func (s *Store) Close() {
	if s == nil {
		return
	}
	s.stop()
	s.work.Wait()
}

func (s *Store) follow(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.Refresh(ctx)
		}
	}
}

// Opens tells whether free text is answered.
func (s *Store) Opens() bool { return s.open }

// Ready tells whether documents can be asked for, or free text: a source that has
// never been read leaves open what is published.
func (s *Store) Ready() bool {
	if s.open || len(s.set.Load().byHash) > 0 {
		return true
	}
	for _, st := range *s.states.Load() {
		if !st.Read {
			return false
		}
	}
	return true
}

// Generation grows whenever what is published changes.
func (s *Store) Generation() uint64 { return s.generation.Load() }

// Find is the document that id names, or nil.
func (s *Store) Find(id string) *Document {
	if d := s.set.Load().byID[id]; d != nil {
		return d
	}
	s.refused[s.absent()].Add(1)
	return nil
}

func (s *Store) absent() refusal {
	if s.Ready() {
		return unknown
	}
	return unready
}

// Refused counts a request that brought no id where one is required.
func (s *Store) Refused() { s.refused[required].Add(1) }

// Used counts a request for d, which came in at now, by whom its headers name.
func (s *Store) Used(by Client, d *Document, now time.Time) {
	current := s.set.Load()
	m := current.manifests[by]
	if m == nil {
		if u := current.strangers[d]; u != nil { // nil: it has been taken away meanwhile
			u.note(now)
		}
		return
	}
	u := m.uses[d]
	if u == nil {
		u = m.others
	}
	u.note(now)
}
