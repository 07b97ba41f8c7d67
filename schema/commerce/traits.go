package commerce

import "time"

// Operation names a port's operation, the same for every system that offers it.
type Operation string

// Every port operation.
const (
	OpProducts        Operation = "catalog.products"
	OpRelated         Operation = "related.related"
	OpRecommend       Operation = "recommendations.recommend"
	OpCategoryTree    Operation = "categories.tree"
	OpPages           Operation = "content.pages"
	OpSKUs            Operation = "listing.skus"
	OpPageIDs         Operation = "listing.pages"
	OpReviews         Operation = "reviews.reviews"
	OpSearch          Operation = "search.search"
	OpPrices          Operation = "pricing.prices"
	OpAvailability    Operation = "inventory.availability"
	OpCustomer        Operation = "customers.customer"
	OpLoyalty         Operation = "loyalty.loyalty"
	OpNotify          Operation = "notifications.notify"
	OpCartCreate      Operation = "carts.create"
	OpCartRead        Operation = "carts.cart"
	OpCartMerge       Operation = "carts.merge"
	OpLineAdd         Operation = "cart_lines.add"
	OpLineSet         Operation = "cart_lines.set"
	OpLineRemove      Operation = "cart_lines.remove"
	OpCouponApply     Operation = "cart_coupons.apply"
	OpCouponRemove    Operation = "cart_coupons.remove"
	OpShippingOptions Operation = "checkout_options.shipping"
	OpShippingSet     Operation = "checkout_options.set"
	OpPrepare         Operation = "checkout.prepare"
	OpPlace           Operation = "checkout.place"
	OpReconcile       Operation = "checkout.reconcile"
	OpOrders          Operation = "orders.orders"
	OpOrder           Operation = "orders.order"
	OpGuestOrder      Operation = "orders.guest_order"
	OpInvoices        Operation = "invoices.invoices"
)

// Access says whether an operation may be repeated. The zero value may not.
type Access uint8

// The kinds of access.
const (
	Write Access = iota // reaches the wire at most once, whatever its HTTP method
	Read                // safe to repeat, whatever its HTTP method
)

// Scope says who may share an answer. The zero value shares with nobody else.
type Scope uint8

// The scopes, from the narrowest.
const (
	ScopeCustomer Scope = iota // the principal alone
	ScopeSession               // whoever holds the session or the cart
	ScopeSegment               // a price group
	ScopePublic                // everyone in the market
)

func (s Scope) String() string {
	return [...]string{"customer", "session", "segment", "public"}[s&3]
}

// Traits is what a kind of system knows about one of its operations. A kind
// states it once; the transport and the cache both read it.
type Traits struct {
	System    string // the kind: "odoo"
	Operation Operation
	Access    Access
	Scope     Scope
	Lifetime  time.Duration // how long an answer stays fresh; 0 means the default of the operation
	BatchSize int           // keys in one upstream call; 0 means MaxBatch
	Timeout   time.Duration // for the whole operation, retries included; 0 means the transport's default
	MaxBody   int64         // bytes of one answer, once decompressed; 0 means the system's limit
}
