package world

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bojanz/currency"
)

// OrderLine is a product in an order.
type OrderLine struct {
	ProductID int
	SKU       string
	Name      string
	Qty       int
	Unit      currency.Amount
}

// Order is a placed order. All money is in Currency.
type Order struct {
	ID             int
	Number         string // "000000123"
	QuoteID        int    // of the cart it came from; 0 for seeded orders
	CustomerNumber string // empty for a guest
	Email          string
	Group          string
	Currency       string
	Lines          []OrderLine
	Subtotal       currency.Amount
	Discount       currency.Amount
	Shipping       currency.Amount
	Tax            currency.Amount
	Total          currency.Amount
	Coupon         string
	ShippingCode   string // of a [ShipMethod]
	ShippingTitle  string
	Payment        string
	ShipTo         OrderAddress
	BillTo         OrderAddress
	PlacedAt       time.Time
	Seeded         bool // part of the initial world
	Progress       Progress
}

// Progress is how far the ERP is with an order.
type Progress string

// How far orders get. What was placed waits in the warehouse; of what is part of the initial
// world the ERP knows by itself.
const (
	Waiting   Progress = ""
	Shipped   Progress = "shipped" // a part of it
	Delivered Progress = "delivered"
	Cancelled Progress = "cancelled"
)

// MoveOrder has the ERP be so far with an order that was placed, and tells of it. It is false for any other. Those who hold the order as it
// was keep that.
func (w *World) MoveOrder(number string, to Progress) bool {
	w.mu.Lock()
	old := w.orderByNumber[number]
	if old == nil || old.Seeded {
		w.mu.Unlock()
		return false
	}
	moved := *old
	moved.Progress = to
	w.orders = slices.Clone(w.orders)
	w.orders[slices.Index(w.orders, old)] = &moved
	w.orderByNumber[number] = &moved
	if moved.QuoteID != 0 {
		w.orderByQuote[moved.QuoteID] = &moved
	}
	w.mu.Unlock()
	w.tell(Event{Moved: &moved})
	return true
}

// OrderAddress is where an order goes.
type OrderAddress struct {
	FirstName, LastName, Company string
	Street1, Street2, Street3    string
	City                         string
	RegionCode, Region           string
	Postcode, Country, Phone     string
}

// OutOfStockError says which product could not be had.
type OutOfStockError struct{ SKU string }

func (e *OutOfStockError) Error() string { return "out of stock: " + e.SKU }

// The reasons not to place an order, for [errors.Is].
var (
	ErrOutOfStock  = errors.New("out of stock")
	ErrQuotePlaced = errors.New("an order of this quote was placed already")
)

// Is makes every OutOfStockError an ErrOutOfStock.
func (e *OutOfStockError) Is(target error) bool { return target == ErrOutOfStock }

// Orders answers all orders, oldest first.
func (w *World) Orders() []*Order {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*Order(nil), w.orders...)
}

// OrderByNumber answers the order with the number, or nil.
func (w *World) OrderByNumber(number string) *Order {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.orderByNumber[number]
}

// OrderByQuote answers the order that a cart became, or nil.
func (w *World) OrderByQuote(id int) *Order {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.orderByQuote[id]
}

// SyncedOrders answers what the ERP shows, oldest first: seeded orders, and those
// placed at least SyncDelay ago.
func (w *World) SyncedOrders() []*Order {
	now := w.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	synced := make([]*Order, 0, len(w.orders))
	for _, o := range w.orders {
		if o.Seeded || now.Sub(o.PlacedAt) >= w.syncDelay {
			synced = append(synced, o)
		}
	}
	return synced
}

// PlaceOrder takes an order and tells of it: it assigns ID, Number and PlacedAt and reserves every line's
// stock, or nothing. It fails with [*OutOfStockError] (an [ErrOutOfStock]) or, for the
// second order of a quote, [ErrQuotePlaced]. The order is copied.
func (w *World) PlaceOrder(o Order) (*Order, error) {
	placed, err := w.place(o)
	if err == nil {
		w.tell(Event{Order: placed, Stocked: productsOf(placed.Lines)})
	}
	return placed, err
}

func (w *World) place(o Order) (*Order, error) {
	now := w.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if o.QuoteID != 0 && w.orderByQuote[o.QuoteID] != nil {
		return nil, ErrQuotePlaced
	}
	if err := w.reserve(o.Lines); err != nil {
		return nil, err
	}
	o.ID = len(w.orders) + 1
	o.Number = orderNumber(o.ID)
	o.PlacedAt = now
	o.Seeded = false
	o.Lines = append([]OrderLine(nil), o.Lines...)
	w.orders = append(w.orders, &o)
	w.orderByNumber[o.Number] = &o
	if o.QuoteID != 0 {
		w.orderByQuote[o.QuoteID] = &o
	}
	return &o, nil
}

func orderNumber(id int) string { return fmt.Sprintf("%09d", id) }

// reserve takes all lines' pieces or, when one line's are not there, none.
func (w *World) reserve(lines []OrderLine) error {
	wanted := map[int]int{}
	for _, l := range lines {
		wanted[l.ProductID] += l.Qty
		if l.Qty < 1 || wanted[l.ProductID] > free(w.stock[l.ProductID]) {
			return &OutOfStockError{SKU: l.SKU}
		}
	}
	for id, n := range wanted {
		places := w.stock[id]
		for i := range places {
			taken := min(n, places[i].Quantity-places[i].Reserved)
			places[i].Reserved += taken
			n -= taken
		}
	}
	return nil
}
