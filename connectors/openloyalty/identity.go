package openloyalty

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// id is the principal's own customer id in the CRM, or [commerce.ErrNotFound].
func (c *connector) id(ctx context.Context, op commerce.Operation, p commerce.Principal) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", ended(op, err)
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
	query := url.Values{"email": {email}, "strict": {"1"}, "page": {"1"}, "perPage": {"10"}}
	if err := c.get(ctx, op, query, &list, "api", "customer"); err != nil {
		return "", err
	}
	if list.Customers == nil {
		return "", failed(op, commerce.ErrUpstream, errShape)
	}
	found := ""
	for _, one := range *list.Customers {
		if one.Email != email || !one.active() {
			continue
		}
		if found != "" && found != one.CustomerID {
			return "", failed(op, commerce.ErrUpstream, errAmbiguous)
		}
		found = one.CustomerID
	}
	switch {
	case found == "":
		return "", failed(op, commerce.ErrNotFound, errNobody)
	case !uuidPattern.MatchString(found):
		return "", failed(op, commerce.ErrUpstream, errShape)
	}
	return found, nil
}
