package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// OrderList is a page of the signed-in customer's orders, newest first.
func (s *Screens) OrderList(ctx context.Context, v Viewer, page commerce.Cursor) (*api.OrderList, error) {
	p, cancel := s.begin(ctx)
	defer cancel()
	shown := &api.OrderList{}
	p.required("items", commerce.OpOrders, func(ctx context.Context) error {
		found, err := s.Orders.Orders(ctx, v.Principal, page)
		if err != nil {
			return err
		}
		shown.Items = summaries(found.Orders, v.Market.Locale)
		shown.Total, shown.HasNext, shown.EndCursor = found.Total, found.HasNext, found.EndCursor
		return nil
	})
	var err error
	shown.Degraded, err = p.wait()
	return shown, err
}

// Order is one order: the customer's own, or a guest's by its token. Anything
// else is [commerce.ErrNotFound].
func (s *Screens) Order(ctx context.Context, v Viewer, number commerce.OrderNumber, token string) (*api.OrderDetails, error) {
	p, cancel := s.begin(ctx)
	defer cancel()
	shown := &api.OrderDetails{}
	p.required("order", commerce.OpOrder, func(ctx context.Context) error {
		order, err := s.Orders.Order(ctx, v.Principal, number, token)
		if err == nil {
			*shown = details(order, v.Market.Locale)
		}
		return err
	})
	var err error
	shown.Degraded, err = p.wait()
	return shown, err
}

func summaries(orders []*commerce.Order, locale string) []api.OrderSummary {
	list := make([]api.OrderSummary, len(orders))
	for i, o := range orders {
		list[i] = api.OrderSummary{
			Number: string(o.Number), PlacedAt: o.PlacedAt.UTC(), Status: api.OrderStatus(o.Status), PendingSync: o.PendingSync,
			Total: Money(o.Totals.Total, locale),
		}
		for _, l := range o.Lines {
			list[i].Quantity += l.Quantity
		}
	}
	return list
}

func details(o *commerce.Order, locale string) api.OrderDetails {
	shown := api.OrderDetails{
		Number: string(o.Number), PlacedAt: o.PlacedAt.UTC(), Status: api.OrderStatus(o.Status), PendingSync: o.PendingSync,
		Totals: totals(o.Totals, locale), Lines: make([]api.OrderLine, len(o.Lines)),
	}
	for i, l := range o.Lines {
		shown.Lines[i] = api.OrderLine{
			Sku: string(l.SKU), Name: l.Name, Quantity: l.Quantity, Unit: Money(l.Unit, locale), Total: Money(l.Total, locale),
		}
	}
	if o.Shipping != nil {
		shown.Shipping = address(*o.Shipping)
	}
	for _, s := range o.Shipments {
		shown.Shipments = append(shown.Shipments, api.Shipment{Status: s.Status, Tracking: s.Tracking})
	}
	return shown
}
