package cache

import (
	"context"
	"errors"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// errPanic is what waiters get when a load did not end the usual way.
var errPanic = errors.New("load ended without an answer")

// outage tells whether err says something about the system rather than about
// what was asked: only then a stale answer is better.
func outage(err error) bool {
	switch commerce.KindOf(err) {
	case commerce.ErrUnavailable, commerce.ErrTimeout, commerce.ErrRateLimited, commerce.ErrUpstream, nil:
		return true
	default:
		return false
	}
}

func retryAfterOf(err error) time.Duration {
	if call, ok := errors.AsType[*commerce.CallError](err); ok {
		return call.RetryAfter
	}
	return 0
}

func (p *plan) timedOut() error {
	return &commerce.CallError{System: p.system, Operation: p.name, Kind: commerce.ErrTimeout, Reason: commerce.ReasonTimeout}
}

// flightError is err as waiters may see it: that the flight's own context ended
// says nothing about theirs.
func (p *plan) flightError(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded) && commerce.KindOf(err) == nil:
		return p.timedOut()
	case errors.Is(err, context.Canceled):
		return &commerce.CallError{System: p.system, Operation: p.name, Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable}
	default:
		return err
	}
}
