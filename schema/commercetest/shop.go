package commercetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// Shop is a small company in memory: every port works, carts and orders included.
// It is for tests of what stands on the ports. It is safe for concurrent use.
type Shop struct {
	mu     sync.Mutex
	calls  map[commerce.Operation]int
	errs   map[commerce.Operation]error
	delay  map[commerce.Operation]func(context.Context)
	goods  []*good
	pages  map[commerce.PageID]*shopPage
	named  map[commerce.CategoryID]string // other names than at first
	carts  map[commerce.CartID]*shopCart
	orders []*shopOrder
	serial int
}

// NewShop opens a shop that sells six products to two customers.
func NewShop() *Shop {
	return &Shop{
		calls:  map[commerce.Operation]int{},
		errs:   map[commerce.Operation]error{},
		delay:  map[commerce.Operation]func(context.Context){},
		goods:  assortment(),
		pages:  map[commerce.PageID]*shopPage{"home": {Page: commerce.Page{ID: "home", Title: "Welcome", Body: "Mugs, mostly.", UpdatedAt: opened}}},
		named:  map[commerce.CategoryID]string{},
		carts:  map[commerce.CartID]*shopCart{},
		orders: pastOrders(),
		serial: 1000,
	}
}

// Ports of the shop, with traits.
func (s *Shop) Ports() commerce.Ports {
	history := shopHistory{s}
	return commerce.Ports{
		Catalog: shopCatalog{s}, Related: shopCatalog{s}, Categories: shopCatalog{s}, Content: shopCatalog{s}, Listing: shopCatalog{s},
		Reviews: shopCatalog{s}, Recommendations: shopCatalog{s}, Search: shopSearch{s},
		Pricing: shopERP{s}, Inventory: shopERP{s}, OrderHistory: history, Invoices: history,
		Customers: shopCRM{s}, Loyalty: shopCRM{s}, Notifications: shopCRM{s},
		Carts: shopCarts{s}, CartLines: shopCarts{s}, CartCoupons: shopCarts{s}, CheckoutOptions: shopCarts{s},
		Checkout: shopCheckout{s}, PlacedOrders: history,
		Traits: shopTraits(),
	}
}

// Fail makes every call of op fail with err, until err is nil. A plain sentinel is
// wrapped as a connector would.
func (s *Shop) Fail(op commerce.Operation, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.errs, op)
		return
	}
	s.errs[op] = err
}

// Hold runs wait at the start of every call of op, outside any lock; nil lets go.
func (s *Shop) Hold(op commerce.Operation, wait func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay[op] = wait
}

// Calls counts the calls of op so far.
func (s *Shop) Calls(op commerce.Operation) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// TotalCalls counts the calls of every operation so far.
func (s *Shop) TotalCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		n += c
	}
	return n
}

// ResetCalls starts counting anew.
func (s *Shop) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
}

// begin counts a call, waits where told to, and says whether it fails.
func (s *Shop) begin(ctx context.Context, op commerce.Operation) error {
	s.mu.Lock()
	s.calls[op]++
	err, wait := s.errs[op], s.delay[op]
	s.mu.Unlock()
	if wait != nil {
		wait(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if kind := commerce.KindOf(err); kind != nil && err == kind {
		return &commerce.CallError{System: "shop", Operation: op, Kind: kind}
	}
	return err
}

// Fixture says what the shop holds.
func (s *Shop) Fixture() Fixture {
	return Fixture{
		Market:     commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"},
		Other:      commerce.Market{Channel: "eu", Locale: "fr", Currency: "EUR", Country: "FR"},
		Products:   []commerce.SKU{"MUG-RED", "MUG-BLUE", "LAMP-1"},
		Unknown:    "NO-SUCH-SKU",
		SoldOut:    "RUG-1",
		Varied:     "MUG-RED",
		Reviewed:   "MUG-RED",
		Unreviewed: "LAMP-1",
		Paired:     "MUG-RED",
		Category:   "kitchen",
		Page:       "home",
		Text:       "mug",
		Found:      "MUG-RED",
		Facet:      "color",
		Group:      "retail",
		CheapGroup: "wholesale",
		Customer:   principal("C1", "ann@example.test"),
		Neighbor:   principal("C2", "bob@example.test"),
		Nobody:     principal("C9", "zoe@example.test"),
		Order:      "000000007",
		Address: commerce.Address{
			FirstName: "Ann", LastName: "Lee", Street: []string{"1 Main St"}, City: "Seattle",
			Region: "WA", Postcode: "98101", Country: "US", Phone: "206-555-0100",
		},
		Email:   "ann@example.test",
		Coupon:  "WELCOME10",
		Payment: "checkmo",
	}
}

func principal(subject, email string) commerce.Principal {
	return commerce.Principal{
		Tenant: "default", Subject: subject, Email: email, EmailVerified: true,
		Claims: map[string]string{"sub": subject, "email": email},
	}
}

// customers the shop knows, by e-mail.
var customers = map[string]commerce.Customer{
	"ann@example.test": {
		FirstName: "Ann", LastName: "Lee", Email: "ann@example.test", Phone: "206-555-0100", Segments: []string{"Regulars"},
		Addresses: []commerce.Address{{FirstName: "Ann", LastName: "Lee", Street: []string{"1 Main St"}, City: "Seattle", Region: "WA", Postcode: "98101", Country: "US"}},
	},
	"bob@example.test": {FirstName: "Bob", LastName: "Ray", Email: "bob@example.test"},
}

// known is the e-mail of a principal that is a customer, or ErrNotFound.
func known(p commerce.Principal) (string, error) {
	if _, ok := customers[p.Email]; !ok || !p.EmailVerified || p.Anonymous() {
		return "", commerce.ErrNotFound
	}
	return p.Email, nil
}

func shopTraits() map[commerce.Operation]commerce.Traits {
	traits := map[commerce.Operation]commerce.Traits{}
	set := func(access commerce.Access, scope commerce.Scope, ops ...commerce.Operation) {
		for _, op := range ops {
			traits[op] = commerce.Traits{System: "shop", Operation: op, Access: access, Scope: scope}
		}
	}
	set(commerce.Read, commerce.ScopePublic, commerce.OpProducts, commerce.OpRelated, commerce.OpCategoryTree,
		commerce.OpPages, commerce.OpSKUs, commerce.OpPageIDs, commerce.OpReviews, commerce.OpSearch, commerce.OpAvailability)
	set(commerce.Read, commerce.ScopeSegment, commerce.OpPrices)
	set(commerce.Read, commerce.ScopeCustomer, commerce.OpRecommend, commerce.OpCustomer, commerce.OpLoyalty,
		commerce.OpOrders, commerce.OpOrder, commerce.OpGuestOrder, commerce.OpInvoices)
	set(commerce.Read, commerce.ScopeSession, commerce.OpCartRead, commerce.OpShippingOptions, commerce.OpPrepare, commerce.OpReconcile)
	set(commerce.Write, commerce.ScopeSession, commerce.OpNotify, commerce.OpCartCreate, commerce.OpCartMerge, commerce.OpLineAdd,
		commerce.OpLineSet, commerce.OpLineRemove, commerce.OpCouponApply, commerce.OpCouponRemove, commerce.OpShippingSet, commerce.OpPlace)
	return traits
}

// money panics on a text that is not an amount: the texts are this package's own.
func money(amount, currency string) commerce.Money {
	m, err := commerce.NewMoney(amount, currency)
	if err != nil {
		panic(fmt.Sprintf("%q %q: %v", amount, currency, err))
	}
	return m
}

// opened is the day of everything that has no other date.
var opened = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
