package transport

import (
	"context"
	"net/http"
	"slices"
)

// handler makes a whole call. What a layer learns about the call it leaves in
// it, for the layers outside.
type handler func(context.Context, *call) (*Response, error)

// attemptHandler makes one attempt. Its error is an [attemptError]; the body of
// its answer is a [wholeBody].
type attemptHandler func(context.Context, *attempt) (*http.Response, error)

// callLayers is what surrounds a call as a whole, outermost first.
func (c *Client) callLayers() handler {
	return stacked(handler(c.retry),
		c.observe,  // span and metrics of the operation, and one warning when it failed
		c.deadline, // of the caller, the operation, or the configuration: whichever is first
		c.readBy,   // the connector's look at the answer, which decides whether it was one
		// retry is innermost: go-retryablehttp's loop with policies of our own; asks the budget
	)
}

// attemptLayers is what surrounds each attempt, outermost first.
func (c *Client) attemptLayers(via http.RoundTripper) attemptHandler {
	return stacked(c.onWire(via),
		c.hedge,     // a second attempt beside a read that takes long; asks the budget
		c.recorded,  // on the trail of who waits, also what is refused from here on
		c.broken,    // circuit breaker of the operation
		c.admitted,  // bulkhead of the system, with a limit that adapts
		c.measured,  // recent latencies and failures; the budget's accounts
		c.timeout,   // of one attempt, headers and body; told to the upstream
		c.traced,    // span; how far it got; the transport's errors become ours
		c.signed,    // credentials, fresh for each attempt
		c.readWhole, // the body, within its limit
	)
}

func stacked[H any](inner H, layers ...func(H) H) H {
	for _, layer := range slices.Backward(layers) {
		inner = layer(inner)
	}
	return inner
}
