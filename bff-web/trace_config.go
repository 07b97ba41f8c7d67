package bffweb

import (
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/schema/commerce"
)

// Trace says who is shown traces of requests in production. In development everybody
// is who asks.
type Trace struct {
	Secret commerce.Secret `env:"WEB_TRACE_SECRET" doc:"Signs the X-Trace header that shows extensions.trace in production, 32 bytes at least; without one nobody is shown a trace there."`
}

// leastTraceSecret is how many bytes the secret has at least.
const leastTraceSecret = 32

// Validate checks the secret's length.
func (t Trace) Validate() error {
	if t.Secret != "" && len(t.Secret) < leastTraceSecret {
		return config.Bad("WEB_TRACE_SECRET", "must have at least 32 bytes")
	}
	return nil
}
