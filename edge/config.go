package edge

import (
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/edge/cors"
	"github.com/portico-bff/portico/edge/identity"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/edge/telemetry"
)

// Mode is what a process is for.
type Mode string

// The modes.
const (
	Production  Mode = "production"
	Development Mode = "development"
)

// Config is everything both channels share.
type Config struct {
	Mode      Mode `env:"PORTICO_MODE" envDefault:"production" doc:"production or development; development opens what helps developers (GraphiQL, introspection)."`
	Telemetry telemetry.Config
	Limits    limits.Config
	Markets   market.Config
	Identity  identity.Config
	CORS      cors.Config
	Ordering  ordering.Config
}

// Development tells whether the process helps developers rather than shoppers.
func (c Config) Development() bool { return c.Mode == Development }

// Load reads the configuration from environ, a list of KEY=VALUE as
// [os.Environ] answers it. All bad values are reported at once.
func Load(environ []string) (Config, error) {
	var cfg Config
	err := config.Decode(environ, "", &cfg)
	return cfg, err
}

// Sections lists every variable that Load knows, for [config.Doc].
func Sections() []config.Section { return nil }
