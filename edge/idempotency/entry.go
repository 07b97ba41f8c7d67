package idempotency

import (
	"encoding/json"
	"errors"

	"github.com/portico-bff/portico/schema/commerce"
)

// entry is what the ledger keeps under a key: a claim, which has an owner, until
// the answer takes its place.
type entry struct {
	Fingerprint string `json:"fingerprint"`
	Owner       string `json:"owner,omitempty"`
	Sealed      []byte `json:"sealed,omitempty"` // the answer
	TooLarge    bool   `json:"tooLarge,omitempty"`
}

var errPanicked = errors.New("the write panicked")

func (r Request) finished(mark string, a Answer) entry {
	if len(a.Body) > maxAnswer {
		return entry{Fingerprint: mark, TooLarge: true}
	}
	return entry{Fingerprint: mark, Sealed: r.seal(a, mark)}
}

func (e entry) encode() string {
	b, _ := json.Marshal(e) // strings, numbers and bytes always encode
	return string(b)
}

var errUnreadable = &commerce.CallError{System: "ledger", Operation: "idempotency", Kind: commerce.ErrUnavailable, Reason: commerce.ReasonBadAnswer}

// replay answers a taken key with what it holds.
func (r Request) replay(held, mark string) (Answer, error) {
	var e entry
	if err := json.Unmarshal([]byte(held), &e); err != nil {
		return Answer{}, errUnreadable
	}
	switch {
	case e.Fingerprint != mark:
		return Answer{}, &commerce.InputError{Field: Header, Code: commerce.CodeIdempotencyReused, Message: "was used with another request"}
	case e.TooLarge:
		return Answer{}, &commerce.InputError{Field: Header, Code: commerce.CodeConflict, Message: "is done, its answer was too large to keep", Kind: commerce.ErrConflict}
	case len(e.Sealed) == 0:
		return Answer{}, &commerce.InputError{Field: Header, Code: commerce.CodeInProgress, Message: "is in progress; try again shortly", Kind: commerce.ErrConflict}
	}
	a, err := r.open(e.Sealed, mark)
	if err != nil {
		return Answer{}, errUnreadable
	}
	return a, nil
}
