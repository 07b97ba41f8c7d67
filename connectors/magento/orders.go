package magento

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
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

var errForeign = errors.New("answered with an order of somebody else")

// orders searches for orders. take makes what is needed of them, and says why they
// cannot be what was asked for.
func (c *connector) orders(ctx context.Context, op commerce.Operation, q query, take func(*wireOrders) error) (*wireOrders, error) {
	var found wireOrders
	err := c.send(ctx, call{
		traits: traitsOf(op), store: adminStore, method: http.MethodGet, path: []string{"orders"},
		query: q.fields("items[" + orderFields + "],total_count"),
		check: func() error {
			if err := complete(found.Items, found.Total); err != nil {
				return err
			}
			return take(&found)
		},
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
	result := &commerce.OrderPage{}
	found, err := p.c.orders(ctx, op, criteria(filters...).sorted("entity_id", "DESC").paged(page.First), func(found *wireOrders) (err error) {
		result.Orders, err = found.of(owner)
		return err
	})
	if err != nil {
		return nil, err
	}
	result.Total = seen + *found.Total
	for i, one := range found.Items {
		result.EndCursor = fmt.Sprintf("%s.%d", one.EntityID, seen+i+1)
		result.Cursors = append(result.Cursors, result.EndCursor)
	}
	result.HasNext = *found.Total > len(found.Items)
	return result, nil
}

// of reads orders all of which must be the owner's.
func (w *wireOrders) of(owner string) ([]*commerce.Order, error) {
	var list []*commerce.Order
	for _, one := range w.Items {
		if string(one.CustomerID) != owner {
			return nil, errForeign
		}
		if err := one.EntityID.fits(numberPattern); err != nil {
			return nil, err
		}
		order, err := one.order()
		if err != nil {
			return nil, err
		}
		list = append(list, order)
	}
	return list, nil
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
	var order *commerce.Order
	_, err := p.c.orders(ctx, op, criteria(filters...).sorted("entity_id", "ASC").paged(2), func(found *wireOrders) (err error) {
		i := slices.IndexFunc(found.Items, func(w wireOrder) bool {
			return w.Number == string(number) && (owner == "" || string(w.CustomerID) == owner)
		})
		if i >= 0 {
			order, err = found.Items[i].order()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if order == nil {
		return nil, notFound(op)
	}
	return order, nil
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

func (w *wireOrder) placed() (*commerce.PlacedOrder, error) {
	number, err := commerce.ParseOrderNumber("number", w.Number)
	if err != nil {
		return nil, errWire // not the input error that it is elsewhere
	}
	at, err := w.placedAt()
	if err != nil {
		return nil, err
	}
	total, err := money(w.Total, w.Currency)
	if err != nil {
		return nil, err
	}
	return &commerce.PlacedOrder{Number: number, PlacedAt: at, Total: total, Email: w.Email}, nil
}

func (w *wireOrder) order() (*commerce.Order, error) {
	placed, err := w.placed()
	if err != nil {
		return nil, err
	}
	order := &commerce.Order{Number: placed.Number, PlacedAt: placed.PlacedAt, Status: w.status()}
	order.Totals, err = toTotals(amounts{w.Subtotal, w.Discount, w.Shipping, w.Tax, w.Total}, w.Currency)
	if err != nil {
		return nil, err
	}
	for _, item := range w.Items {
		if item.Parent != "" { // the chosen variant of the line above
			continue
		}
		line, err := item.line(w.Currency)
		if err != nil {
			return nil, err
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
