package bffweb

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/url"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/config"
)

// Config is everything the web channel needs. Load fills it; nothing else reads
// the environment.
type Config struct {
	edge.Config
	Listen    Listen
	GraphiQL  GraphiQL
	Documents documents.Config
	Trace     Trace
	Queries   Queries
	Live      live.Config

	Storefront Storefront

	// Manifests are trusted documents that are published for as long as the channel runs,
	// <client>/<version>.json, beside those of Documents; nil: there are none. No variable sets them:
	// they are for programs that the channel is part of.
	Manifests fs.FS
}

// Listen says where the web channel listens.
type Listen struct {
	Addr      string `env:"WEB_ADDR" envDefault:"127.0.0.1:8080" doc:"Address of the web channel's API."`
	AdminAddr string `env:"WEB_ADMIN_ADDR" envDefault:"127.0.0.1:9080" doc:"Address of the web channel's health, readiness, metrics and state of the systems; never public."`
}

// GraphiQL says what the page offers beside the editor. There is no page in production.
type GraphiQL struct {
	DemoURL string `env:"WEB_DEMO_URL" doc:"Base address of the sandbox whose customers GraphiQL and the shop offer to sign in as; in development only."`
}

// Validate checks the address.
func (g GraphiQL) Validate() error {
	if g.DemoURL == "" {
		return nil
	}
	u, err := url.Parse(g.DemoURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return config.Bad("WEB_DEMO_URL", "must be an http or https address")
	}
	return nil
}

// Storefront says whether the shop that is part of the binary is served. In development it is.
type Storefront struct {
	On bool `env:"WEB_STOREFRONT" envDefault:"false" doc:"Serves the built-in shop at / in production, too; in development it is there anyhow."`
}

// serves tells whether the built-in shop is served.
func (c Config) serves() bool { return c.Development() || c.Storefront.On }

// Queries says what one operation may ask for.
type Queries struct {
	Calls int `env:"WEB_QUERY_CALLS" envDefault:"40" doc:"Calls of one system that an operation may come to, with nothing kept but references, which are read once; one that would come to more is refused before anything is called. 0 does not limit."`
}

// Validate checks the number.
func (q Queries) Validate() error {
	if q.Calls < 0 {
		return config.Bad("WEB_QUERY_CALLS", "must be 0 or more")
	}
	return nil
}

// sections are the variables that only the web channel reads.
func (c *Config) sections() []config.Section {
	return []config.Section{
		{Title: "Web channel", Config: &c.Listen},
		{Title: "Queries", Config: &c.Queries},
		{Title: "Subscriptions", Config: &c.Live},
		{Title: "GraphiQL", Config: &c.GraphiQL},
		{Title: "Storefront", Config: &c.Storefront},
		{Title: "Trusted documents", Config: &c.Documents},
		{Title: "Traces of requests", Config: &c.Trace},
	}
}

// own is the web channel's part of the configuration in force as log attributes, secrets
// hidden; the rest is [edge.Config.Effective].
func (c Config) own() []slog.Attr {
	var attrs []slog.Attr
	for _, s := range c.sections() {
		attrs = append(attrs, config.Effective(s.Prefix, s.Config)...)
	}
	return attrs
}

// Load reads the configuration from environ, a list of KEY=VALUE as
// [os.Environ] answers it. All bad values are reported at once.
func Load(environ []string) (Config, error) {
	shared, sharedErr := edge.Load(environ)
	cfg := Config{Config: shared}
	var errs []error
	for _, s := range cfg.sections() {
		errs = append(errs, config.Decode(environ, s.Prefix, s.Config))
	}
	return cfg, errors.Join(append([]error{sharedErr}, append(errs, cfg.checkDocuments())...)...)
}

// Sections lists the variables that only the web channel reads, for [config.Doc].
func Sections() []config.Section { return new(Config).sections() }
