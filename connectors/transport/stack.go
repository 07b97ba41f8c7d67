package transport

import (
	"context"
	"net/http"
	"slices"
)

// handler makes a whole call; a callLayer wraps one. What a layer learns about
// the call it leaves in it, for the layers outside.
type (
	handler   func(context.Context, *call) (*Response, error)
	callLayer func(handler) handler
)

// attemptLayer wraps what makes one attempt.
type attemptLayer func(http.RoundTripper) http.RoundTripper

// roundTrip is a RoundTripper and nothing else. That it has no
// CloseIdleConnections is the point: retryablehttp calls that after every failed
// call, and a failing operation would empty the pool of all others.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// callLayers is what surrounds a call as a whole, outermost first.
func (c *Client) callLayers() handler {
	return callThrough(c.retry,
		c.observe,  // metrics, and one warning when it failed
		c.deadline, // of the caller, the operation, or the configuration: whichever is first
		// retry is innermost: go-retryablehttp's loop with policies of our own.
		// A retry budget is asked there, beside the clock.
	)
}

// attemptLayers is what surrounds each attempt, outermost first.
func (c *Client) attemptLayers(via http.RoundTripper) http.RoundTripper {
	return attemptThrough(via,
		// hedge, circuit breaker and bulkhead go here, in this order.
		c.timeout,   // of one attempt, headers and body
		c.signed,    // credentials, fresh for each attempt
		c.readWhole, // the body, within its limit
		c.traced,    // how far the attempt got; the transport's errors become ours
		onWireOnce,  // net/http repeats nothing by itself
	)
}

func callThrough(inner handler, layers ...callLayer) handler {
	for _, layer := range slices.Backward(layers) {
		inner = layer(inner)
	}
	return inner
}

func attemptThrough(inner http.RoundTripper, layers ...attemptLayer) http.RoundTripper {
	for _, layer := range slices.Backward(layers) {
		inner = layer(inner)
	}
	return inner
}
