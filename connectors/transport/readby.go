package transport

import (
	"context"
	"net/http"
)

// readBy lets the connector look at the answer while the call is still one: a
// login page, or a failure inside a 200, is then a failure for the breaker, the
// metrics and the trace, and no answer for anybody. It is read once, after any
// hedge has ended.
func (c *Client) readBy(next handler) handler {
	return func(ctx context.Context, k *call) (*Response, error) {
		res, err := next(ctx, k)
		if err != nil {
			return nil, err
		}
		v := verdictNone // should the connector panic: that is our fault, and says nothing of the upstream
		defer func() { res.whole.settle(v) }()
		if k.read != nil {
			err = k.read(res)
			res.Body = nil // whoever still had it would have another's
			res.whole.giveBack()
		}
		v = verdictOfRead(res.Status, err)
		if v == verdictBad {
			k.operation.recent.spoiled()
		}
		if err != nil {
			return nil, err
		}
		return res, nil
	}
}

// verdictOfRead is what a read answer says to the breaker. A 4xx never counts
// against the upstream, whatever the connector makes of it: it answers, and whoever
// can provoke a refusal must not be able to close the operation to everybody.
func verdictOfRead(status int, err error) verdict {
	if err != nil && status < http.StatusBadRequest && againstUpstream(err) {
		return verdictBad
	}
	return verdictGood
}
