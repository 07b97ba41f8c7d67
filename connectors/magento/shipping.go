package magento

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/schema/commerce"
)

// ShippingOptions implements [commerce.CheckoutOptions].
func (c *connector) ShippingOptions(ctx context.Context, s commerce.Shopper, id commerce.CartID, to commerce.Address) ([]commerce.ShippingOption, error) {
	const op = commerce.OpShippingOptions
	cart, err := c.open(ctx, op, s, id)
	if err != nil {
		return nil, err
	}
	address, err := c.address(ctx, op, to, "address")
	if err != nil {
		return nil, err
	}
	methods, err := c.estimate(ctx, op, cart, address)
	if err != nil {
		return nil, at(err, "address")
	}
	code, err := c.currency(ctx, op, cart)
	if err != nil {
		return nil, err
	}
	options := make([]commerce.ShippingOption, len(methods))
	for i, m := range methods {
		price, err := money(m.Amount, code)
		if err != nil {
			return nil, failed(op, commerce.ErrUpstream, err.Error())
		}
		options[i] = commerce.ShippingOption{Code: m.code(), Carrier: m.CarrierTitle, Title: m.MethodTitle, Price: price}
	}
	slices.SortStableFunc(options, func(a, b commerce.ShippingOption) int {
		if order, err := a.Price.Cmp(b.Price); err == nil && order != 0 {
			return order
		}
		return cmp.Compare(a.Code, b.Code)
	})
	return options, nil
}

// currency is the cart's, which the methods' prices are in but do not name.
func (c *connector) currency(ctx context.Context, op commerce.Operation, cart *opened) (string, error) {
	quote := cart.quote
	if quote == nil {
		var err error
		if quote, err = c.quote(ctx, op, cart); err != nil {
			return "", err
		}
	}
	return quote.Currency.Value.Quote, nil
}

// code is what Magento calls a method on carts and orders: carrier_method.
func (m wireMethod) code() string { return m.Carrier + "_" + m.Method }

// estimate answers the methods that can be had for the address.
func (c *connector) estimate(ctx context.Context, op commerce.Operation, cart *opened, to wireAddress) ([]wireMethod, error) {
	var methods []wireMethod
	err := c.send(ctx, call{
		traits: reading(op), store: cart.store, method: http.MethodPost,
		path: cart.path("estimate-shipping-methods"), body: sendAddress{to},
		check: func() error { return checkMethods(methods) },
	}, &methods)
	if err != nil {
		return nil, err
	}
	methods = slices.DeleteFunc(methods, func(m wireMethod) bool { return !m.available() })
	return methods, nil
}

func (m wireMethod) available() bool {
	return m.Carrier != "" && m.Method != "" && (m.Available == nil || *m.Available)
}

// check refuses an offer without a name or a price. What cannot be had may lack both.
func (m wireMethod) check() error {
	if m.Available != nil && !*m.Available {
		return nil
	}
	if m.Carrier == "" || m.Method == "" || !amountPattern.MatchString(string(m.Amount)) {
		return errWire
	}
	return nil
}

func checkMethods(methods []wireMethod) error {
	if methods == nil || slices.ContainsFunc(methods, func(m wireMethod) bool { return m.check() != nil }) {
		return errWire
	}
	return nil
}

// SetShipping implements [commerce.CheckoutOptions]. Only a method that Magento offers
// for the address right now is accepted: carrier and method are taken from that
// offer, not from the code.
func (c *connector) SetShipping(ctx context.Context, s commerce.Shopper, id commerce.CartID, choice commerce.ShippingChoice) (*commerce.Cart, error) {
	const op = commerce.OpShippingSet
	return c.change(ctx, op, s, id, func(cart *opened) error {
		info, err := c.addresses(ctx, op, choice)
		if err != nil {
			return err
		}
		methods, err := c.estimate(ctx, op, cart, info.Shipping)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(methods, func(m wireMethod) bool { return m.code() == choice.Code })
		if i < 0 {
			return &commerce.InputError{Field: "methodCode", Code: commerce.CodeShippingMethod, Message: "is not offered for this address"}
		}
		info.Carrier, info.Method = methods[i].Carrier, methods[i].Method
		return c.write(ctx, op, cart, http.MethodPost, cart.path("shipping-information"), sendShipping{info})
	})
}

// addresses makes both addresses; without one for the bill, it goes where the goods go.
func (c *connector) addresses(ctx context.Context, op commerce.Operation, choice commerce.ShippingChoice) (sendShippingInfo, error) {
	var info sendShippingInfo
	// A group without a context: cancelled by its sibling's refusal, a breaker's probe would tell nothing.
	var both errgroup.Group
	both.Go(func() (err error) {
		info.Shipping, err = c.address(ctx, op, choice.Shipping, "shippingAddress")
		return err
	})
	if choice.Billing != nil {
		both.Go(func() (err error) {
			info.Billing, err = c.address(ctx, op, *choice.Billing, "billingAddress")
			return err
		})
	}
	if err := both.Wait(); err != nil {
		return sendShippingInfo{}, err
	}
	if choice.Billing == nil {
		info.Billing = info.Shipping
	}
	info.Shipping.Email, info.Billing.Email = choice.Email, choice.Email
	return info, nil
}

// address turns an address into Magento's, with the id of its region where the
// country has a list of them. field is the input's name.
func (c *connector) address(ctx context.Context, op commerce.Operation, a commerce.Address, field string) (wireAddress, error) {
	wire := wireAddress{
		FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Street: a.Street, City: a.City,
		Region: a.Region, Postcode: a.Postcode, Country: a.Country, Phone: a.Phone,
	}
	if err := a.Validate(field); err != nil {
		return wire, err
	}
	regions, err := c.countries.Get(ctx, a.Country, func(ctx context.Context, country string) ([]region, error) {
		return c.regions(ctx, op, country)
	})
	if errors.Is(err, commerce.ErrNotFound) {
		return wire, &commerce.InputError{Field: field + ".country", Code: commerce.CodeUnsupported, Message: "is not delivered to"}
	}
	if err != nil || len(regions) == 0 || a.Region == "" {
		return wire, err
	}
	i := slices.IndexFunc(regions, func(r region) bool { return strings.EqualFold(r.Code, a.Region) })
	if i < 0 {
		i = slices.IndexFunc(regions, func(r region) bool { return strings.EqualFold(r.Name, a.Region) })
	}
	if i < 0 {
		return wire, &commerce.InputError{Field: field + ".region", Code: commerce.CodeInvalid, Message: "is not a region of this country"}
	}
	wire.RegionID, wire.RegionCode, wire.Region = regions[i].ID, regions[i].Code, regions[i].Name
	return wire, nil
}

// regions reads a country's list; a country that the shop does not know is of kind ErrNotFound.
func (c *connector) regions(ctx context.Context, op commerce.Operation, country string) ([]region, error) {
	var found wireCountry
	err := c.send(ctx, call{
		traits: reading(op), store: "default", method: http.MethodGet, path: []string{"directory", "countries", country},
		check: func() error {
			if found.ID != country {
				return errWire
			}
			return nil
		},
	}, &found)
	return found.Regions, err
}

// at renames the address that Magento calls the shipping address.
func at(err error, field string) error {
	input, ok := errors.AsType[*commerce.InputError](err)
	if !ok || !strings.HasPrefix(input.Field, "shippingAddress") {
		return err
	}
	renamed := *input
	renamed.Field = field + strings.TrimPrefix(input.Field, "shippingAddress")
	return &renamed
}
