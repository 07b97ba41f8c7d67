package magento

import (
	"slices"
	"strconv"
	"time"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// quote is a cart. The shop's lock guards it.
type quote struct {
	ID       int
	Masked   string // a guest's secret; empty for a customer's cart
	Store    store
	Customer *world.Customer // nil for a guest
	Email    string          // a guest's, once known
	Items    []*item
	Coupon   string
	Shipping *address // nil until set
	Billing  *address
	Method   *method // nil until set
	Payment  string
	Active   bool // false once its order was placed
	Created  time.Time
	Updated  time.Time
}

// item is a line of a quote.
type item struct {
	ID      int
	Product *world.Product
	Qty     int
}

func (q *quote) group() string {
	if q.Customer == nil {
		return world.Retail
	}
	return q.Customer.Group
}

func (q *quote) email() string {
	if q.Customer != nil {
		return q.Customer.Email
	}
	return q.Email
}

// key is how callers on this quote's routes name it.
func (q *quote) key() string {
	if q.Masked != "" {
		return q.Masked
	}
	return strconv.Itoa(q.ID)
}

func (q *quote) item(id string) *item {
	i := slices.IndexFunc(q.Items, func(it *item) bool { return strconv.Itoa(it.ID) == id })
	if i < 0 {
		return nil
	}
	return q.Items[i]
}

// quote finds the cart that a call names. Callers hold the lock. Admin routes see
// every quote by its number, guest routes only those that have a masked id.
func (s *shop) quote(c *call) (*quote, error) {
	name := c.args["id"]
	if !c.admin {
		if q := s.quotes[s.masked[name]]; q != nil {
			return q, nil
		}
		return nil, noEntity("cartId", name)
	}
	id, err := strconv.Atoi(name)
	if err != nil {
		return nil, &fault{
			Status: 400, Message: `The "%value" value's type is invalid. The "%type" type was expected. Verify and try again.`,
			Parameters: map[string]string{"value": name, "type": "int"},
		}
	}
	if q := s.quotes[id]; q != nil {
		return q, nil
	}
	return nil, noEntity("cartId", name)
}

// activeQuote is quote for everything but reading: an inactive cart is not there.
func (s *shop) activeQuote(c *call) (*quote, error) {
	q, err := s.quote(c)
	if err != nil {
		return nil, err
	}
	if !q.Active {
		return nil, noEntity("cartId", c.args["id"])
	}
	return q, nil
}

// change runs fn on the call's active cart and stamps it.
func (s *shop) change(c *call, fn func(*quote) (any, error)) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.activeQuote(c)
	if err != nil {
		return nil, err
	}
	answer, err := fn(q)
	if err == nil {
		q.Updated = s.world.Now()
	}
	return answer, err
}

// look runs fn on the call's active cart.
func (s *shop) look(c *call, fn func(*quote) (any, error)) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.activeQuote(c)
	if err != nil {
		return nil, err
	}
	return fn(q)
}

// amounts is what a quote adds up to, in its store's currency. Discount is 0 or more here.
type amounts struct {
	units    []currency.Amount // by item
	rows     []currency.Amount
	subtotal currency.Amount
	discount currency.Amount
	shipping currency.Amount
	taxRate  string
	tax      currency.Amount
	total    currency.Amount
	coupon   string // empty when none applies
}

// collect computes the totals, as Magento does on every change. Prices were
// checked when items were added, so sums of one currency cannot fail.
func (s *shop) collect(q *quote) amounts {
	zero := zeroOf(q.Store.Currency)
	a := amounts{subtotal: zero, discount: zero, shipping: zero, tax: zero, taxRate: "0"}
	for _, it := range q.Items {
		unit, _ := s.world.UnitPrice(it.Product.ID, q.group(), q.Store.Currency, it.Qty)
		row, _ := unit.Mul(strconv.Itoa(it.Qty))
		a.units, a.rows = append(a.units, unit), append(a.rows, row)
		a.subtotal = sum(a.subtotal, row)
	}
	if discount, ok := s.world.CouponDiscount(q.Coupon, a.subtotal); ok && q.Coupon != "" {
		a.discount, a.coupon = discount, q.Coupon
	}
	if q.Method != nil && q.Shipping != nil {
		a.shipping = s.shippingPrice(q, q.Method.world)
	}
	taxable := minus(a.subtotal, a.discount)
	if q.Shipping != nil {
		a.taxRate = s.world.TaxRate(q.Shipping.Country, q.Shipping.RegionCode)
		if tax, ok := world.Percent(taxable, a.taxRate); ok {
			a.tax = tax
		}
	}
	a.total = sum(sum(taxable, a.shipping), a.tax)
	return a
}

func zeroOf(code string) currency.Amount {
	zero, _ := currency.NewAmount("0", code)
	return zero
}

func sum(a, b currency.Amount) currency.Amount {
	total, _ := a.Add(b)
	return total
}

func minus(a, b currency.Amount) currency.Amount {
	rest, _ := a.Sub(b)
	return rest
}
