// Package transport is the one place where a call to an upstream is made safe:
// deadlines, retries, limits and redaction live here, so that no connector
// writes a retry loop or reads an unbounded body.
package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/portico-bff/portico/schema/commerce"
)

// Config says how to reach one upstream. It is embedded in every kind's Config.
type Config struct {
	BaseURL        string        `env:"BASE_URL,required,notEmpty"`
	AllowPrivate   bool          `env:"ALLOW_PRIVATE"`
	AttemptTimeout time.Duration `env:"ATTEMPT_TIMEOUT" envDefault:"2s"`
	Timeout        time.Duration `env:"TIMEOUT" envDefault:"5s"`
	MaxAttempts    int           `env:"MAX_ATTEMPTS" envDefault:"3"`
	MaxBodyBytes   int64         `env:"MAX_BODY_BYTES" envDefault:"2097152"`
}

// Deps are what the process lends to every connector. Zero fields have working defaults.
type Deps struct {
	Log   *slog.Logger
	Meter metric.MeterProvider
}

// Client calls one upstream.
type Client struct {
	system string
	base   *url.URL
	cfg    Config
	http   *http.Client
	sign   func(*http.Request) error
}

// New makes a client for the system at cfg.BaseURL. sign, which may be nil, adds
// credentials to each attempt just before it is sent.
func New(system string, cfg Config, sign func(*http.Request) error, deps Deps) (*Client, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil {
		return nil, errors.New("base URL: cannot be parsed")
	}
	return &Client{system: system, base: base, cfg: cfg, http: &http.Client{}, sign: sign}, nil
}

// Request is one call. Path segments are escaped one by one.
type Request struct {
	Method string
	Path   []string // segments below the base URL: {"V1", "carts", id}
	Query  url.Values
	Header http.Header
	Body   []byte // nil sends none
}

// Response is an answer, read whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes the call that traits describe: repeated when it is a Read, once on the
// wire when it is a Write. Any answer below 500 other than 429 is a Response;
// what remains is a [commerce.CallError] of kind ErrTimeout, ErrUnavailable,
// ErrRateLimited or ErrUpstream. A Write that may have reached the upstream
// without a usable answer is also [commerce.ErrOutcomeUnknown].
// context.Canceled passes unchanged.
func (c *Client) Do(ctx context.Context, traits commerce.Traits, r Request) (*Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, c.base.JoinPath(r.Path...).String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	req.URL.RawQuery = r.Query.Encode()
	for k, v := range r.Header {
		req.Header[k] = v
	}
	if c.sign != nil {
		if err := c.sign(req); err != nil {
			return nil, err
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, &commerce.CallError{System: c.system, Operation: traits.Operation, Kind: commerce.ErrUnavailable, Err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, c.cfg.MaxBodyBytes))
	if err != nil {
		return nil, &commerce.CallError{System: c.system, Operation: traits.Operation, Kind: commerce.ErrUnavailable, Err: err}
	}
	if res.StatusCode >= 500 || res.StatusCode == 429 {
		return nil, &commerce.CallError{System: c.system, Operation: traits.Operation, Kind: commerce.ErrUnavailable}
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}
