package magento

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"

	"github.com/portico-bff/portico/schema/commerce"
)

var numberPattern = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

// customerID is the principal's id in Magento. A principal that has none, or whose
// e-mail address nobody verified, is of kind ErrNotFound.
func (c *connector) customerID(ctx context.Context, op commerce.Operation, p commerce.Principal) (string, error) {
	return c.customers.Of(ctx, p, func(ctx context.Context, email string) (string, error) { return c.findCustomer(ctx, op, email) })
}

// claimedID reads a claim.
func claimedID(claim string) (string, bool) { return claim, numberPattern.MatchString(claim) }

// findCustomer looks an address up and trusts no search to have compared it exactly.
// Two accounts with one address (of two websites) are nobody's.
func (c *connector) findCustomer(ctx context.Context, op commerce.Operation, email string) (string, error) {
	var found wireCustomers
	err := c.send(ctx, call{
		traits: reading(op), store: adminStore, method: http.MethodGet, path: []string{"customers", "search"},
		query: criteria(filter{"email", "eq", email}).paged(10).fields("items[id,email],total_count"),
		check: func() error { return complete(found.Items, found.Total) },
	}, &found)
	if err != nil {
		return "", err
	}
	id := ""
	for _, customer := range found.Items {
		if customer.Email != email {
			continue
		}
		if id != "" || !numberPattern.MatchString(string(customer.ID)) {
			return "", notFound(op)
		}
		id = string(customer.ID)
	}
	if id == "" {
		return "", notFound(op)
	}
	return id, nil
}

// complete refuses a search's answer that does not say how many rows there are, or
// leaves them out: it would look like one that found nothing.
func complete[T any](rows []T, total *int) error {
	if total == nil || *total < len(rows) || *total > 0 && rows == nil {
		return errWire
	}
	return nil
}

// filter is one condition of a searchCriteria.
type filter struct{ field, condition, value string }

// query is a searchCriteria as URL parameters.
type query map[string][]string

// criteria is a search in which all filters hold.
func criteria(filters ...filter) query {
	q := query{}
	for i, f := range filters {
		group := "searchCriteria[filter_groups][" + strconv.Itoa(i) + "][filters][0]"
		q[group+"[field]"] = []string{f.field}
		q[group+"[condition_type]"] = []string{f.condition}
		q[group+"[value]"] = []string{f.value}
	}
	return q
}

// paged asks for the first rows only: without a size Magento answers all there are.
func (q query) paged(size int) query {
	q["searchCriteria[pageSize]"] = []string{strconv.Itoa(size)}
	q["searchCriteria[currentPage]"] = []string{"1"}
	return q
}

// sorted orders by a field whose values are unique, or rows would repeat.
func (q query) sorted(field, direction string) query {
	q["searchCriteria[sortOrders][0][field]"] = []string{field}
	q["searchCriteria[sortOrders][0][direction]"] = []string{direction}
	return q
}

// fields asks for these fields only.
func (q query) fields(list string) query {
	q["fields"] = []string{list}
	return q
}

func isNotFound(err error) bool { return errors.Is(err, commerce.ErrNotFound) }
