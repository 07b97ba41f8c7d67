package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// Causes. Their texts are constants because net/http's errors hold addresses,
// URLs, and pieces of headers and bodies.
var (
	errConnect     = errors.New("cannot connect")
	errReset       = errors.New("connection lost before the answer")
	errTLS         = errors.New("TLS handshake failed")
	errCertificate = errors.New("certificate not accepted")
	errAddress     = errors.New("address in a refused range: ALLOW_PRIVATE admits it")
	errMalformed   = errors.New("answer is not HTTP")
	errTruncated   = errors.New("answer broke off")
	errTooLarge    = errors.New("answer exceeds its limit")
	errEncoding    = errors.New("answer in an encoding that was not asked for")
	errRedirect    = errors.New("answer is a redirect")
	errSign        = errors.New("credentials could not be added")
	errElsewhere   = errors.New("signing changed where the request goes")
	errRequest     = errors.New("request cannot be made")
	errTooLate     = errors.New("less time is left than the upstream takes")
	errBreakerOpen = errors.New("circuit breaker open")
)

// attemptError is an attempt that got no usable answer. Layers inside the retry
// loop fail with it, so that policies need not know the transport's errors.
type attemptError struct {
	kind       error // a sentinel of commerce, or context.Canceled
	reason     commerce.Reason
	cause      error         // its text is safe to log
	retryAfter time.Duration // 0 when unknown
	sent       bool          // the upstream may have seen the request
	again      bool          // a Read may try again
	own        bool          // the upstream has no part in it
}

func (e *attemptError) Error() string { return e.cause.Error() }

func (e *attemptError) Unwrap() []error { return []error{e.kind, e.cause} }

// ours tells whether the failure says nothing about the upstream.
func (e *attemptError) ours() bool { return e.own || errors.Is(e.kind, context.Canceled) }

// outcome is the failure in the word that metrics and spans use.
func (e *attemptError) outcome() string {
	if errors.Is(e.kind, context.Canceled) {
		return outcomeCanceled
	}
	return string(e.reason)
}

// badAnswer is what an upstream sent that cannot be used.
func badAnswer(cause error) *attemptError {
	return &attemptError{kind: commerce.ErrUpstream, reason: commerce.ReasonBadAnswer, cause: cause, sent: true}
}

// lost is an attempt that ended without an answer, seen from ctx and from how far it got.
func lost(ctx context.Context, err error, got *progress) *attemptError {
	sent := got.sent(err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled) && !errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return &attemptError{kind: context.Canceled, cause: context.Canceled, sent: sent}
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || (sent && isTimeout(err) && !isDial(err)):
		return &attemptError{kind: commerce.ErrTimeout, reason: commerce.ReasonTimeout, cause: context.DeadlineExceeded, sent: sent}
	case got.answered.Load():
		return badAnswer(errMalformed)
	}
	failed := &attemptError{kind: commerce.ErrUnavailable, reason: commerce.ReasonUnavailable, sent: sent}
	switch {
	case errors.Is(err, errAddress):
		failed.cause = errAddress
	case isCertificate(err):
		failed.cause = errCertificate
	case got.tlsFailed.Load() || isTLS(err):
		failed.cause = errTLS
	case !sent:
		failed.cause, failed.again = withErrno(errConnect, err), true
	default:
		failed.cause, failed.again = withErrno(errReset, err), true
	}
	return failed
}

// withErrno keeps the system's error number, whose text is a constant too.
func withErrno(cause, err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return fmt.Errorf("%w: %w", cause, errno)
	}
	return cause
}

func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

func isTimeout(err error) bool {
	timed, ok := errors.AsType[net.Error](err)
	return ok && timed.Timeout()
}

func isCertificate(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.AlertError](err)
	return ok
}

// judged is nil for a status that is an answer, else what it means.
func judged(status int) *attemptError {
	switch {
	case status == http.StatusTooManyRequests:
		// A refusal: even a Write has had no effect.
		return &attemptError{kind: commerce.ErrRateLimited, reason: commerce.ReasonRateLimited, cause: statusError(status)}
	case status >= http.StatusInternalServerError:
		return &attemptError{kind: commerce.ErrUnavailable, reason: commerce.ReasonUnavailable, cause: statusError(status), sent: true}
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return badAnswer(errRedirect)
	case status < http.StatusOK:
		return badAnswer(errMalformed)
	default:
		return nil
	}
}

type statusError int

func (s statusError) Error() string { return fmt.Sprintf("status %d", int(s)) }

// failure is what the caller gets.
func (c *Client) failure(k *call, err error) error {
	traits := k.traits
	failed, ok := errors.AsType[*attemptError](err)
	if !ok {
		failed = &attemptError{kind: commerce.ErrUnavailable, reason: commerce.ReasonUnavailable, cause: errRequest}
	}
	unknown := traits.Access == commerce.Write && failed.sent
	if errors.Is(failed.kind, context.Canceled) && !unknown {
		return context.Canceled
	}
	res := &commerce.CallError{
		System: c.system, Operation: traits.Operation,
		Kind: failed.kind, Reason: failed.reason, RetryAfter: failed.retryAfter, Err: failed.cause,
	}
	if k.budgetSpent {
		res.Reason = commerce.ReasonBudgetSpent
	}
	if unknown {
		markUnknown(res)
	}
	return res
}

// markUnknown says that a Write may have happened. Its kind is then one that
// invites the caller to look, not one that says what the answer was like.
func markUnknown(e *commerce.CallError) {
	if !errors.Is(e.Kind, commerce.ErrTimeout) {
		e.Kind = commerce.ErrUnavailable
	}
	if e.Reason == "" {
		e.Reason = commerce.ReasonUnavailable
	}
	e.Err = fmt.Errorf("%w: %w", commerce.ErrOutcomeUnknown, e.Err)
}
