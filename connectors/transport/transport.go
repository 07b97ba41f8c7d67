package transport

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/stack"
)

// Client calls one upstream. It is safe for concurrent use.
type Client struct {
	system  string
	base    *url.URL
	cfg     Config
	sign    func(*http.Request) error
	metrics *instruments
	tracer  tracer
	deps    Deps
	run     handler
	attempt func(context.Context, *call) (*http.Response, error)
	dials   bool // attempts go over connections, whose making can be watched
	overTLS bool // and these are made with a handshake

	// What the calls to this system have in common.
	bulkhead   *bulkhead
	budget     *budget
	hedges     *allowance
	operations operations
	calls      eventCount
	fullLogged atomic.Int64 // when a refusal of the bulkhead was last logged, in ns since 1970
}

// New makes a client for the system at cfg.BaseURL. sign, which may be nil, adds
// credentials to each attempt just before it is sent; it must not change where
// the request goes.
func New(system string, cfg Config, sign func(*http.Request) error, deps Deps) (*Client, error) {
	cfg, base, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	to := wire{base: base, via: deps.Wire}
	if to.via == nil {
		to.via = newWire(cfg, base)
	}
	return newClient(system, cfg, sign, deps.withDefaults(), to)
}

// wire is where a client's attempts go. Tests put an upstream in memory there.
type wire struct {
	base *url.URL
	via  http.RoundTripper
}

func newClient(system string, cfg Config, sign func(*http.Request) error, deps Deps, to wire) (*Client, error) {
	metrics, err := newInstruments(deps.Meter)
	if err != nil {
		return nil, err
	}
	c := &Client{
		system: system, base: to.base, cfg: cfg, sign: sign, metrics: metrics, tracer: newTracer(deps.Tracer), deps: deps,
		bulkhead: newBulkhead(cfg.MaxConcurrent), budget: newBudget(), hedges: newAllowance(),
	}
	c.dials = dials(to.via)
	c.overTLS = to.base.Scheme == "https"
	c.run, c.attempt = c.callLayers(), c.attempts(to.via) //nolint:bodyclose // read whole, nothing to close
	deps.Registry.add(c)
	return c, nil
}

// Request is one call. Path segments are escaped one by one.
type Request struct {
	Method string
	Path   []string // segments below the base URL: {"V1", "carts", id}; none may be empty, a dot segment or hold a slash
	Query  url.Values
	Header http.Header // of allowedHeaders only; credentials are sign's
	Body   []byte      // nil sends none

	// Step says which of its operation's requests this is, in a word that never
	// varies, where an operation makes several: "stock.quant.search_read". They are
	// watched apart: each has its own latencies and its own circuit breaker. A good
	// lookup must not close the breaker of the request that fails after it.
	Step string

	// Read, which may be nil, is the connector's look at an answer of 2xx or 4xx. It
	// is part of the call: it runs once, on the caller's goroutine, and its error is
	// the call's. The body's memory is used again when it has returned, so whatever it keeps
	// of that is a copy: what [DecodeJSON] makes is one, but for what a [quick.Value]
	// reads as [quick.Reader.Raw]. An error of kind ErrUpstream, ErrUnavailable, ErrTimeout or
	// ErrRateLimited counts against the upstream, wherever calls are counted.
	Read func(*Response) error
}

// Response is an answer, read whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte // the caller's without a Request.Read; with one it is good until that returns, and nil then

	whole *wholeBody
}

// Do makes the call that traits describe: repeated when it is a Read, once on the
// wire when it is a Write. Any answer of 2xx or 4xx other than 429 is a Response;
// what remains is a [commerce.CallError] of kind ErrTimeout, ErrUnavailable,
// ErrRateLimited or ErrUpstream. A Write that may have reached the upstream
// without a usable answer is also [commerce.ErrOutcomeUnknown].
// A path segment that cannot be sent is a [commerce.InputError].
// context.Canceled passes unchanged, unless a Write may have left.
func (c *Client) Do(ctx context.Context, traits commerce.Traits, r Request) (*Response, error) {
	stack.To8K() // for the layers, and net/http below them
	call, err := c.newCall(traits, r)
	if err != nil {
		return nil, err
	}
	return c.run(ctx, call)
}
