package openloyalty

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// id is the principal's own customer id in the CRM, or [commerce.ErrNotFound].
func (c *connector) id(ctx context.Context, op commerce.Operation, p commerce.Principal) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", c.ended(op, err)
	}
	return c.ids.Of(ctx, p, func(ctx context.Context, email string) (string, error) { return c.lookUp(ctx, op, email) })
}

// customerID reads a claim.
func customerID(claim string) (string, bool) {
	id := strings.ToLower(claim)
	return id, uuidPattern.MatchString(id)
}

// lookUp finds the one active customer with exactly this address. The CRM's own
// comparison is not trusted: without strict it finds parts of addresses.
func (c *connector) lookUp(ctx context.Context, op commerce.Operation, email string) (string, error) {
	var list wireCustomers
	var found string
	r := transport.Request{
		Step:  "lookup",
		Path:  []string{"api", "customer"},
		Query: url.Values{"email": {email}, "strict": {"1"}, "page": {"1"}, "perPage": {"10"}},
	}
	err := c.get(ctx, op, r, &list, func() (err error) {
		found, err = list.only(email)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case found == "":
		return "", transport.Failed(c.traits[op], commerce.ErrNotFound, errNobody)
	}
	return found, nil
}

// only is the id of the one active customer with the address; empty when there is none.
func (w wireCustomers) only(email string) (string, error) {
	if w.Customers == nil {
		return "", errShape
	}
	found := ""
	for _, one := range *w.Customers {
		if one.Email != email || !one.active() {
			continue
		}
		if !uuidPattern.MatchString(one.CustomerID) {
			return "", errShape
		}
		if found != "" && found != one.CustomerID {
			return "", errAmbiguous
		}
		found = one.CustomerID
	}
	return found, nil
}
