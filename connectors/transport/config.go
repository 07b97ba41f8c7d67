package transport

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// Config says how to reach one upstream. It is embedded in every kind's Config.
// A zero limit means the default that its tag names.
type Config struct {
	BaseURL        string        `env:"BASE_URL,required,notEmpty" doc:"Where the system answers: http or https, without credentials, query or fragment."`
	AllowPrivate   bool          `env:"ALLOW_PRIVATE" doc:"Admits loopback, private and link-local addresses of the system."`
	AttemptTimeout time.Duration `env:"ATTEMPT_TIMEOUT" envDefault:"2s" doc:"Limit of one attempt to read, headers and body."`
	Timeout        time.Duration `env:"TIMEOUT" envDefault:"5s" doc:"Limit of one operation, retries included."`
	MaxAttempts    int           `env:"MAX_ATTEMPTS" envDefault:"3" doc:"Attempts of one read operation, 1 to 3; writes are sent once."`
	MaxBodyBytes   int64         `env:"MAX_BODY_BYTES" envDefault:"2097152" doc:"Limit of an answer in bytes, once decompressed."`
	MaxConcurrent  int           `env:"MAX_CONCURRENT" envDefault:"128" doc:"Most attempts at a time; the limit in force adapts below it."`
	NoHedge        bool          `env:"NO_HEDGE" doc:"Sends no second attempt for a read that takes longer than usual."`
}

// Deps are what the process lends to every connector. Zero fields have working
// defaults: the process's default logger, no metrics, no traces.
type Deps struct {
	Log      *slog.Logger
	Meter    metric.MeterProvider
	Tracer   trace.TracerProvider
	Registry *Registry // where the systems' live state can be seen; may be nil
	Role     string    // which of the process's systems this is: "pim"; tells two of one kind apart

	// Invalidations is what connectors that keep reference data hand to it, so that change
	// events and invalidations reach it; nil: it lives for its time.
	Invalidations commerce.Invalidations

	// Wire is what attempts go through instead of connections of the client's own: systems
	// in memory, with a clock of the test's. nil outside of tests: a Wire checks no address.
	Wire http.RoundTripper
}

const (
	defaultAttemptTimeout = 2 * time.Second
	defaultTimeout        = 5 * time.Second
	maxAttempts           = 3
	defaultMaxBody        = 2 << 20
	defaultConcurrent     = 128
	mostConcurrent        = 10_000
)

// SettingError is a setting that cannot be used. Whoever reads the settings
// knows what stands before the variable: the role ("PIM_") or port they are for.
type SettingError struct {
	Variable string // as in the Config's env tag: "BASE_URL"
	Problem  string // what is wrong, without a secret's value
}

func (e *SettingError) Error() string { return e.Variable + " " + e.Problem }

// BadSetting is a [SettingError] about a variable.
func BadSetting(variable, problem string) error {
	return &SettingError{Variable: variable, Problem: problem}
}

// checked fills in defaults and reports every bad setting at once.
func (c Config) checked() (Config, *url.URL, error) {
	var errs []error
	base, err := parseBase(c.BaseURL)
	if err != nil {
		errs = append(errs, err)
	}
	for _, limit := range []struct {
		ok                bool
		variable, problem string
	}{
		{c.AttemptTimeout >= 0, "ATTEMPT_TIMEOUT", "must not be negative"},
		{c.Timeout >= 0, "TIMEOUT", "must not be negative"},
		{c.MaxAttempts >= 0 && c.MaxAttempts <= maxAttempts, "MAX_ATTEMPTS", "must be 1 to 3; 1 is no retry"},
		{c.MaxBodyBytes >= 0, "MAX_BODY_BYTES", "must not be negative"},
		{c.MaxConcurrent >= 0 && c.MaxConcurrent <= mostConcurrent, "MAX_CONCURRENT", "must be 1 to 10000"},
	} {
		if !limit.ok {
			errs = append(errs, BadSetting(limit.variable, limit.problem))
		}
	}
	c.AttemptTimeout = orDefault(c.AttemptTimeout, defaultAttemptTimeout)
	c.Timeout = orDefault(c.Timeout, defaultTimeout)
	c.MaxAttempts = orDefault(c.MaxAttempts, maxAttempts)
	c.MaxBodyBytes = orDefault(c.MaxBodyBytes, int64(defaultMaxBody))
	c.MaxConcurrent = orDefault(c.MaxConcurrent, defaultConcurrent)
	return c, base, errors.Join(errs...)
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// parseBase never repeats the URL in its errors: it may hold a password by mistake.
func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, BadSetting("BASE_URL", "cannot be parsed")
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, BadSetting("BASE_URL", "must begin with http:// or https://")
	case base.Hostname() == "":
		return nil, BadSetting("BASE_URL", "names no host")
	case base.User != nil:
		return nil, BadSetting("BASE_URL", "must not hold credentials")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "" || strings.Contains(text, "#"):
		return nil, BadSetting("BASE_URL", "must have neither query nor fragment")
	}
	for segment := range strings.SplitSeq(base.Path, "/") {
		if segment == "." || segment == ".." {
			return nil, BadSetting("BASE_URL", "must not hold dot segments")
		}
	}
	return base, nil
}

func (d Deps) withDefaults() Deps {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Meter == nil {
		d.Meter = noop.NewMeterProvider()
	}
	return d
}
