package ordering

import (
	"context"
	"encoding/json"
	"time"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/schema/commerce"
)

const intentKept = 72 * time.Hour

// intent is what is written down before the checkout is asked for an order. The
// cart's id, a secret of guests, is in its key only, as a hash.
type intent struct {
	Ref      string               `json:"ref"`               // CheckoutRef.Key
	Owner    string               `json:"owner,omitempty"`   // of a customer's cart
	Attempt  string               `json:"attempt,omitempty"` // of the idempotency key
	At       time.Time            `json:"at"`
	AbsentAt time.Time            `json:"absentAt,omitzero"` // when the order was first not found
	Number   commerce.OrderNumber `json:"number,omitempty"`  // once the order is known
	SKUs     []commerce.SKU       `json:"skus,omitempty"`    // what the order takes the stock of
}

func (i intent) encode() string {
	b, _ := json.Marshal(i) // texts and times within range always encode
	return string(b)
}

func intentKey(cart commerce.CartID) string { return ledger.Key("order-intent", string(cart)) }

// owner names a principal without telling who it is; empty for anonymous ones.
func owner(p commerce.Principal) string {
	if p.Anonymous() {
		return ""
	}
	return ledger.Key("owner", p.Tenant, p.Subject)
}

// attempt names the client's key without telling it; empty without one.
func (r Request) attempt() string {
	if r.Key == "" {
		return ""
	}
	return ledger.Key("attempt", owner(r.Shopper.Principal), r.Key)
}

// earlier is the intent that an earlier attempt on the cart left, with the text
// that the ledger holds for it; nil when there is none. Another customer's cart
// is not found, whatever became of it.
func (s *Service) earlier(ctx context.Context, r Request) (*intent, string, error) {
	held, err := s.Ledger.Get(ctx, intentKey(r.Cart))
	if err != nil || held == "" {
		return nil, "", err
	}
	var i intent
	if err := json.Unmarshal([]byte(held), &i); err != nil {
		return nil, "", &commerce.CallError{System: "ledger", Operation: commerce.OpPlace, Kind: commerce.ErrUnavailable, Reason: commerce.ReasonBadAnswer}
	}
	if !r.Cart.Guest() && i.Owner != owner(r.Shopper.Principal) {
		return nil, "", &commerce.InputError{Field: "cartId", Code: commerce.CodeUnknownCart, Message: "is not known", Kind: commerce.ErrNotFound}
	}
	return &i, held, nil
}
