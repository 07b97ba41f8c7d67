package commerce

// Ports is what a system, or a whole company, offers. A nil port is not offered.
// A connector fills those it implements; the wiring joins several into one.
type Ports struct {
	Catalog         Catalog
	Related         Related
	Categories      Categories
	Content         Content
	Listing         Listing
	Reviews         Reviews
	Recommendations Recommendations
	Search          Search
	Pricing         Pricing
	Inventory       Inventory
	OrderHistory    OrderHistory
	Invoices        Invoices
	Customers       Customers
	Loyalty         Loyalty
	Notifications   Notifications
	Carts           Carts
	CartLines       CartLines
	CartCoupons     CartCoupons
	CheckoutOptions CheckoutOptions
	Checkout        Checkout
	// PlacedOrders is the checkout's own view of orders, for those the ERP does not have yet.
	PlacedOrders OrderHistory
	// Traits of the operations behind the ports. OpOrders, OpOrder and OpGuestOrder
	// speak of OrderHistory, or of PlacedOrders where a kind offers only that.
	Traits map[Operation]Traits
}
