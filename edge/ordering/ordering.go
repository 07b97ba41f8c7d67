// Package ordering places orders once and finds them again.
//
// An order is placed in steps, each of which may be the last one this process
// gets to: a lock keeps others from the cart, the intent is written down, the
// checkout is asked once, the outcome is written down. Whoever comes next finds
// the intent and asks the checkout what became of it before anything is placed,
// so that a cart never becomes two orders.
package ordering

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/schema/commerce"
)

// Config secures guests' orders and bounds how long an outcome may stay open.
type Config struct {
	TokenKey   commerce.Secret `env:"ORDER_TOKEN_KEY" doc:"Key, 32 bytes or more, of the tokens that let guests read their orders; required in production, made up at start in development."`
	SettleTime time.Duration   `env:"ORDER_SETTLE_TIME" envDefault:"10s" doc:"Longest time the checkout may still be working on an order after its answer was lost; until it has passed an order that cannot be found counts as unknown, not as absent."`
}

// Validate checks what is set.
func (c Config) Validate() error {
	var errs []error
	if n := len(c.TokenKey); n > 0 && n < minTokenKey {
		errs = append(errs, errors.New("ORDER_TOKEN_KEY must be at least 32 bytes long"))
	}
	if c.SettleTime < 0 {
		errs = append(errs, errors.New("ORDER_SETTLE_TIME must not be negative"))
	}
	return errors.Join(errs...)
}

const minTokenKey = 32 // bytes

// Deps are what the service works with.
type Deps struct {
	Ports   commerce.Ports // every port it uses is set
	Ledger  ledger.Ledger
	Timeout time.Duration // of one request
	Log     *slog.Logger
	// Forget, which may be nil, drops what is cached about the stock of products
	// that were just ordered.
	Forget func(ctx context.Context, skus []commerce.SKU)
}

// Service places and finds orders. It is safe for concurrent use.
type Service struct {
	Deps
	settle time.Duration
	tokens tokens
}

// New makes a service. cfg.TokenKey must not be empty.
func New(cfg Config, deps Deps) *Service {
	return &Service{Deps: deps, settle: cfg.SettleTime, tokens: tokens{key: []byte(string(cfg.TokenKey))}}
}

// Request asks for a cart's order.
type Request struct {
	Shopper       commerce.Shopper
	Cart          commerce.CartID
	PaymentMethod string // of Cart.Payments
	// Key is the client's idempotency key; may be empty. The key that placed an
	// order gets that order again, should the idempotency store have lost its answer.
	Key string
}

// Placed is an order that was placed.
type Placed struct {
	commerce.PlacedOrder
	OrderToken string // lets a guest read the order; empty for customers
}

// UnknownError is an order of which nobody can tell yet whether it was placed.
// It is a [commerce.ErrOutcomeUnknown] and a [commerce.ErrUnavailable] and holds
// an [commerce.InputError] with [commerce.CodeOutcomeUnknown]. Placing the same
// cart again finds out; it never places a second order.
type UnknownError struct {
	RetryAfter time.Duration // when asking again makes sense
}

// Error may be shown to clients.
func (e *UnknownError) Error() string { return outcomeUnknown.Message }

// Unwrap gives kind and code to [errors.Is] and [errors.As]. What caused it is in
// the log only: it may be of a kind that would pass for a refusal.
func (e *UnknownError) Unwrap() []error {
	return []error{commerce.ErrOutcomeUnknown, outcomeUnknown}
}

var outcomeUnknown = &commerce.InputError{
	Code:    commerce.CodeOutcomeUnknown,
	Message: "it is not known yet whether the order was placed; send the same key again to find out",
	Kind:    commerce.ErrUnavailable,
}
