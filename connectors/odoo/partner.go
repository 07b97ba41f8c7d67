package odoo

import (
	"context"
	"fmt"
	"strconv"

	"github.com/portico-bff/portico/schema/commerce"
)

// partner is the principal's own record of res.partner, or [commerce.ErrNotFound].
// An e-mail address counts when it is verified and when a partner of type contact
// has exactly it; of several the one with the lowest id is the customer.
func (c *connector) partner(ctx context.Context, op commerce.Operation, p commerce.Principal) (recordID, error) {
	id, err := c.partners.Of(ctx, p, func(ctx context.Context, email string) (recordID, error) {
		records, err := search[wirePartner](ctx, c, op, query{
			model: "res.partner", Domain: domain{leaf{"email", "=", email}, leaf{"type", "=", "contact"}},
			Fields: []string{"email", "type"}, Order: "id",
		})
		if err != nil {
			return 0, err
		}
		return choosePartner(records, email)
	})
	return id, named(op, err)
}

// partnerID reads a claim.
func partnerID(claim string) (recordID, bool) {
	id, err := strconv.ParseInt(claim, 10, 64)
	return recordID(id), err == nil && id > 0
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
