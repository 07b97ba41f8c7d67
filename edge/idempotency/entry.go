package idempotency

import (
	"encoding/json"
	"errors"

	"github.com/portico-bff/portico/schema/commerce"
)

// entry is what the ledger keeps under a key: a claim, which has an owner, until
// the answer takes its place.
type entry struct {
	Fingerprint string  `json:"fingerprint"`
	Owner       string  `json:"owner,omitempty"`
	Answer      *Answer `json:"answer,omitempty"`
	TooLarge    bool    `json:"tooLarge,omitempty"`
}

var errPanicked = errors.New("the write panicked")

func finished(mark string, a Answer) entry {
	if len(a.Body) > maxAnswer {
		return entry{Fingerprint: mark, TooLarge: true}
	}
	return entry{Fingerprint: mark, Answer: &a}
}

func (e entry) encode() string {
	b, _ := json.Marshal(e) // strings, numbers and bytes always encode
	return string(b)
}

// replay answers a taken key with what it holds.
func replay(held, mark string) (Answer, error) {
	var e entry
	if err := json.Unmarshal([]byte(held), &e); err != nil {
		return Answer{}, &commerce.CallError{System: "ledger", Operation: "idempotency", Kind: commerce.ErrUnavailable, Reason: commerce.ReasonBadAnswer}
	}
	switch {
	case e.Fingerprint != mark:
		return Answer{}, &commerce.InputError{Field: Header, Code: commerce.CodeIdempotencyReused, Message: "was used with another request"}
	case e.TooLarge:
		return Answer{}, &commerce.InputError{Field: Header, Code: commerce.CodeConflict, Message: "is done, its answer was too large to keep", Kind: commerce.ErrConflict}
	case e.Answer == nil:
		return Answer{}, &commerce.InputError{Field: Header, Code: commerce.CodeInProgress, Message: "is in progress; try again shortly", Kind: commerce.ErrConflict}
	default:
		return *e.Answer, nil
	}
}
