package magento

import (
	"encoding/json"
	"strconv"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

type orderWire struct {
	EntityID    int               `json:"entity_id"`
	IncrementID string            `json:"increment_id"`
	QuoteID     int               `json:"quote_id,omitempty"`
	State       string            `json:"state"`
	Status      string            `json:"status"`
	CreatedAt   string            `json:"created_at"`
	UpdatedAt   string            `json:"updated_at"`
	CustomerID  int               `json:"customer_id,omitempty"`
	IsGuest     int               `json:"customer_is_guest"`
	Email       string            `json:"customer_email"`
	FirstName   string            `json:"customer_firstname,omitempty"`
	LastName    string            `json:"customer_lastname,omitempty"`
	GroupID     int               `json:"customer_group_id"`
	Base        string            `json:"base_currency_code"`
	Currency    string            `json:"order_currency_code"`
	Subtotal    json.Number       `json:"subtotal"`
	Discount    json.Number       `json:"discount_amount"`
	Shipping    json.Number       `json:"shipping_amount"`
	Tax         json.Number       `json:"tax_amount"`
	GrandTotal  json.Number       `json:"grand_total"`
	TotalDue    json.Number       `json:"total_due"`
	Coupon      string            `json:"coupon_code,omitempty"`
	ShipVia     string            `json:"shipping_description"`
	StoreID     int               `json:"store_id"`
	Count       int               `json:"total_item_count"`
	Qty         int               `json:"total_qty_ordered"`
	Items       []orderItemWire   `json:"items"`
	Billing     orderAddressWire  `json:"billing_address"`
	Payment     orderPaymentWire  `json:"payment"`
	Histories   []struct{}        `json:"status_histories"`
	Extension   orderExtensionOut `json:"extension_attributes"`
}

type orderItemWire struct {
	ItemID      int         `json:"item_id"`
	OrderID     int         `json:"order_id"`
	ProductID   int         `json:"product_id"`
	SKU         string      `json:"sku"`
	Name        string      `json:"name"`
	ProductType string      `json:"product_type"`
	Price       json.Number `json:"price"`
	RowTotal    json.Number `json:"row_total"`
	QtyOrdered  int         `json:"qty_ordered"`
	QtyShipped  int         `json:"qty_shipped"`
	QtyInvoiced int         `json:"qty_invoiced"`
	QtyCanceled int         `json:"qty_canceled"`
	QtyRefunded int         `json:"qty_refunded"`
}

type orderAddressWire struct {
	Type       string   `json:"address_type"`
	FirstName  string   `json:"firstname"`
	LastName   string   `json:"lastname"`
	Company    string   `json:"company,omitempty"`
	Street     []string `json:"street"`
	City       string   `json:"city"`
	Region     string   `json:"region,omitempty"`
	RegionCode string   `json:"region_code,omitempty"`
	Postcode   string   `json:"postcode"`
	Country    string   `json:"country_id"`
	Phone      string   `json:"telephone,omitempty"`
	Email      string   `json:"email"`
}

type orderPaymentWire struct {
	Method string   `json:"method"`
	Info   []string `json:"additional_information"`
}

type orderExtensionOut struct {
	Assignments []orderAssignment `json:"shipping_assignments"`
}

type orderAssignment struct {
	Shipping orderShippingWire `json:"shipping"`
}

type orderShippingWire struct {
	Address orderAddressWire `json:"address"`
	Method  string           `json:"method"`
}

func (s *shop) wireOrder(o *world.Order) orderWire {
	out := orderWire{
		EntityID: o.ID, IncrementID: o.Number, QuoteID: o.QuoteID, State: "new", Status: "pending",
		CreatedAt: stamp(o.PlacedAt), UpdatedAt: stamp(o.PlacedAt), IsGuest: 1, Email: o.Email, GroupID: groupIDs[o.Group],
		Base: o.Currency, Currency: o.Currency, Subtotal: number(o.Subtotal), Discount: negative(o.Discount), Shipping: number(o.Shipping),
		Tax: number(o.Tax), GrandTotal: number(o.Total), TotalDue: number(o.Total), Coupon: o.Coupon, ShipVia: o.ShippingTitle,
		StoreID: storeOf(o.Currency).ID, Count: len(o.Lines), Items: []orderItemWire{}, Billing: wireOrderAddress("billing", o.BillTo, o.Email),
		Payment: orderPaymentWire{Method: o.Payment, Info: []string{}}, Histories: []struct{}{},
	}
	if c := s.world.Customer(o.CustomerNumber); c != nil {
		out.CustomerID, out.IsGuest, out.FirstName, out.LastName = c.MagentoID, 0, c.FirstName, c.LastName
	}
	if o.Seeded {
		out.State, out.Status, out.TotalDue = "complete", "complete", "0"
	}
	for i, l := range o.Lines {
		out.Items = append(out.Items, wireOrderItem(o, i, l))
		out.Qty += l.Qty
	}
	out.Extension.Assignments = []orderAssignment{{orderShippingWire{wireOrderAddress("shipping", o.ShipTo, o.Email), o.ShippingCode}}}
	return out
}

func wireOrderItem(o *world.Order, i int, l world.OrderLine) orderItemWire {
	row, err := l.Unit.Mul(strconv.Itoa(l.Qty))
	if err != nil {
		row = currency.Amount{}
	}
	w := orderItemWire{
		ItemID: o.ID*100 + i, OrderID: o.ID, ProductID: l.ProductID, SKU: l.SKU, Name: l.Name, ProductType: "simple",
		Price: number(l.Unit), RowTotal: number(row), QtyOrdered: l.Qty,
	}
	if o.Seeded {
		w.QtyShipped, w.QtyInvoiced = l.Qty, l.Qty
	}
	return w
}

func wireOrderAddress(kind string, a world.OrderAddress, email string) orderAddressWire {
	out := orderAddressWire{
		Type: kind, FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Street: []string{a.Street1}, City: a.City,
		Region: a.Region, RegionCode: a.RegionCode, Postcode: a.Postcode, Country: a.Country, Phone: a.Phone, Email: email,
	}
	for _, line := range []string{a.Street2, a.Street3} {
		if line != "" {
			out.Street = append(out.Street, line)
		}
	}
	return out
}

func storeOf(code string) store {
	for _, st := range stores {
		if st.Currency == code {
			return st
		}
	}
	return stores[0]
}

// orderFields are what orders can be searched by.
func (s *shop) orderFields() map[string]func(*world.Order) string {
	return map[string]func(*world.Order) string{
		"entity_id":      func(o *world.Order) string { return strconv.Itoa(o.ID) },
		"increment_id":   func(o *world.Order) string { return o.Number },
		"quote_id":       func(o *world.Order) string { return zeroIsNone(o.QuoteID) },
		"customer_email": func(o *world.Order) string { return o.Email },
		"created_at":     func(o *world.Order) string { return stamp(o.PlacedAt) },
		"customer_id": func(o *world.Order) string {
			if c := s.world.Customer(o.CustomerNumber); c != nil {
				return strconv.Itoa(c.MagentoID)
			}
			return ""
		},
	}
}

func zeroIsNone(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (s *shop) searchOrders(c *call) (any, error) {
	return search(c.query, s.world.Orders(), s.orderFields(), s.wireOrder)
}

func (s *shop) getOrder(c *call) (any, error) {
	for _, o := range s.world.Orders() {
		if strconv.Itoa(o.ID) == c.args["id"] {
			return s.wireOrder(o), nil
		}
	}
	return nil, notFound("The entity that was requested doesn't exist. Verify the entity and try again.")
}
