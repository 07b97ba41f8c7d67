package odoo

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/schema/commerce"
)

// wireOrderNames is what an order is called.
type wireOrderNames struct {
	ID   recordID `json:"id"`
	Name text     `json:"name"`
	Ref  text     `json:"client_order_ref"`
}

func (w wireOrderNames) check() error { return w.ID.check() }

type wireOrder struct {
	wireOrderNames

	State    text       `json:"state"`
	Date     moment     `json:"date_order"`
	Tax      number     `json:"amount_tax"`
	Total    number     `json:"amount_total"`
	Currency relation   `json:"currency_id"`
	Pickings []recordID `json:"picking_ids"`
	Shipping relation   `json:"partner_shipping_id"`
}

func (w wireOrder) check() error {
	return errors.Join(w.ID.check(), w.Currency.check(), w.Tax.check(), w.Total.check())
}

var orderFields = []string{"name", "client_order_ref", "state", "date_order", "amount_tax", "amount_total", "currency_id", "picking_ids", "partner_shipping_id"}

// number is the checkout's number of the order; an order that was not made there has Odoo's.
func (w wireOrderNames) number() commerce.OrderNumber {
	if w.Ref != "" {
		return commerce.OrderNumber(w.Ref)
	}
	return commerce.OrderNumber(w.Name)
}

type wireLine struct {
	ID       recordID `json:"id"`
	Order    relation `json:"order_id"`
	Product  relation `json:"product_id"`
	Name     text     `json:"name"`
	Quantity number   `json:"product_uom_qty"`
	Unit     number   `json:"price_unit"`
	Discount number   `json:"discount"`
	Subtotal number   `json:"price_subtotal"`
	Delivery bool     `json:"is_delivery"`
	Reward   bool     `json:"is_reward_line"`
}

func (w wireLine) check() error {
	return errors.Join(w.ID.check(), w.Order.check(), w.Quantity.check(), w.Unit.check(), w.Subtotal.check())
}

var lineFields = []string{
	"order_id", "product_id", "name", "product_uom_qty", "price_unit", "discount", "price_subtotal", "is_delivery", "is_reward_line",
}

type wirePicking struct {
	ID       recordID `json:"id"`
	State    text     `json:"state"`
	Kind     text     `json:"picking_type_code"`
	Carrier  relation `json:"carrier_id"`
	Tracking text     `json:"carrier_tracking_ref"`
	Link     text     `json:"carrier_tracking_url"`
	Done     moment   `json:"date_done"`
}

var pickingFields = []string{"state", "picking_type_code", "carrier_id", "carrier_tracking_ref", "carrier_tracking_url", "date_done"}

// parcels is what states of a transfer mean for who waits for it.
var parcels = map[text]commerce.ShipmentState{
	"draft":     commerce.ShipmentPending,
	"waiting":   commerce.ShipmentPending,
	"confirmed": commerce.ShipmentPending,
	"assigned":  commerce.ShipmentReady,
	"done":      commerce.ShipmentSent,
}

// shipment is a transfer to the customer as a parcel.
func (w wirePicking) shipment() commerce.Shipment {
	s := commerce.Shipment{State: parcels[w.State], Status: string(w.State), Carrier: w.Carrier.Name, Tracking: string(w.Tracking)}
	if s.State == "" {
		s.State = commerce.ShipmentUnknown
	}
	if w.State == "done" {
		s.SentAt = w.Done.Time
	}
	// Several packages of one transfer have a list in this place, as text.
	if u, err := url.Parse(string(w.Link)); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		s.TrackingURL = u.String()
	}
	return s
}

func (w wirePicking) check() error { return w.ID.check() }

const newestOrders = "date_order desc, id desc"

// Orders answers the principal's orders and those of the contacts below its partner.
func (c *connector) Orders(ctx context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	const op = commerce.OpOrders
	from, err := start(cursorOrders, page)
	if err != nil {
		return nil, err
	}
	partner, err := c.partner(ctx, op, p)
	if errors.Is(err, commerce.ErrNotFound) {
		return &commerce.OrderPage{}, nil
	}
	if err != nil {
		return nil, err
	}
	q := query{
		model: "sale.order", Domain: domain{leaf{"partner_id", "child_of", partner}},
		Fields: orderFields, Order: newestOrders, Limit: page.First + 1,
	}
	records, total, err := paged[wireOrder](ctx, c, op, q, from.behind("date_order", datetimeLayout))
	if err != nil {
		return nil, err
	}
	more := len(records) > page.First
	records = records[:min(len(records), page.First)]
	answer := &commerce.OrderPage{Total: total, HasNext: more}
	if answer.Orders, err = c.orders(ctx, op, records); err != nil {
		return nil, err
	}
	for _, w := range records {
		answer.EndCursor = position{at: w.Date.Time, id: w.ID}.cursor(cursorOrders)
		answer.Cursors = append(answer.Cursors, answer.EndCursor)
	}
	return answer, nil
}

// paged reads one page of q, narrowed by behind, and counts all of q meanwhile.
func paged[T record](ctx context.Context, c *connector, op commerce.Operation, q query, behind domain) (records []T, total int, err error) {
	// A group without a context: cancelled by its sibling's refusal, a breaker's probe would tell nothing.
	var g errgroup.Group
	g.Go(func() (err error) { total, err = c.count(ctx, op, q); return err })
	narrowed := q
	narrowed.Domain = slices.Concat(q.Domain, behind)
	g.Go(func() (err error) { records, err = search[T](ctx, c, op, narrowed); return err })
	err = g.Wait()
	return records, total, err
}

// Order answers one of the principal's orders by the checkout's number, or by Odoo's for one that has no other.
func (c *connector) Order(ctx context.Context, p commerce.Principal, number commerce.OrderNumber) (*commerce.Order, error) {
	const op = commerce.OpOrder
	partner, err := c.partner(ctx, op, p)
	if err != nil {
		return nil, err
	}
	return c.orderWhere(ctx, op, number, domain{
		leaf{"partner_id", "child_of", partner}, "|", leaf{"client_order_ref", "=", number}, leaf{"name", "=", number},
	})
}

// GuestOrder answers any order by the checkout's number, which only the checkout's orders have.
func (c *connector) GuestOrder(ctx context.Context, number commerce.OrderNumber) (*commerce.Order, error) {
	return c.orderWhere(ctx, commerce.OpGuestOrder, number, domain{leaf{"client_order_ref", "=", number}})
}

// orderWhere answers the oldest order that has exactly the number.
func (c *connector) orderWhere(ctx context.Context, op commerce.Operation, number commerce.OrderNumber, where domain) (*commerce.Order, error) {
	records, err := search[wireOrder](ctx, c, op, query{model: "sale.order", Domain: where, Fields: orderFields, Order: "id", Limit: commerce.MaxBatch})
	if err != nil {
		return nil, err
	}
	for _, w := range records {
		if w.number() != number {
			continue
		}
		orders, err := c.orders(ctx, op, []wireOrder{w})
		if err != nil {
			return nil, err
		}
		return orders[0], nil
	}
	return nil, fmt.Errorf("odoo order: %w", commerce.ErrNotFound)
}

// orders completes records with their lines, transfers and addresses, one call for each.
func (c *connector) orders(ctx context.Context, op commerce.Operation, records []wireOrder) ([]*commerce.Order, error) {
	if len(records) == 0 {
		return nil, nil
	}
	var lines map[recordID][]wireLine
	var products map[recordID]called
	var pickings map[recordID]wirePicking
	var places map[recordID]*commerce.Address
	// A group without a context: cancelled by its sibling's refusal, a breaker's probe would tell nothing.
	var g errgroup.Group
	g.Go(func() (err error) { lines, products, err = c.lines(ctx, op, records); return err })
	g.Go(func() (err error) { pickings, err = c.pickings(ctx, op, records); return err })
	g.Go(func() (err error) { places, err = c.places(ctx, op, records); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	orders := make([]*commerce.Order, len(records))
	for i, w := range records {
		order, err := orderOf(w, lines[w.ID], products)
		if err != nil {
			return nil, badAnswer(op, fmt.Errorf("order %d: %w", w.ID, err))
		}
		order.Status, order.Shipments = progress(w, pickings)
		order.Shipping = places[w.Shipping.ID]
		orders[i] = order
	}
	return orders, nil
}

// lines reads the lines of all records, and what their products are.
func (c *connector) lines(ctx context.Context, op commerce.Operation, records []wireOrder) (map[recordID][]wireLine, map[recordID]called, error) {
	ids := make([]recordID, len(records))
	for i, w := range records {
		ids[i] = w.ID
	}
	found, err := search[wireLine](ctx, c, op, query{
		model: "sale.order.line", Domain: domain{leaf{"order_id", "in", ids}, leaf{"display_type", "=", false}},
		Fields: lineFields, Order: "order_id, sequence, id",
	})
	if err != nil {
		return nil, nil, err
	}
	lines := map[recordID][]wireLine{}
	seen, used := map[recordID]bool{}, map[recordID]bool{}
	for _, l := range found {
		if seen[l.ID] {
			continue
		}
		seen[l.ID] = true
		lines[l.Order.ID] = append(lines[l.Order.ID], l)
		if l.Product.ID != 0 && !l.Delivery && !l.Reward {
			used[l.Product.ID] = true
		}
	}
	products, err := c.productsByID(ctx, op, sortedKeys(used))
	return lines, products, named(op, err)
}

// pickings reads the transfers of all records, by id.
func (c *connector) pickings(ctx context.Context, op commerce.Operation, records []wireOrder) (map[recordID]wirePicking, error) {
	var ids []recordID
	for _, w := range records {
		ids = append(ids, w.Pickings...)
	}
	if len(ids) == 0 {
		return map[recordID]wirePicking{}, nil
	}
	found, err := search[wirePicking](ctx, c, op, query{
		model: "stock.picking", Domain: domain{leaf{"id", "in", ids}}, Fields: pickingFields, Order: "id",
	})
	pickings := make(map[recordID]wirePicking, len(found))
	for _, w := range found {
		pickings[w.ID] = w
	}
	return pickings, err
}

// orderOf makes an order of its record and lines.
func orderOf(w wireOrder, lines []wireLine, products map[recordID]called) (*commerce.Order, error) {
	code := w.Currency.Name
	order := &commerce.Order{Number: w.number(), PlacedAt: w.Date.Time}
	var err error
	if order.Totals.Tax, err = w.Tax.price(code); err != nil {
		return nil, err
	}
	if order.Totals.Total, err = w.Total.price(code); err != nil {
		return nil, err
	}
	zero, err := number("0").price(code)
	if err != nil {
		return nil, err
	}
	t := &order.Totals
	t.Subtotal, t.Shipping, t.Discount = zero, zero, zero
	for _, l := range lines {
		subtotal, err := l.Subtotal.price(code)
		if err != nil {
			return nil, err
		}
		part := &t.Subtotal
		switch {
		case l.Delivery:
			part = &t.Shipping
		case l.Reward || subtotal.IsNegative():
			part = &t.Discount
		default:
			line, err := lineOf(l, subtotal, products[l.Product.ID])
			if err != nil {
				return nil, err
			}
			order.Lines = append(order.Lines, line)
		}
		if *part, err = part.Add(subtotal); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// lineOf makes a line of a product; p is empty when the product is gone.
func lineOf(l wireLine, total commerce.Money, p called) (commerce.OrderLine, error) {
	unit, err := l.Unit.money(total.CurrencyCode())
	if err != nil {
		return commerce.OrderLine{}, err
	}
	if unit, err = less(unit, l.Discount); err != nil {
		return commerce.OrderLine{}, err
	}
	quantity, ok := new(big.Rat).SetString(string(l.Quantity))
	if !ok {
		return commerce.OrderLine{}, errWire
	}
	line := commerce.OrderLine{SKU: p.sku, Name: p.name, Quantity: pieces(quantity), Unit: unit.Round(), Total: total}
	if line.Name == "" {
		line.Name = lineName(string(l.Name))
	}
	return line, nil
}

// lineName is the first line of a description, without the code in brackets in front.
func lineName(description string) string {
	name, _, _ := strings.Cut(description, "\n")
	if strings.HasPrefix(name, "[") {
		if _, rest, ok := strings.Cut(name, "] "); ok {
			return rest
		}
	}
	return name
}

// statuses is what Odoo's states of an order mean. A confirmed order is refined by its transfers.
var statuses = map[text]commerce.OrderStatus{
	"draft":  commerce.OrderPending,
	"sent":   commerce.OrderPending,
	"sale":   commerce.OrderConfirmed,
	"done":   commerce.OrderConfirmed, // locked, up to release 16
	"cancel": commerce.OrderCancelled,
}

// progress is where an order stands, and its parcels: transfers to the customer that were not called off.
func progress(w wireOrder, pickings map[recordID]wirePicking) (commerce.OrderStatus, []commerce.Shipment) {
	status, ok := statuses[w.State]
	if !ok {
		status = commerce.OrderUnknown
	}
	var shipments []commerce.Shipment
	done := 0
	for _, id := range w.Pickings {
		p, ok := pickings[id]
		if !ok || p.Kind != "outgoing" || p.State == "cancel" {
			continue
		}
		if p.State == "done" {
			done++
		}
		shipments = append(shipments, p.shipment())
	}
	if status == commerce.OrderConfirmed && done > 0 {
		status = commerce.OrderShipped
		if done == len(shipments) {
			status = commerce.OrderDelivered
		}
	}
	return status, shipments
}
