package bffmobile

import (
	"errors"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/portico-bff/portico/bff-mobile/internal/lifecycle"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/schema/commerce"
)

// Config is everything the mobile channel is told.
type Config struct {
	edge.Config
	Channel Channel
}

// Channel is what only the mobile channel is told.
type Channel struct {
	Addr      string `env:"MOBILE_ADDR" envDefault:"127.0.0.1:8081" doc:"Where the mobile channel listens."`
	AdminAddr string `env:"MOBILE_ADMIN_ADDR" envDefault:"127.0.0.1:9081" doc:"Where the mobile channel answers /healthz, /readyz, /metrics and /systems; never public."`
	HomePage  string `env:"MOBILE_HOME_PAGE" envDefault:"home" doc:"Id of the content page that the home screen shows."`
	DemoURL   string `env:"MOBILE_DEMO_URL" doc:"Base address of the sandbox whose customers Swagger UI offers to sign in as; in development only."`
	// LateFrom 0 leaves MAX_IN_FLIGHT alone to say how many are served.
	LateFrom time.Duration `env:"MOBILE_LATE_FROM" envDefault:"2ms" doc:"How long what can run has to wait for a processor for requests to the mobile channel to wait in line; a line that keeps growing is shed with 503. 0s has nobody wait: only MAX_IN_FLIGHT refuses."`
	Apps     lifecycle.Config
}

// Validate checks the channel's own settings.
func (c Channel) Validate() error {
	errs := []error{c.Apps.Validate()}
	for _, a := range []struct{ variable, addr string }{{"MOBILE_ADDR", c.Addr}, {"MOBILE_ADMIN_ADDR", c.AdminAddr}} {
		if _, _, err := net.SplitHostPort(a.addr); err != nil {
			errs = append(errs, config.Bad(a.variable, "must be host:port"))
		}
	}
	if _, err := commerce.ParsePageID("MOBILE_HOME_PAGE", c.HomePage); err != nil {
		errs = append(errs, config.Bad("MOBILE_HOME_PAGE", "must be a page id"))
	}
	if u, err := url.Parse(c.DemoURL); c.DemoURL != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
		errs = append(errs, config.Bad("MOBILE_DEMO_URL", "must be an http or https address"))
	}
	if c.LateFrom < 0 {
		errs = append(errs, config.Bad("MOBILE_LATE_FROM", "must not be negative"))
	}
	return errors.Join(errs...)
}

// Load reads the configuration from environ, a list of KEY=VALUE as
// [os.Environ] answers it. All bad values are reported at once.
func Load(environ []string) (Config, error) {
	shared, sharedErr := edge.Load(environ)
	cfg := Config{Config: shared}
	errs := []error{sharedErr}
	for _, s := range cfg.sections() {
		errs = append(errs, config.Decode(environ, s.Prefix, s.Config))
	}
	return cfg, errors.Join(errs...)
}

// sections are the variables that only the mobile channel reads.
func (c *Config) sections() []config.Section {
	return []config.Section{{Title: "Mobile channel", Config: &c.Channel}}
}

// own is the mobile channel's part of the configuration in force as log attributes, secrets
// hidden; the rest is [edge.Config.Effective].
func (c Config) own() []slog.Attr {
	var attrs []slog.Attr
	for _, s := range c.sections() {
		attrs = append(attrs, config.Effective(s.Prefix, s.Config)...)
	}
	return attrs
}

// Sections lists the variables that only the mobile channel reads, for [config.Doc].
func Sections() []config.Section { return new(Config).sections() }
