// Package live bounds who may watch, and for how long: subscriptions of the process and of
// each client, the turns in which their values are read, and their end when the process
// stops.
package live

import (
	"errors"
	"time"

	"github.com/portico-bff/portico/edge/config"
)

// Config says how much may be watched.
type Config struct {
	Most      int           `env:"WEB_LIVE_MOST" envDefault:"5000" doc:"Subscriptions, and connections for them, that the process has at once; what is beyond is answered 503. 0 turns subscriptions off."`
	PerClient int           `env:"WEB_LIVE_PER_CLIENT" envDefault:"200" doc:"Subscriptions that a signed-in customer, or an address of those who are not, has at once at this process; 429 beyond."`
	Reread    time.Duration `env:"WEB_LIVE_REREAD" envDefault:"45s" doc:"How long a watched value stands without a word from its system before it is read again, a fifth more or less; 1s at least."`
}

// Validate checks the numbers.
func (c Config) Validate() error {
	var errs []error
	if c.Most < 0 {
		errs = append(errs, config.Bad("WEB_LIVE_MOST", "must be 0 or more"))
	}
	if c.PerClient < 1 {
		errs = append(errs, config.Bad("WEB_LIVE_PER_CLIENT", "must be 1 or more"))
	}
	if c.Reread < time.Second {
		errs = append(errs, config.Bad("WEB_LIVE_REREAD", "must be 1s or more"))
	}
	return errors.Join(errs...)
}
