package commercetest

import (
	"context"
	"slices"
	"strconv"

	"github.com/portico-bff/portico/schema/commerce"
)

type shopERP struct{ *Shop }

// unit is what one piece costs in cents: wholesale pays 10 % less, and 20 % less from ten pieces.
func (g *good) unit(group commerce.PriceGroup, quantity int) int64 {
	switch {
	case group != "wholesale":
		return g.cents
	case quantity >= 10:
		return g.cents * 8 / 10
	default:
		return g.cents * 9 / 10
	}
}

func cents(n int64, currency string) commerce.Money {
	text := strconv.FormatInt(n/100, 10) + "." + strconv.FormatInt(n%100/10, 10) + strconv.FormatInt(n%10, 10)
	return money(text, currency)
}

func (s shopERP) Prices(ctx context.Context, m commerce.Market, group commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	if err := s.begin(ctx, commerce.OpPrices); err != nil {
		return nil, err
	}
	found := map[commerce.PriceKey]*commerce.Price{}
	for _, key := range keys {
		g := s.good(key.SKU)
		if g == nil {
			continue
		}
		p := &commerce.Price{
			SKU: key.SKU, Quantity: key.Quantity, Group: group,
			Unit: cents(g.unit(group, key.Quantity), m.Currency), List: cents(g.cents, m.Currency),
		}
		if group == "wholesale" {
			p.Tiers = []commerce.Tier{{MinQuantity: 10, Unit: cents(g.unit(group, 10), m.Currency)}}
		}
		found[key] = p
	}
	return found, nil
}

func (s shopERP) Availability(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	if err := s.begin(ctx, commerce.OpAvailability); err != nil {
		return nil, err
	}
	return pick(s.Shop, skus, func(g *good) *commerce.Availability {
		a := &commerce.Availability{SKU: g.product.SKU, Quantity: g.stock, InStock: g.stock > 0}
		if g.stock > 0 {
			a.Locations = []commerce.LocationStock{{ID: "1", Name: "Main store", Quantity: g.stock}}
		}
		return a
	}), nil
}

type shopCRM struct{ *Shop }

func (s shopCRM) Customer(ctx context.Context, p commerce.Principal) (*commerce.Customer, error) {
	if err := s.begin(ctx, commerce.OpCustomer); err != nil {
		return nil, err
	}
	email, err := known(p)
	if err != nil {
		return nil, err
	}
	c := customers[email]
	return &c, nil
}

func (s shopCRM) Loyalty(ctx context.Context, p commerce.Principal) (*commerce.LoyaltyAccount, error) {
	if err := s.begin(ctx, commerce.OpLoyalty); err != nil {
		return nil, err
	}
	if _, err := known(p); err != nil {
		return nil, err
	}
	return &commerce.LoyaltyAccount{
		Points: 120, Earned: 200, Level: "Silver", NextLevel: "Gold", PointsToNextLevel: 80,
		Rewards: []commerce.Reward{{ID: "r1", Name: "Free coffee", Cost: 50}},
	}, nil
}

func (s shopCRM) Notify(ctx context.Context, p commerce.Principal, _ string, _ map[string]string) error {
	if err := s.begin(ctx, commerce.OpNotify); err != nil {
		return err
	}
	_, err := known(p)
	return err
}

// shopOrder is an order with its owner's e-mail.
type shopOrder struct {
	email string // empty for a guest
	cart  commerce.CartID
	commerce.Order
}

func pastOrders() []*shopOrder {
	order := func(number commerce.OrderNumber, days int) *shopOrder {
		return &shopOrder{email: "ann@example.test", Order: commerce.Order{
			Number: number, PlacedAt: opened.AddDate(0, 0, days), Status: commerce.OrderDelivered,
			Lines: []commerce.OrderLine{{SKU: "MUG-RED", Name: "Red mug", Quantity: 2, Unit: money("12.50", "USD"), Total: money("25.00", "USD")}},
			Totals: commerce.Totals{
				Subtotal: money("25.00", "USD"), Discount: money("0.00", "USD"), Shipping: money("5.00", "USD"),
				Tax: money("0.00", "USD"), Total: money("30.00", "USD"),
			},
			Shipments: []commerce.Shipment{{
				State: commerce.ShipmentSent, Status: "done", Carrier: "Acme Freight", Tracking: "1Z999",
				TrackingURL: "https://track.example.test/1Z999", SentAt: opened.AddDate(0, 0, days+1),
			}},
		}}
	}
	return []*shopOrder{order("000000007", 1), order("000000008", 9)}
}

type shopHistory struct{ *Shop }

// own lists a customer's orders, newest first.
func (s shopHistory) own(p commerce.Principal) []*commerce.Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	email, err := known(p)
	var own []*commerce.Order
	for _, o := range s.orders {
		if err == nil && o.email == email {
			own = append(own, &o.Order)
		}
	}
	slices.SortStableFunc(own, func(a, b *commerce.Order) int { return b.PlacedAt.Compare(a.PlacedAt) })
	return own
}

func (s shopHistory) Orders(ctx context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	if err := s.begin(ctx, commerce.OpOrders); err != nil {
		return nil, err
	}
	start, err := offset(page.After)
	if err != nil {
		return nil, err
	}
	own := s.own(p)
	end := min(start+page.First, len(own))
	got := &commerce.OrderPage{Orders: own[min(start, end):end], Total: len(own), HasNext: end < len(own)}
	got.Cursors, got.EndCursor = cursors(start, len(got.Orders))
	return got, nil
}

func (s shopHistory) Order(ctx context.Context, p commerce.Principal, number commerce.OrderNumber) (*commerce.Order, error) {
	if err := s.begin(ctx, commerce.OpOrder); err != nil {
		return nil, err
	}
	for _, o := range s.own(p) {
		if o.Number == number {
			return o, nil
		}
	}
	return nil, commerce.ErrNotFound
}

func (s shopHistory) GuestOrder(ctx context.Context, number commerce.OrderNumber) (*commerce.Order, error) {
	if err := s.begin(ctx, commerce.OpGuestOrder); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if o.Number == number {
			return &o.Order, nil
		}
	}
	return nil, commerce.ErrNotFound
}

func (s shopHistory) Invoices(ctx context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.InvoicePage, error) {
	if err := s.begin(ctx, commerce.OpInvoices); err != nil {
		return nil, err
	}
	start, err := offset(page.After)
	if err != nil {
		return nil, err
	}
	got := &commerce.InvoicePage{}
	for _, o := range s.own(p) {
		got.Total++
		if got.Total > start && len(got.Invoices) < page.First {
			got.Invoices = append(got.Invoices, &commerce.Invoice{
				Number: "INV/" + string(o.Number), Order: o.Number, IssuedAt: o.PlacedAt, Paid: true,
				Total: o.Totals.Total, Due: money("0.00", o.Totals.Total.CurrencyCode()),
			})
		}
	}
	got.Cursors, got.EndCursor = cursors(start, len(got.Invoices))
	got.HasNext = len(got.Invoices) > 0 && start+len(got.Invoices) < got.Total
	return got, nil
}
