package transport

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// recorded leaves each attempt on the trail of who makes the call, also one that the
// breaker or the bulkhead refuses. Without a trail it does nothing.
func (c *Client) recorded(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		record := a.call.record
		if record == nil {
			return next(ctx, a)
		}
		a.number = record.Attempt(a.kind == hedgeAttempt)
		res, err := next(ctx, a)
		status, outcome := endOf(res, err)
		record.Attempted(a.number, status, outcome)
		return res, err
	}
}

// endOf is how an attempt ended: its answer's status, 0 without one, and a word.
func endOf(res *http.Response, err error) (status int, outcome string) {
	if err == nil {
		return res.StatusCode, outcomeOfStatus(res.StatusCode)
	}
	if failed, ok := errors.AsType[*attemptError](err); ok {
		return 0, failed.outcome()
	}
	return 0, string(commerce.ReasonUnavailable)
}

// endRecord ends the record of a call.
func (k *call) endRecord(res *Response, err error, outcome string) {
	if k.record == nil {
		return
	}
	if res != nil && res.whole != nil {
		k.record.Answered(res.whole.size, res.whole.wire)
	}
	var after time.Duration
	if failed, ok := errors.AsType[*commerce.CallError](err); ok {
		after = failed.RetryAfter
	}
	k.record.End(outcome, after)
}
