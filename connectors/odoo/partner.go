package odoo

import (
	"context"
	"fmt"
	"strconv"

	"github.com/portico-bff/portico/schema/commerce"
)

// claimEmail is the IDClaim that stands for the verified e-mail address.
const claimEmail = "email"

// partnerKey is a principal with the address it was found by: a customer whose
// address changes is looked up again.
type partnerKey struct {
	principal commerce.PrincipalKey
	email     string
}

// partner is the principal's own record of res.partner, or [commerce.ErrNotFound].
// An e-mail address counts when it is verified and when a partner of type contact
// has exactly it; of several the one with the lowest id is the customer.
func (c *connector) partner(ctx context.Context, op commerce.Operation, p commerce.Principal) (recordID, error) {
	if p.Anonymous() {
		return 0, noPartner()
	}
	if c.idClaim != claimEmail {
		id, err := strconv.ParseInt(p.Claims[c.idClaim], 10, 64)
		if err != nil || id < 1 {
			return 0, noPartner()
		}
		return recordID(id), nil
	}
	if !p.EmailVerified || p.Email == "" {
		return 0, noPartner()
	}
	key := partnerKey{principal: p.Key(), email: p.Email}
	id, err := c.partners.Get(ctx, key, func(ctx context.Context, key partnerKey) (recordID, error) {
		records, err := search[wirePartner](ctx, c, op, query{
			model: "res.partner", Domain: domain{leaf{"email", "=", key.email}, leaf{"type", "=", "contact"}},
			Fields: []string{"email", "type"}, Order: "id",
		})
		if err != nil {
			return 0, err
		}
		return choosePartner(records, key.email)
	})
	return id, named(op, err)
}

func choosePartner(records []wirePartner, email string) (recordID, error) {
	best := recordID(0)
	for _, w := range records {
		if string(w.Email) == email && w.Type == "contact" && w.ID > 0 && (best == 0 || w.ID < best) {
			best = w.ID
		}
	}
	if best == 0 {
		return 0, noPartner()
	}
	return best, nil
}

func noPartner() error { return fmt.Errorf("odoo partner: %w", commerce.ErrNotFound) }
