// Package idempotency answers a repeated write with the first answer instead of
// doing it again.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/schema/commerce"
)

// Header is where the mobile channel's clients send the key. It is never
// forwarded: some HTTP clients repeat a POST that carries it.
const Header = "Idempotency-Key"

// ReplayedHeader marks a replayed answer with "true".
const ReplayedHeader = "Idempotent-Replayed"

const (
	keep          = 72 * time.Hour
	leaseMargin   = 5 * time.Second // a lease outlives the request that holds it
	maxAnswer     = 256 << 10       // bytes of an answer that is kept
	minLooseKey   = 22              // characters: 128 bits in base64
	settleTimeout = time.Second     // for keeping an answer or releasing a key
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
	ETag        string `json:",omitempty"` // of what the body shows, with its quotes; empty when it has none
	Body        []byte
}

// Store remembers answers. It is safe for concurrent use.
type Store struct {
	ledger  ledger.Ledger
	timeout time.Duration
	log     *slog.Logger
}

// New makes a store on a ledger. No write may run longer than timeout.
func New(l ledger.Ledger, timeout time.Duration, log *slog.Logger) *Store {
	return &Store{ledger: l, timeout: timeout, log: log}
}

// Do runs a write once per key and answers what it answered; replayed tells that
// run was not called. While another call with the key is in flight it answers an
// [commerce.InputError] with [commerce.CodeInProgress] ([commerce.ErrConflict]),
// for a key used with another body one with [commerce.CodeIdempotencyReused]
// ([commerce.ErrInvalid]), and [commerce.ErrUnavailable], before run, when the
// store cannot be reached.
//
// Keys of different principals, guests' carts and operations are different keys.
// An anonymous caller without a cart needs a key of 22 characters or more: the
// key alone then guards the answer, which holds a new cart's secret.
//
// An error from run, or an answer of 202, 429, 5xx or a 409 that says
// [commerce.CodeInProgress], releases the key, so that a retry runs again. Any
// other answer is kept for 72 hours. run's context has a deadline but does not
// end when the caller leaves, so that the answer can be fetched with the key.
//
// The store holds neither keys nor answers in the clear: to read an answer takes its key.
func (s *Store) Do(ctx context.Context, r Request, run func(context.Context) (Answer, error)) (Answer, bool, error) {
	if err := r.check(); err != nil {
		return Answer{}, false, err
	}
	mark := fingerprint(r)
	claim := entry{Fingerprint: mark, Owner: ledger.Token()}.encode()
	held, claimed, err := s.ledger.Claim(ctx, r.recordKey(), claim, s.timeout+leaseMargin)
	if err != nil {
		return Answer{}, false, err
	}
	if !claimed {
		a, err := r.replay(held, mark)
		return a, err == nil, err
	}
	a, err := s.run(ctx, run, func(a Answer, err error) { s.settle(ctx, r, claim, mark, a, err) })
	return a, false, err
}

// run calls settle whatever happens, a panic included: the key must not stay
// in flight until its lease ends.
func (s *Store) run(ctx context.Context, run func(context.Context) (Answer, error), settle func(Answer, error)) (a Answer, err error) {
	err = errPanicked
	defer func() { settle(a, err) }()
	ctx, cancel := limits.Detach(ctx, s.timeout)
	defer cancel()
	a, err = run(ctx)
	return a, err
}

func (s *Store) settle(ctx context.Context, r Request, claim, mark string, a Answer, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	var kept bool
	if err != nil || released(a) {
		kept, err = s.ledger.Drop(ctx, r.recordKey(), claim)
	} else {
		kept, err = s.ledger.Replace(ctx, r.recordKey(), claim, r.finished(mark, a).encode(), keep)
	}
	if err != nil || !kept {
		s.log.LogAttrs(ctx, slog.LevelWarn, "idempotency record not settled", slog.Bool("lost", !kept), slog.Any("error", err))
	}
}

// released tells whether an answer is not the write's last word.
func released(a Answer) bool {
	switch {
	case a.Status == http.StatusAccepted, a.Status == http.StatusTooManyRequests, a.Status >= http.StatusInternalServerError:
		return true
	default:
		return a.Status == http.StatusConflict && bytes.Contains(a.Body, []byte(`"`+commerce.CodeInProgress+`"`))
	}
}

func (r Request) check() error {
	if r.Key == "" {
		return &commerce.InputError{Field: Header, Code: commerce.CodeRequired, Message: "must be sent with this write"}
	}
	if _, err := commerce.ParseIdempotencyKey(Header, r.Key); err != nil {
		return err
	}
	if r.Principal.Anonymous() && r.Guest == "" && len(r.Key) < minLooseKey {
		return &commerce.InputError{Field: Header, Code: commerce.CodeInvalid, Message: "must be at least 22 random characters when nobody is signed in and there is no cart yet"}
	}
	return nil
}

func (r Request) recordKey() string { return ledger.Key("idempotency", r.scope()...) }

// scope is all that tells one key from another.
func (r Request) scope() []string {
	if r.Principal.Anonymous() {
		return []string{"guest", r.Principal.Tenant, r.Guest, r.Operation, r.Key}
	}
	return []string{"customer", r.Principal.Tenant, r.Principal.Subject, r.Operation, r.Key}
}

func fingerprint(r Request) string {
	h := sha256.Sum256(append([]byte(r.Operation+"\x00"), r.Body...))
	return hex.EncodeToString(h[:])
}
