package magento

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// placedOrders implements [commerce.OrderHistory] over the checkout's own orders.
// PendingSync is left to the caller, who knows what the ERP has.
type placedOrders struct{ c *connector }

// orderFields is what is read of an order: Magento's own answer is ten times as long.
const orderFields = "entity_id,increment_id,quote_id,customer_id,customer_email,state,created_at,order_currency_code," +
	"subtotal,discount_amount,shipping_amount,tax_amount,grand_total," +
	"items[parent_item_id,sku,name,price,row_total,qty_ordered,qty_shipped]," +
	"extension_attributes[shipping_assignments[shipping[address[" + addressFields + "]]]]"

// orders searches for orders.
func (c *connector) orders(ctx context.Context, op commerce.Operation, q query) (*wireOrders, error) {
	var found wireOrders
	err := c.send(ctx, call{
		traits: traitsOf(op), store: adminStore, method: http.MethodGet, path: []string{"orders"},
		query: q.fields("items[" + orderFields + "],total_count"),
	}, &found)
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// Orders implements [commerce.OrderHistory]. The cursor is the last order's entity
// id and how many came before: Magento repeats its last page past the end, so
// pages are cut by a filter on the id instead of by their number.
func (p placedOrders) Orders(ctx context.Context, who commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	const op = commerce.OpOrders
	last, seen, err := parseCursor(page.After)
	if err != nil {
		return nil, err
	}
	owner, err := p.c.customerID(ctx, op, who)
	if isNotFound(err) {
		return &commerce.OrderPage{}, nil
	}
	if err != nil {
		return nil, err
	}
	filters := []filter{{"customer_id", "eq", owner}}
	if last != "" {
		filters = append(filters, filter{"entity_id", "lt", last})
	}
	found, err := p.c.orders(ctx, op, criteria(filters...).sorted("entity_id", "DESC").paged(page.First))
	if err != nil {
		return nil, err
	}
	result := &commerce.OrderPage{Total: seen + found.Total}
	for _, wire := range found.Items {
		if string(wire.CustomerID) != owner || !numberPattern.MatchString(string(wire.EntityID)) {
			return nil, failed(op, commerce.ErrUpstream, "order of somebody else")
		}
		order, err := wire.order(op)
		if err != nil {
			return nil, err
		}
		result.Orders = append(result.Orders, order)
	}
	if n := len(found.Items); n > 0 {
		result.EndCursor = fmt.Sprintf("%s.%d", found.Items[n-1].EntityID, seen+n)
		result.HasNext = found.Total > n
	}
	return result, nil
}

func parseCursor(after string) (last string, seen int, err error) {
	if after == "" {
		return "", 0, nil
	}
	last, count, _ := strings.Cut(after, ".")
	seen, err = strconv.Atoi(count)
	if err != nil || seen < 1 || !numberPattern.MatchString(last) {
		return "", 0, &commerce.InputError{Field: "after", Code: commerce.CodeInvalid, Message: "must be a cursor of this list"}
	}
	return last, seen, nil
}

// Order implements [commerce.OrderHistory].
func (p placedOrders) Order(ctx context.Context, who commerce.Principal, number commerce.OrderNumber) (*commerce.Order, error) {
	const op = commerce.OpOrder
	owner, err := p.c.customerID(ctx, op, who)
	if err != nil {
		return nil, err
	}
	return p.find(ctx, op, number, owner)
}

// GuestOrder implements [commerce.OrderHistory].
func (p placedOrders) GuestOrder(ctx context.Context, number commerce.OrderNumber) (*commerce.Order, error) {
	return p.find(ctx, commerce.OpGuestOrder, number, "")
}

// find answers the order of the number: of the owner, or anybody's when owner is empty.
func (p placedOrders) find(ctx context.Context, op commerce.Operation, number commerce.OrderNumber, owner string) (*commerce.Order, error) {
	filters := []filter{{"increment_id", "eq", string(number)}}
	if owner != "" {
		filters = append(filters, filter{"customer_id", "eq", owner})
	}
	found, err := p.c.orders(ctx, op, criteria(filters...).sorted("entity_id", "ASC").paged(2))
	if err != nil {
		return nil, err
	}
	for _, wire := range found.Items {
		if wire.Number == string(number) && (owner == "" || string(wire.CustomerID) == owner) {
			return wire.order(op)
		}
	}
	return nil, notFound(op)
}

// states is the one table of Magento's order states. Statuses are each shop's own words.
var states = map[string]commerce.OrderStatus{
	"new":             commerce.OrderPending,
	"pending_payment": commerce.OrderPending,
	"processing":      commerce.OrderConfirmed,
	"complete":        commerce.OrderDelivered,
	"closed":          commerce.OrderDelivered, // refunded after it was done
	"canceled":        commerce.OrderCancelled,
	"holded":          commerce.OrderOnHold,
	"payment_review":  commerce.OrderOnHold,
}

func (w *wireOrder) status() commerce.OrderStatus {
	status, known := states[w.State]
	if !known {
		return commerce.OrderUnknown
	}
	if status != commerce.OrderConfirmed {
		return status
	}
	for _, item := range w.Items {
		if shipped, err := pieces(item.Shipped); err == nil && shipped > 0 {
			return commerce.OrderShipped
		}
	}
	return status
}

// placedAt reads a time, which is UTC without saying so.
func (w *wireOrder) placedAt() (time.Time, error) {
	at, err := time.ParseInLocation(time.DateTime, w.CreatedAt, time.UTC)
	if err != nil {
		return time.Time{}, errWire
	}
	return at, nil
}

func (w *wireOrder) placed(op commerce.Operation) (*commerce.PlacedOrder, error) {
	number, err := commerce.ParseOrderNumber("number", w.Number)
	if err != nil {
		return nil, failed(op, commerce.ErrUpstream, "order without a usable number")
	}
	at, err := w.placedAt()
	if err != nil {
		return nil, failed(op, commerce.ErrUpstream, err.Error())
	}
	total, err := money(w.Total, w.Currency)
	if err != nil {
		return nil, failed(op, commerce.ErrUpstream, err.Error())
	}
	return &commerce.PlacedOrder{Number: number, PlacedAt: at, Total: total, Email: w.Email}, nil
}

func (w *wireOrder) order(op commerce.Operation) (*commerce.Order, error) {
	placed, err := w.placed(op)
	if err != nil {
		return nil, err
	}
	order := &commerce.Order{Number: placed.Number, PlacedAt: placed.PlacedAt, Status: w.status()}
	order.Totals, err = toTotals(amounts{w.Subtotal, w.Discount, w.Shipping, w.Tax, w.Total}, w.Currency)
	if err != nil {
		return nil, failed(op, commerce.ErrUpstream, err.Error())
	}
	for _, item := range w.Items {
		if item.Parent != "" { // the chosen variant of the line above
			continue
		}
		line, err := item.line(w.Currency)
		if err != nil {
			return nil, failed(op, commerce.ErrUpstream, err.Error())
		}
		order.Lines = append(order.Lines, line)
	}
	if list := w.Extension.Value.Assignments; len(list) > 0 && list[0].Shipping.Value.Address.Value.Country != "" {
		order.Shipping = toAddress(list[0].Shipping.Value.Address.Value)
	}
	return order, nil
}

func (w wireOrderItem) line(code string) (commerce.OrderLine, error) {
	quantity, err := pieces(w.Ordered)
	if err != nil {
		return commerce.OrderLine{}, err
	}
	line := commerce.OrderLine{SKU: commerce.SKU(w.SKU), Name: w.Name, Quantity: quantity}
	if line.Unit, err = money(w.Price, code); err != nil {
		return commerce.OrderLine{}, err
	}
	line.Total, err = money(w.RowTotal, code)
	return line, err
}
