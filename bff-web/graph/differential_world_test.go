package graph

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"time"

	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
)

// world is a shop whose every answer follows from a seed and what is asked for, faults
// included: nothing depends on the order of calls, or on who is asked for what together.
type world struct{ seed uint64 }

func newWorld(seed uint64) *world { return &world{seed} }

// roll is a number below n that follows from what it is about.
func (w *world) roll(n int, about ...any) int {
	h := fnv.New64a()
	fmt.Fprint(h, w.seed, about)
	return int(h.Sum64() % uint64(n)) //nolint:gosec // small
}

func (w *world) principal() commerce.Principal {
	if w.roll(4, "anonymous") == 0 {
		return commerce.Principal{Tenant: "default"}
	}
	return commerce.Principal{Tenant: "default", Subject: "C1", Email: "ann@example.test", EmailVerified: true}
}

var faults = []error{
	commerce.ErrUnavailable, commerce.ErrTimeout, commerce.ErrRateLimited, commerce.ErrUpstream, commerce.ErrNotFound,
	commerce.ErrForbidden, fmt.Errorf("a mistake"), &commerce.InputError{Field: "after", Code: commerce.CodeInvalid, Message: "must be a cursor"},
}

// whole is what a call of op meets as a whole; it may panic.
func (w *world) whole(ctx context.Context, op commerce.Operation, key any) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch w.roll(14, op, key, "whole") {
	case 0:
		panic("a port that panics")
	case 1:
		return &commerce.CallError{System: "shop", Operation: op, Kind: faults[w.roll(len(faults), op, key)], RetryAfter: 1500 * time.Millisecond}
	case 2:
		w.report(ctx, op, "", commerce.StateStale)
	}
	return nil
}

func (w *world) report(ctx context.Context, op commerce.Operation, key string, state commerce.State) {
	commerce.Report(ctx, commerce.Source{System: "shop", Operation: op, Key: key, State: state, Age: 3 * time.Second, Reason: commerce.ReasonTimeout})
}

// some answers a batch: keys may be unknown, or fail each on its own.
func some[K comparable, V any](ctx context.Context, w *world, op commerce.Operation, keys []K, value func(K) V) (map[K]V, error) {
	if err := w.whole(ctx, op, ""); err != nil {
		return nil, err
	}
	found, failed := map[K]V{}, map[K]error{}
	for _, key := range keys {
		switch w.roll(12, op, key) {
		case 0:
		case 1:
			failed[key] = &commerce.CallError{System: "shop", Operation: op, Kind: faults[w.roll(len(faults), key)], Reason: commerce.ReasonBreakerOpen}
		case 2:
			w.report(ctx, op, fmt.Sprint(key), commerce.StateStale)
			found[key] = value(key)
		default:
			found[key] = value(key)
		}
	}
	if len(failed) > 0 {
		return found, &commerce.BatchError[K]{Errs: failed}
	}
	return found, nil
}

var words = []string{"", "Red mug", "a \"quoted\" \\ text", "line\nbreak\ttab\r", "<b>&amp;</b>", "Größe \u2028 \U0001F600", "\x01\x1f\x7f", "日本語", "bad \xff utf"}

func (w *world) word(about ...any) string { return words[w.roll(len(words), append(about, "word")...)] }

func (w *world) time(about ...any) time.Time {
	n := w.roll(9, append(about, "time")...)
	if n == 0 {
		return time.Time{}
	}
	return time.Date(2026, 1, n, 3, 4, 5, n*1000, time.FixedZone("", n*3600-7200))
}

func (w *world) money(about ...any) commerce.Money {
	n := w.roll(100_000, append(about, "money")...)
	m, err := commerce.NewMoney(fmt.Sprintf("%d.%02d", n/100-100, n%100), "EUR")
	if err != nil {
		panic(err)
	}
	return m
}

// count is how long a list is.
func (w *world) count(about ...any) int { return max(0, w.roll(6, append(about, "count")...)-1) }

// list is n values, or nil where there are none, or not nil but empty.
func list[V any](w *world, value func(i int) V, about ...any) []V {
	n := w.count(about...)
	if n == 0 && w.roll(2, append(about, "nil")...) == 0 {
		return nil
	}
	all := make([]V, n)
	for i := range all {
		all[i] = value(i)
	}
	return all
}

func (w *world) skus(about ...any) []commerce.SKU {
	return list(w, func(i int) commerce.SKU { return commerce.SKU(fmt.Sprint("S", w.roll(9, about, i))) }, about...)
}

func (w *world) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	return some(ctx, w, commerce.OpProducts, skus, func(s commerce.SKU) *commerce.Product {
		return &commerce.Product{
			SKU: s, Name: w.word(s), Description: w.word(s, 1), Brand: w.word(s, 2), UpdatedAt: w.time(s),
			Images: list(w, func(i int) commerce.Image { return *w.image(s, i) }, s, "images"),
			Attributes: list(w, func(i int) commerce.Attribute {
				return commerce.Attribute{Code: w.word(s, i), Value: w.word(s, i, "v")}
			}, s, "attributes"),
			Categories: list(w, func(i int) commerce.CategoryRef {
				return commerce.CategoryRef{ID: commerce.CategoryID(fmt.Sprint("c", i, 0)), Name: w.word(s, i)}
			}, s, "categories"),
			Variants: list(w, func(i int) commerce.Variant {
				return commerce.Variant{SKU: commerce.SKU(fmt.Sprint("S", w.roll(9, s, i, "variant"))), Options: list(w, func(j int) commerce.Option {
					if w.roll(2, s, i, j, "color") == 0 {
						return commerce.Option{Code: "color", Value: "Red"}
					}
					return commerce.Option{Code: w.word(s, i, j)}
				}, s, i)}
			}, s, "variants"),
		}
	})
}

func (w *world) image(about ...any) *commerce.Image {
	return &commerce.Image{Alt: w.word(about...), Renditions: list(w, func(i int) commerce.Rendition {
		return commerce.Rendition{Width: 100 * (i + 1), URL: fmt.Sprint("https://x.test/", i)}
	}, append(about, "renditions")...)}
}

func (w *world) Related(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	return some(ctx, w, commerce.OpRelated, skus, func(s commerce.SKU) []commerce.RelatedProduct {
		var list []commerce.RelatedProduct
		for _, sku := range w.skus(s, "related") {
			list = append(list, commerce.RelatedProduct{SKU: sku})
		}
		return list
	})
}

func (w *world) Prices(ctx context.Context, _ commerce.Market, _ commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	return some(ctx, w, commerce.OpPrices, keys, func(k commerce.PriceKey) *commerce.Price {
		return &commerce.Price{SKU: k.SKU, Quantity: k.Quantity, Group: "g", Unit: w.money(k), List: w.money(k, 1), Tiers: list(w, func(i int) commerce.Tier { return commerce.Tier{MinQuantity: i, Unit: w.money(k, i)} }, k)}
	})
}

func (w *world) Availability(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	return some(ctx, w, commerce.OpAvailability, skus, func(s commerce.SKU) *commerce.Availability {
		return &commerce.Availability{SKU: s, Quantity: w.roll(5, s), InStock: w.roll(2, s) == 1, Locations: list(w, func(i int) commerce.LocationStock { return commerce.LocationStock{ID: w.word(s, i), Quantity: i} }, s)}
	})
}

func (w *world) Reviews(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	averages := []float64{0, 4.25, 1e21, 1e-7, 5, math.Pi, 100000, 1234567}
	return some(ctx, w, commerce.OpReviews, skus, func(s commerce.SKU) *commerce.ReviewSummary {
		return &commerce.ReviewSummary{SKU: s, Count: w.roll(5, s), Average: averages[w.roll(len(averages), s)], Ratings: [5]int{1, 0, w.roll(5, s)}, Reviews: list(w, func(i int) commerce.Review {
			return commerce.Review{ID: w.word(s, i), Author: w.word(s, i), Rating: i, Body: w.word(s, i, 1), CreatedAt: w.time(s, i)} // null where it must not be
		}, s)}
	})
}

func (w *world) Search(ctx context.Context, _ commerce.Market, q commerce.SearchQuery) (*commerce.SearchResult, error) {
	without := q.NoFacets
	q.NoFacets = false
	key := fmt.Sprintf("%+v", q)
	if err := w.whole(ctx, commerce.OpSearch, key); err != nil {
		return nil, err
	}
	r := &commerce.SearchResult{SKUs: w.skus(key), Total: w.roll(99, key), HasNext: w.roll(2, key) == 1}
	if !without {
		r.Facets = list(w, func(i int) commerce.Facet {
			return commerce.Facet{Code: w.word(key, i), Values: list(w, func(j int) commerce.FacetValue {
				return commerce.FacetValue{Value: w.word(key, j), Count: j, Selected: j == 1}
			}, key, i)}
		}, key, "facets")
	}
	r.Cursors, r.EndCursor = w.cursors(len(r.SKUs), key)
	return r, nil
}

func (w *world) cursors(n int, about ...any) (each []string, end string) {
	for i := range n {
		end = w.word(append(about, i, "cursor")...)
		each = append(each, end)
	}
	return each, end
}

func (w *world) Pages(ctx context.Context, _ commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	return some(ctx, w, commerce.OpPages, ids, func(id commerce.PageID) *commerce.Page {
		p := &commerce.Page{ID: id, Title: w.word(id), Body: w.word(id, 1), UpdatedAt: w.time(id)}
		if w.roll(2, id, "picture") == 0 {
			p.Image = w.image(id)
		}
		return p
	})
}

func (w *world) Recommend(ctx context.Context, _ commerce.Shopper, seeds []commerce.SKU, first int) ([]commerce.SKU, error) {
	if err := w.whole(ctx, commerce.OpRecommend, fmt.Sprint(seeds, first)); err != nil {
		return nil, err
	}
	return w.skus(seeds, first, "recommended"), nil
}

func (w *world) Invoices(ctx context.Context, _ commerce.Principal, page commerce.Cursor) (*commerce.InvoicePage, error) {
	if err := w.whole(ctx, commerce.OpInvoices, page); err != nil {
		return nil, err
	}
	p := &commerce.InvoicePage{Total: 9, HasNext: w.roll(2, page) == 1, Invoices: list(w, func(i int) *commerce.Invoice {
		return &commerce.Invoice{Number: w.word(i), Order: "7", IssuedAt: w.time(i), DueAt: w.time(i, "due"), Paid: i == 1, Total: w.money(i), Due: w.money(i, 1)}
	}, "invoices", page)}
	p.Cursors, p.EndCursor = w.cursors(len(p.Invoices), page, "invoice")
	return p, nil
}

func (w *world) Tree(ctx context.Context, _ commerce.Market) (*commerce.CategoryTree, error) {
	if err := w.whole(ctx, commerce.OpCategoryTree, ""); err != nil {
		return nil, err
	}
	return commerce.NewCategoryTree(w.categories("", 0)), nil
}

func (w *world) categories(parent commerce.CategoryID, depth int) []*commerce.Category {
	if depth > 2 {
		return nil
	}
	return list(w, func(i int) *commerce.Category {
		c := &commerce.Category{ID: commerce.CategoryID(fmt.Sprint("c", depth, i)), Name: w.word(parent, i), Parent: parent}
		c.Children = w.categories(c.ID, depth+1)
		if w.roll(2, c.ID) == 0 {
			c.Image = w.image(c.ID)
		}
		return c
	}, parent, depth)
}

func (w *world) Customer(ctx context.Context, _ commerce.Principal) (*commerce.Customer, error) {
	if err := w.whole(ctx, commerce.OpCustomer, ""); err != nil {
		return nil, err
	}
	return &commerce.Customer{FirstName: w.word("first"), Segments: list(w, func(i int) string { return w.word(i) }, "segments"), Addresses: list(w, func(i int) commerce.Address { return w.address(i) }, "addresses")}, nil
}

func (w *world) address(about ...any) commerce.Address {
	return commerce.Address{FirstName: w.word(about...), Street: list(w, func(i int) string { return w.word(i) }, append(about, "street")...), Country: "DE"}
}

func (w *world) Loyalty(ctx context.Context, _ commerce.Principal) (*commerce.LoyaltyAccount, error) {
	if err := w.whole(ctx, commerce.OpLoyalty, ""); err != nil {
		return nil, err
	}
	return &commerce.LoyaltyAccount{Points: w.roll(99, "points"), Level: w.word("level"), Rewards: list(w, func(i int) commerce.Reward { return commerce.Reward{ID: w.word(i), Cost: -i} }, "rewards")}, nil
}

func (w *world) totals(about ...any) commerce.Totals {
	return commerce.Totals{Subtotal: w.money(about...), Discount: w.money(append(about, 1)...), Shipping: w.money(append(about, 2)...), Tax: w.money(append(about, 3)...), Total: w.money(append(about, 4)...)}
}

// carts is the world's port of carts.
type carts struct {
	commerce.Carts
	commerce.CheckoutOptions
	*world
}

func (w carts) Cart(ctx context.Context, _ commerce.Shopper, id commerce.CartID) (*commerce.Cart, error) {
	if err := w.whole(ctx, commerce.OpCartRead, id); err != nil {
		return nil, err
	}
	c := &commerce.Cart{ID: id, Currency: "EUR", Coupon: w.word("coupon"), Totals: w.totals(id), Payments: list(w.world, func(i int) commerce.PaymentMethod { return commerce.PaymentMethod{Code: w.word(i)} }, "payments")}
	c.Lines = list(w.world, func(i int) commerce.CartLine {
		return commerce.CartLine{ID: "l", SKU: commerce.SKU(fmt.Sprint("S", w.roll(9, i, "line"))), Quantity: i, Unit: w.money(i), Total: w.money(i, 2)}
	}, "lines")
	if w.roll(2, "shipping") == 0 {
		c.Shipping = &commerce.SelectedShipping{Code: w.word("code"), Address: w.address("shipping")}
	}
	return c, nil
}

func (w carts) ShippingOptions(ctx context.Context, _ commerce.Shopper, id commerce.CartID, to commerce.Address) ([]commerce.ShippingOption, error) {
	if err := w.whole(ctx, commerce.OpShippingOptions, fmt.Sprint(id, to)); err != nil {
		return nil, err
	}
	return list(w.world, func(i int) commerce.ShippingOption {
		return commerce.ShippingOption{Code: w.word(to, i), Price: w.money(i)}
	}, "options", to), nil
}

// Place is not asked for.
func (w *world) Place(context.Context, ordering.Request) (*ordering.Placed, error) {
	return nil, commerce.ErrUnavailable
}

func (w *world) Orders(ctx context.Context, _ commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	if err := w.whole(ctx, commerce.OpOrders, page); err != nil {
		return nil, err
	}
	p := &commerce.OrderPage{Orders: list(w, func(i int) *commerce.Order { return w.order(i) }, "orders", page), HasNext: true, Total: 7}
	p.Cursors, p.EndCursor = w.cursors(len(p.Orders), page, "order")
	return p, nil
}

func (w *world) Order(ctx context.Context, _ commerce.Principal, number commerce.OrderNumber, token string) (*commerce.Order, error) {
	if err := w.whole(ctx, commerce.OpOrder, fmt.Sprint(number, token)); err != nil {
		return nil, err
	}
	return w.order(number), nil
}

func (w *world) order(about any) *commerce.Order {
	statuses := []commerce.OrderStatus{commerce.OrderPending, commerce.OrderConfirmed, commerce.OrderShipped, commerce.OrderDelivered, commerce.OrderCancelled, commerce.OrderOnHold, commerce.OrderUnknown, "NOT_OURS"}
	o := &commerce.Order{Number: "1", PlacedAt: w.time(about, "order"), Status: statuses[w.roll(len(statuses), about)], Totals: w.totals(about)}
	o.Lines = list(w, func(i int) commerce.OrderLine {
		l := commerce.OrderLine{SKU: commerce.SKU(fmt.Sprint("S", w.roll(9, about, i))), Unit: w.money(i), Total: w.money(about, i)}
		if w.roll(4, about, i, "gone") == 0 {
			l.SKU = ""
		}
		return l
	}, about, "lines")
	o.Shipments = list(w, func(i int) commerce.Shipment {
		return commerce.Shipment{State: commerce.ShipmentSent, Status: w.word(about, i), SentAt: w.time(about, i)}
	}, about, "shipments")
	if w.roll(2, about) == 0 {
		a := w.address(about)
		o.Shipping = &a
	}
	return o
}

func (w *world) ports() commerce.Ports {
	c := carts{world: w}
	return commerce.Ports{
		Catalog: w, Related: w, Categories: w, Reviews: w, Search: w, Pricing: w, Inventory: w, Customers: w, Loyalty: w,
		Carts: c, CheckoutOptions: c, Content: w, Recommendations: w, Invoices: w,
	}
}
