package screen

import "github.com/portico-bff/portico/bff-mobile/internal/fields"

// Calls tells how many calls of systems a screen can come to when so much of it is wanted,
// each operation counting once a round.
type Calls func(fields.Set) int

// What each screen can come to.
var (
	HomeCalls      = callsOf(homeParts)
	CategoryCalls  = callsOf(categoryParts)
	SearchCalls    = callsOf(searchParts)
	ProductCalls   = callsOf(productParts)
	CartCalls      = callsOf(cartParts)
	CheckoutCalls  = callsOf(checkoutParts)
	AccountCalls   = callsOf(accountParts)
	OrderListCalls = callsOf(orderListParts)
	OrderCalls     = callsOf(orderParts)
)

func callsOf[S any](table []part[S]) Calls {
	return func(of fields.Set) (n int) {
		for _, p := range wanted(Viewer{Fields: of}, table) {
			n += max(1, p.Calls)
		}
		return n
	}
}
