package edge

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/connectors"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/edge/cors"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/edge/identity"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/edge/recent"
	"github.com/portico-bff/portico/edge/telemetry"
)

// Mode is what a process is for.
type Mode string

// The modes.
const (
	Production  Mode = "production"
	Development Mode = "development"
)

// Process says what the process is for.
type Process struct {
	Mode Mode `env:"PORTICO_MODE" envDefault:"production" doc:"production or development; development opens what helps developers (GraphiQL, introspection)."`
}

// Validate checks the mode.
func (p Process) Validate() error {
	if p.Mode != Production && p.Mode != Development {
		return config.Bad("PORTICO_MODE", "must be production or development")
	}
	return nil
}

// Config is everything both channels share.
type Config struct {
	Process
	Telemetry telemetry.Config
	Limits    limits.Config
	RateLimit ratelimit.Config
	Markets   market.Config
	Identity  identity.Config
	CORS      cors.Config
	Ordering  ordering.Config
	Cache     cache.Config
	Admin     AdminConfig
	Requests  recent.Config
	Events    events.Config
	Systems   Systems

	// Wire is what calls of the systems go through in tests: [transport.Deps]. nil: connections.
	Wire http.RoundTripper
}

// Development tells whether the process helps developers rather than shoppers.
func (c Config) Development() bool { return c.Mode == Development }

// section is a part of the configuration with variables of fixed names.
type section struct {
	title  string
	target any
}

func (c *Config) sections() []section {
	return []section{
		{"Process", &c.Process},
		{"Logs and traces", &c.Telemetry},
		{"Limits", &c.Limits},
		{"Rate limits", &c.RateLimit},
		{"Markets", &c.Markets},
		{"Identity", &c.Identity},
		{"Browsers", &c.CORS},
		{"Orders", &c.Ordering},
		{"Cache and Redis", &c.Cache},
		{"Admin", &c.Admin},
		{"Recent requests", &c.Requests},
		{"Change events", &c.Events},
	}
}

// notes stand under the titles of sections.
var notes = map[string]string{"Logs and traces": telemetry.TracesNote}

// Load reads the configuration from environ, a list of KEY=VALUE as
// [os.Environ] answers it. All bad values are reported at once.
func Load(environ []string) (Config, error) {
	var cfg Config
	var errs []error
	for _, s := range cfg.sections() {
		errs = append(errs, config.Decode(environ, "", s.target))
	}
	if cfg.Mode == Production && cfg.Ordering.TokenKey == "" {
		errs = append(errs, config.Bad("ORDER_TOKEN_KEY", "is required in production"))
	}
	errs = append(errs, checkCache(cfg.Cache))
	var err error
	cfg.Systems, err = readSystems(config.Map(environ))
	errs = append(errs, err, cfg.Events.CheckSources(cfg.Systems.mappers()))
	return cfg, errors.Join(errs...)
}

// checkCache opens the cache on trial, which does not call Redis.
func checkCache(cfg cache.Config) error {
	c, err := cache.New(cfg, cache.Deps{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return c.Close()
}

// Sections lists every variable that Load knows, for [config.Doc].
func Sections() []config.Section {
	var list []config.Section
	for _, s := range new(Config).sections() {
		list = append(list, config.Section{Title: s.title, Note: notes[s.title], Config: s.target})
	}
	list = append(list, config.Section{Title: "Systems", Prefix: "<ROLE>_", Note: systemsNote(), Config: struct {
		Kind string `env:"KIND" doc:"Kind of the role's system; without one the role's ports answer unavailable."`
	}{}})
	for _, k := range connectors.Kinds {
		list = append(list, config.Section{Title: "Systems of kind " + k.Name, Prefix: "<ROLE>_", Config: k.Config})
	}
	return list
}

// systemsNote explains roles and ports as the tables of roles and ports have them.
func systemsNote() string {
	var parts []string
	for _, role := range roles {
		var names []string
		for _, p := range ports {
			if p.role == role {
				names = append(names, "`"+p.name+"`")
			}
		}
		parts = append(parts, "`"+role+"` ("+strings.Join(names, ", ")+")")
	}
	return "The roles, and the ports they bundle: " + strings.Join(parts, "; ") + ". " +
		"A port may come from a system of its own: `<PORT>_KIND`, and any other variable with the port's name in place of the role's. " +
		"What is not set for a port is its role's, except that a role's secrets do not follow to another `<PORT>_BASE_URL`. " +
		"`RECOMMENDATIONS` and `NOTIFICATIONS` belong to no role: they come from any system that offers them."
}

// Effective is the configuration in force as log attributes, secrets hidden.
func (c Config) Effective() []slog.Attr {
	var attrs []slog.Attr
	for _, s := range c.sections() {
		attrs = append(attrs, config.Effective("", s.target)...)
	}
	for _, sys := range c.Systems.list {
		attrs = append(attrs, slog.String(sys.name+"_KIND", sys.settings.Kind))
		attrs = append(attrs, config.Effective(sys.name+"_", sys.settings.Config)...)
	}
	return attrs
}
