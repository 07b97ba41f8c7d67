package cache

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// effect is what a write does to what is kept, and to loads under way.
type effect struct {
	op     commerce.Operation
	epochs string // whose loads nobody joins any more
	tags   string
}

// writes has each method of a port that changes something, and what is read again after it.
var writes = map[string]effect{
	"Carts.Create":                {commerce.OpCartCreate, "principal", ""},
	"Carts.Merge":                 {commerce.OpCartMerge, "principal cart", ""},
	"CartLines.AddLine":           {commerce.OpLineAdd, "principal cart", ""},
	"CartLines.SetLine":           {commerce.OpLineSet, "principal cart", ""},
	"CartLines.RemoveLine":        {commerce.OpLineRemove, "principal cart", ""},
	"CartCoupons.ApplyCoupon":     {commerce.OpCouponApply, "principal cart", ""},
	"CartCoupons.RemoveCoupon":    {commerce.OpCouponRemove, "principal cart", ""},
	"CheckoutOptions.SetShipping": {commerce.OpShippingSet, "principal cart", ""},
	"Checkout.Place":              {commerce.OpPlace, "principal cart", "`stock:{sku}` of each line"},
	"Checkout.Reconcile":          {commerce.OpReconcile, "principal cart", "`stock:{sku}` of each line, when it finds the order"},
	"Notifications.Notify":        {commerce.OpNotify, "", ""},
}

// onlyRead are the methods that change nothing.
var onlyRead = []string{
	"Catalog.Products", "Related.Related", "Categories.Tree", "Content.Pages", "Listing.SKUs", "Listing.PageIDs", "Reviews.Reviews", "Recommendations.Recommend",
	"Search.Search", "Pricing.Prices", "Inventory.Availability", "Customers.Customer", "Loyalty.Loyalty", "Invoices.Invoices",
	"OrderHistory.Orders", "OrderHistory.Order", "OrderHistory.GuestOrder", "PlacedOrders.Orders", "PlacedOrders.Order", "PlacedOrders.GuestOrder",
	"Carts.Cart", "CheckoutOptions.ShippingOptions", "Checkout.Prepare",
}

// portMethods are "Port.Method" of every port there is.
func portMethods() []string {
	var list []string
	for field := range reflect.TypeFor[commerce.Ports]().Fields() {
		if field.Type.Kind() != reflect.Interface {
			continue
		}
		for method := range field.Type.Methods() {
			list = append(list, field.Name+"."+method.Name)
		}
	}
	return list
}

// A port that is added has to say whether it changes anything, and what is read again then.
func TestEveryMethodOfAPortIsAReadOrHasARowOfWrites(t *testing.T) {
	t.Parallel()
	known := append([]string{}, onlyRead...)
	for name := range writes {
		known = append(known, name)
	}
	assert.ElementsMatch(t, known, portMethods())
}

// writeTable is the guide's table of writes.
func writeTable() string {
	or := func(text string) string {
		if text == "" {
			return "–"
		}
		return strings.ReplaceAll(text, " cart", ", cart")
	}
	var b strings.Builder
	for _, name := range portMethods() {
		if w, ok := writes[name]; ok {
			tags := w.tags
			if tags == "" {
				tags = "–"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", w.op, or(w.epochs), tags)
		}
	}
	return b.String()
}

func TestTheGuideHasTheWritesAsTheyAre(t *testing.T) {
	t.Parallel()
	assert.Contains(t, guide(t), writeTable())
}

// Each write counts the epochs that its row says, before and after; whatever comes of it.
func TestEveryWriteCountsItsEpochs(t *testing.T) {
	t.Parallel()
	for name, want := range writes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := New(realTime, Deps{})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, c.Close()) })
			const cart = commerce.CartID("g_00000000000000000000000000000001")
			who := ann()
			principal, basket := c.epochs.of(who.Key()), c.epochs.of(cart)
			port, method, _ := strings.Cut(name, ".")
			before := [2]uint64{principal.Load(), basket.Load()}
			ports := c.Wrap(commercetest.NewShop().Ports())
			field := reflect.ValueOf(ports).FieldByName(port)
			if field.IsNil() {
				require.Empty(t, want.epochs, "the shop of the tests has no such port")
				return
			}
			callWith(t, field.MethodByName(method), who, cart)
			counted := [2]uint64{principal.Load() - before[0], basket.Load() - before[1]}
			var expected [2]uint64
			if strings.Contains(want.epochs, "principal") {
				expected[0] = 2
			}
			if strings.Contains(want.epochs, "cart") {
				expected[1] = 2
			}
			assert.Equal(t, expected, counted)
		})
	}
}

// callWith calls a port's method for who and a cart; all else is zero.
func callWith(t *testing.T, method reflect.Value, who commerce.Principal, cart commerce.CartID) {
	t.Helper()
	args := make([]reflect.Value, method.Type().NumIn())
	for i := range args {
		switch in := method.Type().In(i); in {
		case reflect.TypeFor[context.Context]():
			args[i] = reflect.ValueOf(t.Context())
		case reflect.TypeFor[commerce.Shopper]():
			args[i] = reflect.ValueOf(commerce.Shopper{Principal: who, Market: commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}})
		case reflect.TypeFor[commerce.Principal]():
			args[i] = reflect.ValueOf(who)
		case reflect.TypeFor[commerce.CartID]():
			args[i] = reflect.ValueOf(cart)
		case reflect.TypeFor[commerce.CheckoutRef]():
			args[i] = reflect.ValueOf(commerce.CheckoutRef{Cart: cart})
		default:
			args[i] = reflect.Zero(in)
		}
	}
	method.Call(args)
}
