package edge

import "github.com/portico-bff/portico/schema/commerce"

// roles are bundles of ports that usually come from one system.
var roles = []string{"PIM", "SEARCH", "ERP", "CRM", "CHECKOUT"}

// port is one port as the configuration names it.
type port struct {
	name string // <name>_KIND
	role string // whose settings it inherits; empty means it comes from any system that offers it
	ops  []commerce.Operation
	take func(to, from *commerce.Ports)
	// offered tells whether a system has the port, or all that belong together.
	offered func(from *commerce.Ports) bool
}

// ports is every port. Carts and everything on them come from one system: a cart
// is worth nothing to another.
var ports = []port{
	row("CATALOG", "PIM", func(p *commerce.Ports) *commerce.Catalog { return &p.Catalog }, commerce.OpProducts),
	row("CATEGORIES", "PIM", func(p *commerce.Ports) *commerce.Categories { return &p.Categories }, commerce.OpCategoryTree),
	row("CONTENT", "PIM", func(p *commerce.Ports) *commerce.Content { return &p.Content }, commerce.OpPages),
	row("LISTING", "PIM", func(p *commerce.Ports) *commerce.Listing { return &p.Listing }, commerce.OpSKUs, commerce.OpPageIDs),
	row("REVIEWS", "PIM", func(p *commerce.Ports) *commerce.Reviews { return &p.Reviews }, commerce.OpReviews),
	row("RELATED", "PIM", func(p *commerce.Ports) *commerce.Related { return &p.Related }, commerce.OpRelated),
	row("SEARCH", "SEARCH", func(p *commerce.Ports) *commerce.Search { return &p.Search }, commerce.OpSearch),
	row("PRICING", "ERP", func(p *commerce.Ports) *commerce.Pricing { return &p.Pricing }, commerce.OpPrices),
	row("INVENTORY", "ERP", func(p *commerce.Ports) *commerce.Inventory { return &p.Inventory }, commerce.OpAvailability),
	row("ORDER_HISTORY", "ERP", func(p *commerce.Ports) *commerce.OrderHistory { return &p.OrderHistory },
		commerce.OpOrders, commerce.OpOrder, commerce.OpGuestOrder),
	row("INVOICES", "ERP", func(p *commerce.Ports) *commerce.Invoices { return &p.Invoices }, commerce.OpInvoices),
	row("CUSTOMERS", "CRM", func(p *commerce.Ports) *commerce.Customers { return &p.Customers }, commerce.OpCustomer),
	row("LOYALTY", "CRM", func(p *commerce.Ports) *commerce.Loyalty { return &p.Loyalty }, commerce.OpLoyalty),
	row("RECOMMENDATIONS", "", func(p *commerce.Ports) *commerce.Recommendations { return &p.Recommendations }, commerce.OpRecommend),
	row("NOTIFICATIONS", "", func(p *commerce.Ports) *commerce.Notifications { return &p.Notifications }, commerce.OpNotify),
	{name: "CARTS", role: "CHECKOUT", take: takeCheckout, offered: offersCheckout, ops: []commerce.Operation{
		commerce.OpCartCreate, commerce.OpCartRead, commerce.OpCartMerge, commerce.OpLineAdd, commerce.OpLineSet, commerce.OpLineRemove,
		commerce.OpCouponApply, commerce.OpCouponRemove, commerce.OpShippingOptions, commerce.OpShippingSet,
		commerce.OpPrepare, commerce.OpPlace, commerce.OpReconcile,
		commerce.OpOrders, commerce.OpOrder, commerce.OpGuestOrder, // where the ERP states none
	}},
}

// row is a port that is one field of commerce.Ports.
func row[P comparable](name, role string, field func(*commerce.Ports) *P, ops ...commerce.Operation) port {
	var none P
	return port{
		name: name, role: role, ops: ops,
		take:    func(to, from *commerce.Ports) { take(field(to), *field(from)) },
		offered: func(from *commerce.Ports) bool { return *field(from) != none },
	}
}

// take keeps the first port that is offered.
func take[P comparable](to *P, from P) {
	var none P
	if *to == none {
		*to = from
	}
}

func takeCheckout(to, from *commerce.Ports) {
	take(&to.Carts, from.Carts)
	take(&to.CartLines, from.CartLines)
	take(&to.CartCoupons, from.CartCoupons)
	take(&to.CheckoutOptions, from.CheckoutOptions)
	take(&to.Checkout, from.Checkout)
	take(&to.PlacedOrders, from.PlacedOrders)
}

func offersCheckout(p *commerce.Ports) bool {
	return p.Carts != nil && p.CartLines != nil && p.Checkout != nil
}

// join takes the port and the traits of its operations.
func (p port) join(to *commerce.Ports, from commerce.Ports) {
	p.take(to, &from)
	for _, op := range p.ops {
		if _, known := to.Traits[op]; known {
			continue
		}
		if traits, ok := from.Traits[op]; ok {
			to.Traits[op] = traits
		}
	}
}

// fill puts a port that answers ErrUnavailable wherever nobody offers one.
func fill(p *commerce.Ports) {
	var none absent
	for _, row := range ports {
		row.take(p, &commerce.Ports{
			Catalog: none, Categories: none, Content: none, Listing: none, Reviews: none, Related: none, Search: none,
			Pricing: none, Inventory: none, OrderHistory: none, Invoices: none, Customers: none, Loyalty: none,
			Recommendations: none, Notifications: none, Carts: none, CartLines: none, CartCoupons: none,
			CheckoutOptions: none, Checkout: none, PlacedOrders: none,
		})
		for _, op := range row.ops {
			if _, ok := p.Traits[op]; !ok {
				p.Traits[op] = commerce.Traits{System: notConfigured, Operation: op}
			}
		}
	}
}
