// Package limits holds what one request and one process may use at most.
package limits

import (
	"errors"
	"time"
)

// Config bounds requests. Both channels read the same limits.
type Config struct {
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"5s" doc:"Deadline of one request, from its headers to its answer."`
	MaxInFlight    int           `env:"MAX_IN_FLIGHT" envDefault:"512" doc:"Requests served at once; more are refused with 503 and Retry-After. The mobile channel keeps a fifth of it for writes and orders."`
	DrainTimeout   time.Duration `env:"DRAIN_TIMEOUT" envDefault:"10s" doc:"How long a stopping process waits for requests in flight."`
	DrainDelay     time.Duration `env:"DRAIN_DELAY" envDefault:"0s" doc:"How long a stopping process answers /readyz with 503 before it refuses connections."`
}

// Validate checks that every limit is one.
func (c Config) Validate() error {
	var errs []error
	if c.RequestTimeout <= 0 {
		errs = append(errs, errors.New("REQUEST_TIMEOUT must be more than 0s"))
	}
	if c.MaxInFlight <= 0 {
		errs = append(errs, errors.New("MAX_IN_FLIGHT must be more than 0"))
	}
	if c.DrainTimeout < 0 || c.DrainDelay < 0 {
		errs = append(errs, errors.New("DRAIN_TIMEOUT and DRAIN_DELAY must not be negative"))
	}
	return errors.Join(errs...)
}

// Sizes that are the same everywhere. They are part of the channels' contracts.
const (
	MaxHeaderBytes   = 16 << 10 // of a request's header
	MaxMobileBody    = 64 << 10 // of a request to the mobile channel
	MaxGraphQLBody   = 32 << 10 // of a request to the web channel in open mode
	MaxResponseBytes = 5 << 20  // of an answer
)
