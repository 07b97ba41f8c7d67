package transport

import (
	"errors"
	"net/http"

	"github.com/portico-bff/portico/schema/commerce"
)

var errCredentials = errors.New("our credentials were refused")

// Failed is a call's failure as a connector found it: the kind with the reason
// that fits it. cause goes to the log, so its text holds nothing of what was asked
// or answered.
func Failed(traits commerce.Traits, kind, cause error) error {
	failed := &commerce.CallError{System: traits.System, Operation: traits.Operation, Kind: kind, Err: cause}
	switch kind {
	case commerce.ErrUpstream, commerce.ErrUnavailable, commerce.ErrTimeout, commerce.ErrRateLimited:
		failed.Reason = commerce.ReasonOf(kind)
	}
	return failed
}

// BadAnswer is an answer that cannot be used: of kind ErrUpstream, reason
// bad-answer. When it is a Write's and of 2xx, what was asked for may have
// happened, and the error is [commerce.ErrOutcomeUnknown] instead.
func BadAnswer(traits commerce.Traits, res *Response, cause error) error {
	failed := &commerce.CallError{
		System: traits.System, Operation: traits.Operation,
		Kind: commerce.ErrUpstream, Reason: commerce.ReasonBadAnswer, Err: cause,
	}
	if traits.Access == commerce.Write && res.Status < http.StatusMultipleChoices {
		markUnknown(failed)
	}
	return failed
}

// Refused is an answer of a status that means neither success nor anything that
// the shopper could put right. Refused credentials are of kind ErrUnavailable: ours
// are wrong, whoever asks. Every other status is of kind ErrUpstream.
func Refused(traits commerce.Traits, res *Response) error {
	switch res.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return Failed(traits, commerce.ErrUnavailable, errCredentials)
	default:
		return Failed(traits, commerce.ErrUpstream, statusError(res.Status))
	}
}
