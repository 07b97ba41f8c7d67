// Package cors decides which web origins may read answers. It holds the exact
// list only; the channels write the headers.
package cors

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Config lists origins.
type Config struct {
	Origins []string `env:"WEB_ORIGINS" doc:"Web origins that may call the APIs from a browser, exactly as browsers send them (https://shop.example), separated by commas; empty allows none."`
}

// Validate checks the list as New does.
func (c Config) Validate() error {
	_, err := New(c)
	return err
}

// Policy is an exact list of origins. The zero value and nil allow none.
type Policy struct{ origins map[string]bool }

// New checks the list: every origin is scheme and host with an optional port and
// nothing else, in lower case. Wildcards and "null" are refused.
func New(cfg Config) (*Policy, error) {
	p := &Policy{origins: map[string]bool{}}
	var errs []error
	for i, origin := range cfg.Origins {
		origin = strings.TrimSpace(origin)
		if origin == "" {
			continue
		}
		if err := check(origin); err != nil {
			errs = append(errs, fmt.Errorf("WEB_ORIGINS: origin %d %w", i+1, err))
			continue
		}
		p.origins[origin] = true
	}
	return p, errors.Join(errs...)
}

var errOrigin = errors.New("must look like https://shop.example or http://127.0.0.1:3000, in lower case")

func check(origin string) error {
	u, err := url.Parse(origin)
	if err != nil {
		return errOrigin
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || strings.Contains(u.Host, "*") {
		return errOrigin
	}
	canonical := u.Scheme + "://" + strings.ToLower(u.Host)
	defaultPort := u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80"
	if origin != canonical || defaultPort {
		return errOrigin // a browser would never send it so, the entry would be dead
	}
	return nil
}

// Allowed tells whether a page of this origin may read answers. It compares
// whole strings: a look-alike, "null" and an empty origin are never allowed.
func (p *Policy) Allowed(origin string) bool {
	return p != nil && origin != "" && p.origins[origin]
}
