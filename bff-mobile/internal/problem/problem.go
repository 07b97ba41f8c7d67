// Package problem turns errors into RFC 9457 problem details. The table of kinds
// is the only place where an error becomes a status.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// ContentType of every problem.
const ContentType = "application/problem+json"

// Base is where problem types are described.
const Base = "/problems/"

// Type is a type of problem.
type Type struct {
	Name    string // last part of its address
	Title   string
	Status  int
	Meaning string        // what it means and what a client does about it
	Retry   time.Duration // suggested when nobody named a time; 0 when trying again does not help
}

// The types of problem.
var (
	Invalid         = Type{"invalid-input", "Invalid input", http.StatusBadRequest, "Something that was sent cannot be used. field names it, code says why. Nothing was changed.", 0}
	Unauthenticated = Type{"unauthenticated", "Not signed in", http.StatusUnauthorized, "A customer's token is needed, or the token that was sent is not good. Sign in and try again.", 0}
	Forbidden       = Type{"forbidden", "Not allowed", http.StatusForbidden, "The caller may not do this.", 0}
	NotFound        = Type{"not-found", "Not found", http.StatusNotFound, "There is no such thing, or it is not the caller's.", 0}
	Method          = Type{"method-not-allowed", "Method not allowed", http.StatusMethodNotAllowed, "The resource is there, the method is not. Allow names those that are.", 0}
	RequestTimeout  = Type{"request-timeout", "Request too slow", http.StatusRequestTimeout, "The request did not arrive in time.", 0}
	Conflict        = Type{"conflict", "Conflict", http.StatusConflict, "A request with the same key is in flight (code IN_PROGRESS: wait, then send it again), or the state of things does not allow the write.", 0}
	SyncExpired     = Type{"sync-expired", "Sync expired", http.StatusGone, "What changed since then is not known any more: more than seven days went by, or so much changed at once that nobody can tell what. Begin without since, and keep the copy until the new one is whole.", 0}
	TooLarge        = Type{"too-large", "Body too large", http.StatusRequestEntityTooLarge, "A body may hold at most 65536 bytes.", 0}
	MediaType       = Type{"unsupported-media-type", "Unsupported media type", http.StatusUnsupportedMediaType, "Bodies are application/json in UTF-8, without a content encoding.", 0}
	Precondition    = Type{"precondition-failed", "Changed meanwhile", http.StatusPreconditionFailed, "If-Match names another version than there is now. ETag is the one that there is: read it, decide anew, and try again with a new key.", 0}
	KeyReused       = Type{"idempotency-key-reused", "Idempotency key reused", http.StatusUnprocessableEntity, "The idempotency key was used with another request. Make a new key for a new request.", 0}
	UpgradeRequired = Type{"upgrade-required", "App too old", http.StatusUpgradeRequired, "This version of the app is no longer served. Upgrade says which one is needed, /v1/config where it is.", 0}
	RateLimited     = Type{"rate-limited", "Too many requests", http.StatusTooManyRequests, "Too many requests. Wait and try again.", time.Second}
	HeaderTooLarge  = Type{"header-too-large", "Header too large", http.StatusRequestHeaderFieldsTooLarge, "The request's header may hold at most 16384 bytes.", 0}
	Internal        = Type{"internal", "Internal error", http.StatusInternalServerError, "Our mistake. The request id helps to find it.", 0}
	BadUpstream     = Type{"bad-upstream", "Bad answer from a system behind", http.StatusBadGateway, "A system behind this one answered nonsense.", 0}
	Unavailable     = Type{"unavailable", "Unavailable", http.StatusServiceUnavailable, "A system behind this one cannot be reached, or too many requests are in flight. Wait and try again.", time.Second}
	Timeout         = Type{"timeout", "No answer in time", http.StatusGatewayTimeout, "A system behind this one did not answer in time. Wait and try again.", time.Second}
)

// Types is every type, for their descriptions.
var Types = []Type{
	Invalid, Unauthenticated, Forbidden, NotFound, Method, RequestTimeout, Conflict, SyncExpired, TooLarge, Precondition, MediaType, KeyReused,
	UpgradeRequired, RateLimited, HeaderTooLarge, Internal, BadUpstream, Unavailable, Timeout,
}

// kinds is the table: the first kind that an error is decides.
var kinds = []struct {
	kind error
	Type
}{
	{commerce.ErrInvalid, Invalid},
	{commerce.ErrUnauthenticated, Unauthenticated},
	{commerce.ErrForbidden, Forbidden},
	{commerce.ErrNotFound, NotFound},
	{commerce.ErrConflict, Conflict},
	{commerce.ErrRateLimited, RateLimited},
	{commerce.ErrTimeout, Timeout},
	{commerce.ErrUnavailable, Unavailable},
	{commerce.ErrUpstream, BadUpstream},
	{context.DeadlineExceeded, Timeout},
	{context.Canceled, Unavailable},
}

// Error is an error of HTTP's own that no kind fits.
type Error struct {
	Type
	Field  string        // header or parameter; may be empty
	Detail string        // safe to show
	Wait   time.Duration // until trying again helps; 0 for what the type says
}

// Error is the detail.
func (e *Error) Error() string { return e.Detail }

// Problem is an error as a client sees it.
type Problem struct {
	api.Problem
	RetryAfter time.Duration // for the header; 0 when there is none
}

// From describes err to a client. Nothing of an upstream's or an internal error's
// text is in it.
func From(err error, requestID string) Problem {
	if own, ok := errors.AsType[*Error](err); ok {
		p := own.problem(requestID)
		p.Detail, p.Field = own.Detail, own.Field
		p.wait(own.Wait)
		return p
	}
	t := typeOf(err)
	if input, ok := errors.AsType[*commerce.InputError](err); ok {
		return fromInput(t, input, err, requestID)
	}
	p := t.problem(requestID)
	switch t.Name {
	case Internal.Name:
		p.Detail = "internal error"
	case Invalid.Name, NotFound.Name, Unauthenticated.Name:
		p.Detail = t.Meaning
	}
	p.wait(retryAfter(err))
	return p
}

func fromInput(t Type, input *commerce.InputError, err error, requestID string) Problem {
	switch input.Code {
	case commerce.CodeIdempotencyReused:
		t = KeyReused
	case commerce.CodeInProgress:
		t.Retry = time.Second
	}
	p := t.problem(requestID)
	p.Detail, p.Field, p.Code = input.Error(), input.Field, string(input.Code)
	p.wait(retryAfter(err))
	return p
}

func typeOf(err error) Type {
	for _, row := range kinds {
		if errors.Is(err, row.kind) {
			return row.Type
		}
	}
	return Internal
}

// retryAfter is what an upstream named, bounded: a client should not sleep for a year.
func retryAfter(err error) time.Duration {
	const most = 5 * time.Minute
	if call, ok := errors.AsType[*commerce.CallError](err); ok {
		return min(call.RetryAfter, most)
	}
	return 0
}

func (t Type) problem(requestID string) Problem {
	p := Problem{Problem: api.Problem{Type: Base + t.Name, Title: t.Title, Status: t.Status, RequestId: requestID}}
	p.wait(t.Retry)
	return p
}

func (p *Problem) wait(d time.Duration) {
	if d > 0 {
		p.RetryAfter, p.RetryAfterMs = d, int(d.Milliseconds())
	}
}

// RetrySeconds is RetryAfter in whole seconds, rounded up.
func (p *Problem) RetrySeconds() int { return int((p.RetryAfter + time.Second - 1) / time.Second) }

// JSON is the problem's body.
func (p *Problem) JSON() []byte {
	b, _ := json.Marshal(p.Problem) // strings and numbers always encode
	return b
}
