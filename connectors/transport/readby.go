package transport

import "context"

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
		if k.read != nil {
			err = k.read(res)
		}
		if err != nil && againstUpstream(err) {
			res.whole.settle(verdictBad)
			return nil, err
		}
		res.whole.settle(verdictGood)
		if err != nil {
			return nil, err
		}
		return res, nil
	}
}
