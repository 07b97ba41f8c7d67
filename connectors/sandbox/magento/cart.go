package magento

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

func (s *shop) createGuestCart(c *call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newQuote(c.store, nil).Masked, nil
}

// createCustomerCart answers the id of the customer's cart in the store, new or not.
func (s *shop) createCustomerCart(c *call) (any, error) {
	id, err := strconv.Atoi(c.args["customerId"])
	if err != nil {
		return nil, badValue("customerId", c.args["customerId"])
	}
	customer := s.world.CustomerByMagentoID(id)
	if customer == nil {
		return nil, noEntity("customerId", c.args["customerId"])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.cartOf(customer, c.store); q != nil {
		return q.ID, nil
	}
	return s.newQuote(c.store, customer).ID, nil
}

// cartOf is a customer's active cart in a store, or nil. Callers hold the lock.
func (s *shop) cartOf(customer *world.Customer, st store) *quote {
	for _, q := range s.quotes {
		if q.Active && q.Customer == customer && q.Store.ID == st.ID {
			return q
		}
	}
	return nil
}

// getCart answers a cart. An admin sees a placed one, too; to a guest it is gone.
func (s *shop) getCart(c *call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	find := s.activeQuote
	if c.admin {
		find = s.quote
	}
	q, err := find(c)
	if err != nil {
		return nil, err
	}
	return s.wireCart(q), nil
}

// assignGuestCart wants a customer's own token, which no integration has.
func (s *shop) assignGuestCart(*call) (any, error) { return nil, unauthorized("self") }

// assignCart gives a guest's cart to a customer who has none.
func (s *shop) assignCart(c *call) (any, error) {
	var in struct {
		CustomerID int `json:"customerId"`
		StoreID    int `json:"storeId"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	customer := s.world.CustomerByMagentoID(in.CustomerID)
	if customer == nil {
		return nil, noEntity("customerId", strconv.Itoa(in.CustomerID))
	}
	return s.change(c, func(q *quote) (any, error) {
		if q.Customer != nil {
			return nil, badRequest("The customer can't be assigned to the cart because the cart isn't anonymous.")
		}
		if s.cartOf(customer, q.Store) != nil {
			return nil, badRequest("The customer can't be assigned to the cart because the customer already has an active cart.")
		}
		delete(s.masked, q.Masked)
		q.Customer, q.Masked = customer, ""
		return true, nil
	})
}

func (s *shop) listItems(c *call) (any, error) {
	return s.look(c, func(q *quote) (any, error) { return s.wireItems(q), nil })
}

// itemInput is the body of the items routes.
type itemInput struct {
	Item *struct {
		SKU     string      `json:"sku"`
		Qty     json.Number `json:"qty"`
		QuoteID any         `json:"quote_id"` // a string, or a number on admin routes
	} `json:"cartItem"`
}

// read checks the body: whole quantities of 1 or more, and the path's cart.
func (in *itemInput) read(c *call) (int, error) {
	if err := c.decode(in); err != nil {
		return 0, err
	}
	if in.Item == nil {
		return 0, required("cartItem")
	}
	text, _ := in.Item.QuoteID.(string)
	if n, ok := in.Item.QuoteID.(float64); ok {
		text = strconv.FormatFloat(n, 'f', -1, 64)
	}
	if text != c.args["id"] {
		return 0, noEntity("cartId", text)
	}
	qty, err := strconv.Atoi(in.Item.Qty.String())
	if err != nil || qty < 1 {
		return 0, badValue("qty", in.Item.Qty.String())
	}
	return qty, nil
}

// addItem adds pieces to the line of the product, or a line.
func (s *shop) addItem(c *call) (any, error) {
	var in itemInput
	qty, err := in.read(c)
	if err != nil {
		return nil, err
	}
	return s.change(c, func(q *quote) (any, error) {
		product := s.world.BySKU(in.Item.SKU)
		if product == nil {
			return nil, notFound("The product that was requested doesn't exist. Verify the product and try again.")
		}
		if _, sold := s.world.UnitPrice(product.ID, q.group(), q.Store.Currency, 1); !sold || s.world.Free(product.ID) == 0 {
			return nil, badRequest("Product that you are trying to add is not available.")
		}
		i := slices.IndexFunc(q.Items, func(it *item) bool { return it.Product == product })
		if i >= 0 {
			return s.setQty(q, q.Items[i], q.Items[i].Qty+qty)
		}
		it := &item{ID: s.lastItem + 1, Product: product}
		answer, err := s.setQty(q, it, qty)
		if err != nil {
			return nil, err
		}
		s.lastItem++
		q.Items = append(q.Items, it)
		return answer, nil
	})
}

// setQty gives a line its quantity, when there is as much.
func (s *shop) setQty(q *quote, it *item, qty int) (any, error) {
	if qty > s.world.Free(it.Product.ID) {
		return nil, badRequest("The requested qty is not available")
	}
	it.Qty = qty
	return s.wireItem(q, it), nil
}

func (s *shop) setItem(c *call) (any, error) {
	var in itemInput
	qty, err := in.read(c)
	if err != nil {
		return nil, err
	}
	return s.change(c, func(q *quote) (any, error) {
		it := q.item(c.args["itemId"])
		if it == nil {
			return nil, noItem(c)
		}
		return s.setQty(q, it, qty)
	})
}

func (s *shop) deleteItem(c *call) (any, error) {
	return s.change(c, func(q *quote) (any, error) {
		it := q.item(c.args["itemId"])
		if it == nil {
			return nil, noItem(c)
		}
		q.Items = slices.DeleteFunc(q.Items, func(other *item) bool { return other == it })
		return true, nil
	})
}

func noItem(c *call) *fault {
	return notFound("The %1 Cart doesn't contain the %2 item.", c.args["id"], c.args["itemId"])
}

func (s *shop) getTotals(c *call) (any, error) {
	return s.look(c, func(q *quote) (any, error) { return s.wireTotals(q), nil })
}

func (s *shop) getCoupon(c *call) (any, error) {
	return s.look(c, func(q *quote) (any, error) {
		if q.Coupon == "" {
			return nil, nil
		}
		return q.Coupon, nil
	})
}

// setCoupon applies a code in place of any other; a code that does not fit leaves the cart as it was.
func (s *shop) setCoupon(c *call) (any, error) {
	return s.change(c, func(q *quote) (any, error) {
		if len(q.Items) == 0 {
			return nil, notFound(`The "%1" Cart doesn't contain products.`, c.args["id"])
		}
		if _, ok := s.world.CouponDiscount(c.args["code"], s.collect(q).subtotal); !ok {
			return nil, errCoupon
		}
		q.Coupon = c.args["code"]
		return true, nil
	})
}

func (s *shop) deleteCoupon(c *call) (any, error) {
	return s.change(c, func(q *quote) (any, error) {
		if len(q.Items) == 0 {
			return nil, notFound(`The "%1" Cart doesn't contain products.`, c.args["id"])
		}
		q.Coupon = ""
		return true, nil
	})
}
