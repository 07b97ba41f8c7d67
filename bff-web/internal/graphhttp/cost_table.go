package graphhttp

import "github.com/portico-bff/portico/schema/commerce"

// reading is what resolving a field asks of the ports.
type reading struct {
	calls []commerce.Operation // one call of each, for each object that has the field
	once  commerce.Operation   // one call in a request, whoever asks
	keyed commerce.Operation   // one call for all objects on a level, of up to [commerce.MaxBatch] keys
	plans bool                 // what is below it is planned for each object that has the field, not with what is around it
	most  int                  // objects that it leads to, where no argument says so; 0 is one
}

// readings has a row for each field that something resolves: what it asks of the ports, if
// anything. Scalars, and objects that are there with their parent, need none, unless they
// are lists on the way to what needs one.
var readings = map[string]reading{
	"Query.product":         {keyed: commerce.OpProducts},
	"Query.products":        {keyed: commerce.OpProducts},
	"Query.search":          {calls: []commerce.Operation{commerce.OpSearch}, plans: true},
	"Query.categories":      {once: commerce.OpCategoryTree, most: 10},
	"Query.category":        {once: commerce.OpCategoryTree},
	"Query.cart":            {calls: []commerce.Operation{commerce.OpCartRead}, plans: true},
	"Query.shippingOptions": {calls: []commerce.Operation{commerce.OpShippingOptions}},
	"Query.me":              {},
	"Query.page":            {calls: []commerce.Operation{commerce.OpPages}},
	"Query.pages":           {calls: []commerce.Operation{commerce.OpPages}},
	"Query.recommendations": {calls: []commerce.Operation{commerce.OpRecommend}, keyed: commerce.OpProducts, plans: true},
	"Page.image":            {},
	"Query.order":           {calls: []commerce.Operation{commerce.OpOrder, placedOrder}, plans: true},

	"Subscription.availability":        {},
	"ProductAvailability.availability": {once: commerce.OpAvailability},
	"Subscription.orderStatus":         {calls: []commerce.Operation{commerce.OpOrder, placedOrder}, plans: true},

	"Category.image":       {},
	"Category.children":    {most: 10},
	"Category.parent":      {once: commerce.OpCategoryTree},
	"Category.breadcrumbs": {once: commerce.OpCategoryTree},
	"Category.products":    {calls: []commerce.Operation{commerce.OpSearch}, plans: true},

	"ProductConnection.nodes": {keyed: commerce.OpProducts},
	"ProductConnection.edges": {},
	"ProductEdge.node":        {keyed: commerce.OpProducts},

	"Product.images":       {},
	"Product.breadcrumbs":  {once: commerce.OpCategoryTree},
	"Product.optionAxes":   {},
	"Product.variant":      {},
	"Product.price":        {keyed: commerce.OpPrices},
	"Product.availability": {keyed: commerce.OpAvailability},
	"Product.reviews":      {keyed: commerce.OpReviews},
	"Product.related":      {keyed: commerce.OpRelated, most: 6},
	"Product.variants":     {most: 10},
	"Variant.product":      {keyed: commerce.OpProducts},
	"CartLine.product":     {keyed: commerce.OpProducts},
	"OrderLine.product":    {keyed: commerce.OpProducts},
	"Cart.lines":           {most: 10},
	"Order.lines":          {most: 10},

	"Cart.shippingOptions": {calls: []commerce.Operation{commerce.OpShippingOptions}},

	"Availability.locations":     {},
	"ReviewSummary.distribution": {},

	"Me.invoices":  {calls: []commerce.Operation{commerce.OpInvoices}},
	"Me.profile":   {once: commerce.OpCustomer},
	"Me.addresses": {once: commerce.OpCustomer},
	"Me.loyalty":   {calls: []commerce.Operation{commerce.OpLoyalty}},
	"Me.orders":    {calls: []commerce.Operation{commerce.OpOrders, placedOrders}, plans: true},

	"Mutation.cartCreate":       {calls: []commerce.Operation{commerce.OpCartCreate}, plans: true},
	"Mutation.cartMerge":        {calls: []commerce.Operation{commerce.OpCartMerge}, plans: true},
	"Mutation.cartLineAdd":      {calls: []commerce.Operation{commerce.OpLineAdd}, plans: true},
	"Mutation.cartLineUpdate":   {calls: []commerce.Operation{commerce.OpLineSet}, plans: true},
	"Mutation.cartLineRemove":   {calls: []commerce.Operation{commerce.OpLineRemove}, plans: true},
	"Mutation.cartCouponApply":  {calls: []commerce.Operation{commerce.OpCouponApply}, plans: true},
	"Mutation.cartCouponRemove": {calls: []commerce.Operation{commerce.OpCouponRemove}, plans: true},
	"Mutation.cartShippingSet":  {calls: []commerce.Operation{commerce.OpShippingSet}, plans: true},
	// Prepared and read, placed; asked what became of it, twice, when that was not told.
	"Mutation.orderPlace": {calls: []commerce.Operation{
		commerce.OpPrepare, commerce.OpPrepare, commerce.OpCartRead, commerce.OpPlace, commerce.OpReconcile, commerce.OpReconcile,
	}},

	"Money.formatted": {},
}

// weights are the calls that an operation makes of its system, where that is not one: as
// many as the connectors were seen to make with nothing kept but references (which ids,
// price lists and places there are), each of which is read once, and comes on top. Writes
// count what they read before and after, at their worst.
var weights = map[commerce.Operation]int{
	commerce.OpAvailability: 2, commerce.OpOrders: 7, commerce.OpOrder: 7, commerce.OpInvoices: 4, commerce.OpCustomer: 2, commerce.OpLoyalty: 3,
	placedOrder: 2, placedOrders: 2, commerce.OpCartRead: 3, commerce.OpShippingOptions: 3, commerce.OpCartCreate: 5, commerce.OpCartMerge: 8,
	commerce.OpLineAdd: 6, commerce.OpLineSet: 6, commerce.OpLineRemove: 6, commerce.OpCouponApply: 6, commerce.OpCouponRemove: 6, commerce.OpShippingSet: 8,
	commerce.OpPrepare: 4, commerce.OpPlace: 4, commerce.OpReconcile: 3,
}

// What the checkout is asked for when the ERP does not know an order yet.
const (
	placedOrder  = commerce.Operation("carts.placed_order")
	placedOrders = commerce.Operation("carts.placed_orders")
)

// roles names the system of a port, as the ports' own part of an operation's name has it.
var roles = map[string]string{
	"catalog": "pim", "related": "pim", "categories": "pim", "content": "pim", "reviews": "pim",
	"search": "search", "pricing": "erp", "inventory": "erp", "orders": "erp", "invoices": "erp",
	"customers": "crm", "loyalty": "crm", "notifications": "crm", "recommendations": "recommendations",
	"carts": "checkout", "cart_lines": "checkout", "cart_coupons": "checkout", "checkout_options": "checkout", "checkout": "checkout",
}

// guesses are mutations that try what someone may be guessing. Each one of them counts
// against a budget of its own, however many a request has.
var guesses = map[string]bool{"cartCouponApply": true}
