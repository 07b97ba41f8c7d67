package bffweb

import (
	"errors"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/config"
)

// Config is everything the web channel needs. Load fills it; nothing else reads
// the environment.
type Config struct {
	edge.Config
	Listen Listen
}

// Listen says where the web channel listens.
type Listen struct {
	Addr      string `env:"WEB_ADDR" envDefault:"127.0.0.1:8080" doc:"Address of the web channel's API."`
	AdminAddr string `env:"WEB_ADMIN_ADDR" envDefault:"127.0.0.1:9080" doc:"Address of the web channel's health, readiness, metrics and state of the systems; never public."`
}

// Load reads the configuration from environ, a list of KEY=VALUE as
// [os.Environ] answers it. All bad values are reported at once.
func Load(environ []string) (Config, error) {
	shared, sharedErr := edge.Load(environ)
	cfg := Config{Config: shared}
	err := config.Decode(environ, "", &cfg.Listen)
	return cfg, errors.Join(sharedErr, err)
}

// Sections lists the variables that only the web channel reads, for [config.Doc].
func Sections() []config.Section {
	return []config.Section{{Title: "Web channel", Config: &Listen{}}}
}
