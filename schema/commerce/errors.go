package commerce

import (
	"errors"
	"fmt"
	"time"
)

// The kinds of error. Test with [errors.Is]; anything that is none of them is
// internal. Each channel maps kinds in exactly one table.
var (
	ErrInvalid         = errors.New("invalid input")
	ErrUnauthenticated = errors.New("unauthenticated")
	ErrForbidden       = errors.New("forbidden")
	ErrNotFound        = errors.New("not found")
	ErrConflict        = errors.New("conflict")
	ErrRateLimited     = errors.New("rate limited")
	ErrUnavailable     = errors.New("unavailable")
	ErrTimeout         = errors.New("timeout")
	ErrUpstream        = errors.New("upstream answered nonsense")
)

// kinds is the order in which [KindOf] looks; the first match wins.
var kinds = []error{
	ErrInvalid, ErrUnauthenticated, ErrForbidden, ErrNotFound, ErrConflict,
	ErrRateLimited, ErrTimeout, ErrUnavailable, ErrUpstream,
}

// KindOf returns the sentinel that err is, or nil when it is none (internal).
func KindOf(err error) error {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// ErrOutcomeUnknown marks a write whose effect could not be learnt: it may have
// happened. It is always also an [ErrUnavailable] or [ErrTimeout].
var ErrOutcomeUnknown = errors.New("outcome unknown")

// CallError is a call to an upstream that failed. A connector wraps once.
type CallError struct {
	System     string        // the upstream: "odoo"
	Operation  Operation     // the port operation
	Kind       error         // one of the sentinels
	Reason     Reason        // why, in the words of provenance; may be empty
	RetryAfter time.Duration // when the upstream named one; else 0
	Err        error         // the cause, for the log; may be nil
}

// Error names system, operation and cause. It is for logs, never for clients.
func (e *CallError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s: %v", e.System, e.Operation, e.Kind)
	}
	return fmt.Sprintf("%s: %s: %v: %v", e.System, e.Operation, e.Kind, e.Err)
}

// Unwrap gives the kind and the cause to [errors.Is] and [errors.As].
func (e *CallError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Code says to a client program what was wrong with its input.
type Code string

// The codes of an [InputError]. They are part of both channels' contracts.
const (
	CodeInvalid            Code = "INVALID"
	CodeRequired           Code = "REQUIRED"
	CodeTooLong            Code = "TOO_LONG"
	CodeOutOfRange         Code = "OUT_OF_RANGE"
	CodeUnsupported        Code = "UNSUPPORTED"
	CodeUnknownProduct     Code = "UNKNOWN_PRODUCT"
	CodeOutOfStock         Code = "OUT_OF_STOCK"
	CodeUnknownLine        Code = "UNKNOWN_LINE"
	CodeUnknownCart        Code = "UNKNOWN_CART"
	CodeCouponInvalid      Code = "COUPON_INVALID"
	CodeCartEmpty          Code = "CART_EMPTY"
	CodeShippingMissing    Code = "SHIPPING_MISSING"
	CodeShippingMethod     Code = "SHIPPING_METHOD_UNAVAILABLE"
	CodePaymentMethod      Code = "PAYMENT_METHOD_UNAVAILABLE"
	CodeSignInRequired     Code = "SIGN_IN_REQUIRED"
	CodeConflict           Code = "CONFLICT"
	CodeInProgress         Code = "IN_PROGRESS"
	CodeIdempotencyReused  Code = "IDEMPOTENCY_KEY_REUSED"
	CodeOutcomeUnknown     Code = "OUTCOME_UNKNOWN"
	CodeUpstreamUnreliable Code = "UNAVAILABLE"
)

// InputError is input that cannot be used. Its text is safe to show: it never
// holds the value that was sent.
type InputError struct {
	Field   string // the input's name in the domain: "sku", "address.postcode"
	Code    Code
	Message string // one sentence, for developers
	Kind    error  // ErrInvalid when nil; ErrNotFound or ErrConflict where that fits
}

// Error is the message with its field in front.
func (e *InputError) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Unwrap gives the kind to [errors.Is].
func (e *InputError) Unwrap() error {
	if e.Kind == nil {
		return ErrInvalid
	}
	return e.Kind
}

// BatchError says which keys of a batch could not be asked, and why.
type BatchError[K comparable] struct{ Errs map[K]error }

// Error counts the keys and shows one cause.
func (e *BatchError[K]) Error() string {
	for _, err := range e.Errs {
		return fmt.Sprintf("%d keys failed, one with: %v", len(e.Errs), err)
	}
	return "no key failed"
}

// Unwrap gives the causes to [errors.Is] and [errors.As].
func (e *BatchError[K]) Unwrap() []error {
	errs := make([]error, 0, len(e.Errs))
	for _, err := range e.Errs {
		errs = append(errs, err)
	}
	return errs
}

// KeyError is what key met in a batch call that returned err: nil when the key
// was asked (present in the map, or not found), else the cause.
func KeyError[K comparable](err error, key K) error {
	if err == nil {
		return nil
	}
	if batch, ok := errors.AsType[*BatchError[K]](err); ok {
		return batch.Errs[key]
	}
	return err
}
