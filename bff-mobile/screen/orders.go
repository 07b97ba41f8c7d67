package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// orderSystems are those that are asked for orders: the ERP, and the checkout for what the ERP
// does not know yet.
const orderSystems = 2

var orderListParts = []part[orderList]{
	{Part{Name: "items", Op: commerce.OpOrders, Calls: orderSystems, Required: true, Share: wholeTime}, (*orderList).loadItems},
}

type orderList struct {
	asked

	page  commerce.Cursor
	shown api.OrderList
}

// OrderList is a page of the signed-in customer's orders, newest first.
func (s *Screens) OrderList(ctx context.Context, v Viewer, page commerce.Cursor) (*api.OrderList, error) {
	l := &orderList{asked: asked{s, v}, page: page}
	degraded, err := compose(ctx, s, wanted(v, orderListParts), l)
	if err != nil {
		return nil, err
	}
	l.shown.Degraded = degraded
	return &l.shown, nil
}

func (l *orderList) loadItems(ctx context.Context) error {
	found, err := l.Orders.Orders(ctx, l.viewer.Principal, l.page)
	if err != nil {
		return err
	}
	locale := l.viewer.Market.Locale
	l.shown.Items, l.shown.Total, l.shown.TotalText = summaries(found.Orders, locale), found.Total, count(found.Total, locale)
	l.shown.HasNext, l.shown.EndCursor = found.HasNext, found.EndCursor
	return nil
}

var orderParts = []part[order]{
	{Part{Name: "order", Op: commerce.OpOrder, Calls: orderSystems, Required: true, Share: wholeTime}, (*order).loadOrder},
}

type order struct {
	asked

	number commerce.OrderNumber
	token  string
	shown  api.OrderDetails
}

// Order is one order: the customer's own, or a guest's by its token. Anything
// else is [commerce.ErrNotFound].
func (s *Screens) Order(ctx context.Context, v Viewer, number commerce.OrderNumber, token string) (*api.OrderDetails, error) {
	o := &order{asked: asked{s, v}, number: number, token: token}
	degraded, err := compose(ctx, s, wanted(v, orderParts), o)
	if err != nil {
		return nil, err
	}
	o.shown.Degraded = degraded
	return &o.shown, nil
}

func (o *order) loadOrder(ctx context.Context) error {
	found, err := o.Orders.Order(ctx, o.viewer.Principal, o.number, o.token)
	if err == nil {
		o.shown = details(found, o.viewer.Market.Locale)
	}
	return err
}

func summaries(orders []*commerce.Order, locale string) []api.OrderSummary {
	list := make([]api.OrderSummary, len(orders))
	for i, o := range orders {
		list[i] = api.OrderSummary{
			Number: string(o.Number), PlacedAt: o.PlacedAt.UTC(), PlacedOn: Day(o.PlacedAt, locale), Status: api.OrderStatus(o.Status), PendingSync: o.PendingSync,
			Total: Money(o.Totals.Total, locale),
		}
		for _, l := range o.Lines {
			list[i].Quantity += l.Quantity
		}
		list[i].QuantityText = count(list[i].Quantity, locale)
	}
	return list
}

func details(o *commerce.Order, locale string) api.OrderDetails {
	shown := api.OrderDetails{
		Number: string(o.Number), PlacedAt: o.PlacedAt.UTC(), PlacedOn: Day(o.PlacedAt, locale), Status: api.OrderStatus(o.Status), PendingSync: o.PendingSync,
		Totals: totals(o.Totals, locale), Lines: make([]api.OrderLine, len(o.Lines)),
	}
	for i, l := range o.Lines {
		shown.Lines[i] = api.OrderLine{
			Sku: string(l.SKU), Name: l.Name, Quantity: l.Quantity, QuantityText: count(l.Quantity, locale), Unit: Money(l.Unit, locale), Total: Money(l.Total, locale),
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
