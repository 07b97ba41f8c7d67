package openloyalty

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// ended is what a caller whose context ended is told.
func (c *connector) ended(op commerce.Operation, err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return transport.Failed(c.traits[op], commerce.ErrTimeout, err)
}

// Customer answers the principal's own profile. See [commerce.Customers].
func (c *connector) Customer(ctx context.Context, p commerce.Principal) (*commerce.Customer, error) {
	const op = commerce.OpCustomer
	id, err := c.id(ctx, op, p)
	if err != nil {
		return nil, err
	}
	var got wireCustomer
	err = c.get(ctx, op, transport.Request{Step: "customer", Path: []string{"api", "customer", id}}, &got, func() error { return got.check(id) })
	if err == nil && (!got.active() || c.ids.ByEmail() && got.Email != p.Email) {
		// The address was given to somebody else, or taken away, since it was looked up.
		err = transport.Failed(c.traits[op], commerce.ErrNotFound, errGone)
	}
	if err != nil {
		return nil, c.forgetting(p, err)
	}
	return got.customer(), nil
}

func (w wireCustomer) check(id string) error {
	if w.CustomerID != id {
		return errForeign
	}
	return nil
}

// forgetting drops what was remembered of a principal whose customer is gone.
func (c *connector) forgetting(p commerce.Principal, err error) error {
	if errors.Is(err, commerce.ErrNotFound) {
		c.ids.Forget(p)
	}
	return err
}

func (w wireCustomer) customer() *commerce.Customer {
	customer := &commerce.Customer{FirstName: w.FirstName, LastName: w.LastName, Email: w.Email, Phone: w.Phone}
	if address, ok := w.address(); ok {
		customer.Addresses = []commerce.Address{address}
	}
	for _, s := range w.Segments {
		if s.Name != "" && (s.Active == nil || *s.Active) {
			customer.Segments = append(customer.Segments, s.Name)
		}
	}
	return customer
}

var countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)

// address is the one address that the CRM keeps; false when it is not complete enough to send anything to.
func (w wireCustomer) address() (commerce.Address, bool) {
	a := commerce.Address{
		FirstName: w.FirstName, LastName: w.LastName, Company: w.Company.Name, Phone: w.Phone,
		City: w.Address.City, Region: w.Address.Province, Postcode: w.Address.Postal,
		Country: strings.ToUpper(w.Address.Country),
	}
	for _, line := range []string{w.Address.Street, w.Address.Address1, w.Address.Address2} {
		if line != "" {
			a.Street = append(a.Street, line)
		}
	}
	return a, len(a.Street) > 0 && a.City != "" && countryPattern.MatchString(a.Country)
}
