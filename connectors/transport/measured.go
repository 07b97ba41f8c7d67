package transport

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// measured times what happens past the queue and keeps the books that policies
// read: the operation's recent latencies, and the system's budget.
func (c *Client) measured(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		begun := time.Now()
		res, err := next(ctx, a)
		a.took = time.Since(begun)
		recent := a.call.operation.recent
		switch verdictOf(res, err) {
		case verdictGood:
			recent.answered(a.took)
			c.budget.good()
		case verdictBad:
			recent.failed()
			c.budget.bad()
		case verdictNone:
			// A loser of a hedge would have taken at least this long. Left out, it would
			// make the operation look faster, hedges would start earlier, and so on.
			if a.hasLost() {
				recent.answered(a.took)
			}
		}
		return res, err
	}
}

// verdictOf is what an attempt says about its upstream. A refusal (4xx other
// than 429) says that it is well; an attempt that was cancelled, or never sent
// for a reason of our own, says nothing.
func verdictOf(res *http.Response, err error) verdict {
	if err == nil {
		if judged(res.StatusCode) != nil {
			return verdictBad
		}
		return verdictGood
	}
	if failed, ok := errors.AsType[*attemptError](err); ok && failed.ours() {
		return verdictNone
	}
	return verdictBad
}
