package events

import (
	"encoding/base64"
	"errors"
	"net"
	"strings"

	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/schema/commerce"
)

// Config says who may tell of changes, and where. Without an address nothing listens.
type Config struct {
	Addr    string            `env:"EVENTS_ADDR" doc:"Where signed change events are taken (POST /events); not taken when empty."`
	Secrets []commerce.Secret `env:"EVENTS_SECRET" doc:"Secrets that events may be signed with, separated by commas, each of at least 24 bytes; whsec_… is base64. Several are for rotation."`
	Sources map[string]string `env:"EVENTS_SOURCES" envKeyValSeparator:"=" doc:"What senders call themselves and which role they are: urn:uuid:…=checkout. A role's own name (pim) always works."`
}

// leastSecret is what Standard Webhooks asks for, in bytes.
const leastSecret = 24

// base64Secret is how the text of a secret begins that is base64.
const base64Secret = "whsec_"

// On tells whether events are taken at all.
func (c Config) On() bool { return c.Addr != "" }

// Validate checks everything but whether the sources' roles exist.
func (c Config) Validate() error {
	var errs []error
	if c.On() {
		if _, _, err := net.SplitHostPort(c.Addr); err != nil {
			errs = append(errs, config.Bad("EVENTS_ADDR", "must be host:port"))
		}
		if len(c.Secrets) == 0 {
			errs = append(errs, config.Bad("EVENTS_SECRET", "is required with EVENTS_ADDR"))
		}
	}
	for source := range c.Sources {
		if !sourcePattern.MatchString(source) {
			errs = append(errs, config.Bad("EVENTS_SOURCES", "must be source=role pairs, separated by commas"))
			break
		}
	}
	_, err := c.keys()
	return errors.Join(append(errs, err)...)
}

// keys are the secrets as bytes.
func (c Config) keys() ([][]byte, error) {
	keys := make([][]byte, len(c.Secrets))
	for i, secret := range c.Secrets {
		key, err := keyOf(secret)
		if err != nil || len(key) < leastSecret {
			return nil, config.Bad("EVENTS_SECRET", "must hold secrets of at least 24 bytes; after whsec_, in base64")
		}
		keys[i] = key
	}
	return keys, nil
}

func keyOf(secret commerce.Secret) ([]byte, error) {
	if text, ok := strings.CutPrefix(string(secret), base64Secret); ok {
		return base64.StdEncoding.DecodeString(text)
	}
	return []byte(secret), nil
}
