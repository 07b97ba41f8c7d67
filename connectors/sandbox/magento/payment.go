package magento

import (
	"errors"
	"slices"
	"strconv"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

type paymentWire struct {
	Code  string `json:"code"`
	Title string `json:"title"`
}

// payments are the ways to pay. None of them needs a payment provider.
var payments = []paymentWire{
	{"checkmo", "Check / Money order"},
	{"banktransfer", "Bank Transfer Payment"},
	{"cashondelivery", "Cash On Delivery"},
}

type detailsWire struct {
	Payments []paymentWire `json:"payment_methods"`
	Totals   totalsWire    `json:"totals"`
}

func (s *shop) wireDetails(q *quote) detailsWire {
	return detailsWire{Payments: payments, Totals: s.wireTotals(q)}
}

func (s *shop) paymentMethods(c *call) (any, error) {
	return s.look(c, func(*quote) (any, error) { return payments, nil })
}

func (s *shop) paymentInformation(c *call) (any, error) {
	return s.look(c, func(q *quote) (any, error) { return s.wireDetails(q), nil })
}

type paymentInput struct {
	Method string `json:"method"`
}

func (s *shop) getPayment(c *call) (any, error) {
	return s.look(c, func(q *quote) (any, error) {
		if q.Payment == "" {
			return nil, nil
		}
		return paymentInput{q.Payment}, nil
	})
}

func (s *shop) setPayment(c *call) (any, error) {
	var in struct {
		Method *paymentInput `json:"method"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Method == nil {
		return nil, required("method")
	}
	return s.change(c, func(q *quote) (any, error) {
		if err := choosePayment(q, in.Method); err != nil {
			return nil, err
		}
		return strconv.Itoa(q.ID), nil
	})
}

func choosePayment(q *quote, in *paymentInput) error {
	if q.Shipping == nil {
		return badRequest("The shipping address is missing. Set the address and try again.")
	}
	if !slices.ContainsFunc(payments, func(p paymentWire) bool { return p.Code == in.Method }) {
		return badRequest("The requested Payment Method is not available.")
	}
	q.Payment = in.Method
	return nil
}

// payAsGuest settles e-mail and payment and places the order.
func (s *shop) payAsGuest(c *call) (any, error) {
	var in struct {
		Email   string        `json:"email"`
		Payment *paymentInput `json:"paymentMethod"`
		Billing *addressInput `json:"billing_address"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Email == "" {
		return nil, required("email")
	}
	if in.Payment == nil {
		return nil, required("paymentMethod")
	}
	return s.change(c, func(q *quote) (any, error) {
		if in.Billing != nil {
			billing, err := in.Billing.read("billing")
			if err != nil {
				return nil, err
			}
			q.Billing = billing
		}
		if err := choosePayment(q, in.Payment); err != nil {
			return nil, err
		}
		q.Email = in.Email
		return s.submit(q)
	})
}

// placeOrder places the order, with the payment method of the body or the one chosen before.
func (s *shop) placeOrder(c *call) (any, error) {
	var in struct {
		Payment *paymentInput `json:"paymentMethod"`
	}
	if len(c.body) > 0 {
		if err := c.decode(&in); err != nil {
			return nil, err
		}
	}
	return s.change(c, func(q *quote) (any, error) {
		if in.Payment != nil {
			if err := choosePayment(q, in.Payment); err != nil {
				return nil, err
			}
		}
		return s.submit(q)
	})
}

// submit makes the order and ends the cart. The answer is the order's entity id:
// text for guests, a number for customers.
func (s *shop) submit(q *quote) (any, error) {
	switch {
	case len(q.Items) == 0:
		return nil, badRequest("The order can't be placed: the cart doesn't contain products.")
	case q.Shipping == nil || q.Method == nil:
		return nil, badRequest("The shipping method is missing. Select the shipping method and try again.")
	case q.Payment == "":
		return nil, badRequest("Enter a valid payment method and try again.")
	case q.email() == "":
		return nil, badRequest("Email has a wrong format")
	}
	placed, err := s.world.PlaceOrder(s.orderOf(q))
	if errors.Is(err, world.ErrOutOfStock) {
		return nil, badRequest("The requested qty is not available")
	}
	if errors.Is(err, world.ErrQuotePlaced) {
		return nil, noEntity("cartId", q.key())
	}
	if err != nil {
		return nil, err
	}
	q.Active = false
	if q.Customer == nil {
		return strconv.Itoa(placed.ID), nil
	}
	return placed.ID, nil
}

func (s *shop) orderOf(q *quote) world.Order {
	a := s.collect(q)
	o := world.Order{
		QuoteID: q.ID, Email: q.email(), Group: q.group(), Currency: q.Store.Currency,
		Subtotal: a.subtotal, Discount: a.discount, Shipping: a.shipping, Tax: a.tax, Total: a.total, Coupon: a.coupon,
		ShippingCode: q.Method.world.Code, ShippingTitle: q.Method.title(), Payment: q.Payment,
		ShipTo: q.Shipping.order(), BillTo: q.Billing.order(),
	}
	if q.Customer != nil {
		o.CustomerNumber = q.Customer.Number
	}
	for i, it := range q.Items {
		o.Lines = append(o.Lines, world.OrderLine{ProductID: it.Product.ID, SKU: it.Product.SKU, Name: it.Product.Name, Qty: it.Qty, Unit: a.units[i]})
	}
	return o
}

func (a *address) order() world.OrderAddress {
	street := append(slices.Clone(a.Street), "", "", "")
	return world.OrderAddress{
		FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Street1: street[0], Street2: street[1], Street3: street[2],
		City: a.City, RegionCode: a.RegionCode, Region: a.Region, Postcode: a.Postcode, Country: a.Country, Phone: a.Phone,
	}
}
