package reference

import (
	"context"
	"fmt"

	"github.com/portico-bff/portico/schema/commerce"
)

// ClaimEmail is the claim that stands for looking the verified e-mail address up.
const ClaimEmail = "email"

// Customers maps principals to an upstream's own customer ids: by a configured
// claim of the token that holds the id, or by the verified e-mail address, looked
// up once. Nobody else is anybody: every doubt is [commerce.ErrNotFound].
type Customers[ID any] struct {
	claim string
	parse func(string) (ID, bool)
	found *Cache[owner, ID]
}

// owner is a principal with the address it was found by: a customer whose address
// changes is looked up again.
type owner struct {
	principal commerce.PrincipalKey
	email     string
}

// NewCustomers makes a map by claim; empty means [ClaimEmail]. parse reads an id
// from a claim's text and refuses what is none.
func NewCustomers[ID any](cfg Config, claim string, parse func(string) (ID, bool)) *Customers[ID] {
	if claim == "" {
		claim = ClaimEmail
	}
	return &Customers[ID]{claim: claim, parse: parse, found: New[owner, ID](cfg)}
}

// ByEmail tells whether customers are found by their e-mail address.
func (c *Customers[ID]) ByEmail() bool { return c.claim == ClaimEmail }

// Of is the principal's own id. find looks an address up and must compare it
// exactly: no upstream's search is trusted with that. Its errors pass as they are;
// [commerce.ErrNotFound] is remembered for a few seconds. An anonymous principal,
// one without a usable claim, and one whose address nobody verified is not found.
func (c *Customers[ID]) Of(ctx context.Context, p commerce.Principal, find func(ctx context.Context, email string) (ID, error)) (ID, error) {
	if p.Anonymous() {
		return c.nobody()
	}
	if !c.ByEmail() {
		if id, ok := c.parse(p.Claims[c.claim]); ok {
			return id, nil
		}
		return c.nobody()
	}
	if _, err := commerce.ParseEmail("email", p.Email); err != nil || !p.EmailVerified {
		return c.nobody()
	}
	return c.found.Get(ctx, ownerOf(p), func(ctx context.Context, o owner) (ID, error) { return find(ctx, o.email) })
}

// Forget drops what is known of the principal; the next Of looks it up.
func (c *Customers[ID]) Forget(p commerce.Principal) { c.found.Forget(ownerOf(p)) }

func ownerOf(p commerce.Principal) owner { return owner{principal: p.Key(), email: p.Email} }

func (c *Customers[ID]) nobody() (ID, error) {
	var none ID
	return none, fmt.Errorf("%s: %w", c.found.cfg.Name, commerce.ErrNotFound)
}
