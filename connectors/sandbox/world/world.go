package world

import (
	"sync"
	"sync/atomic"
	"time"
)

// DefaultSyncDelay is how long the ERP takes to show an order of the checkout.
const DefaultSyncDelay = 3 * time.Second

// facts are what was loaded and never changes: the catalog as it was at first, customers and history. All
// worlds of a process share them.
type facts struct {
	catalog
	reviews      map[int][]Review
	locations    []Location
	shipMethods  []ShipMethod
	taxes        map[string]string // percent by taxKey
	loadedStock  map[int][]Stock
	seededOrders []*Order

	customers         []*Customer
	customerByNumber  map[string]*Customer
	customerByEmail   map[string]*Customer
	customerByMagento map[int]*Customer
	customerByOdoo    map[int]*Customer
	customerByLoyalty map[string]*Customer
}

// World is facts, and stock, orders, prices and the PIM's texts, which change. It is safe for concurrent use.
type World struct {
	*facts

	sold atomic.Pointer[catalog] // the catalog of now

	mu            sync.Mutex
	now           func() time.Time
	syncDelay     time.Duration
	stock         map[int][]Stock
	orders        []*Order
	orderByNumber map[string]*Order
	orderByQuote  map[int]*Order
	onReset       []func()
	onCatalog     []func()
	onEvent       []func(Event)
}

// Reset goes back to the initial world: stock as loaded, seeded orders only. What dialects keep
// for themselves is cleared by what they handed to OnReset.
func (w *World) Reset() {
	w.mu.Lock()
	before := w.snapshot()
	w.restore()
	hooks := append([]func(){}, w.onReset...)
	event := w.since(before)
	if event.catalog() {
		hooks = append(hooks, w.onCatalog...)
	}
	w.mu.Unlock()
	for _, hook := range hooks {
		hook()
	}
	w.tell(event)
}

// OnReset has fn called at the end of every Reset. Dialects that keep state of their own (carts) clear it there.
func (w *World) OnReset(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onReset = append(w.onReset, fn)
}

// Clock answers the function that tells the world's time, [time.Now] unless SetClock was called.
func (w *World) Clock() func() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Now is the world's time.
func (w *World) Now() time.Time { return w.Clock()() }

// SetClock replaces the world's time, for tests.
func (w *World) SetClock(now func() time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
}

// SyncDelay is how long after an order was placed the ERP shows it.
func (w *World) SyncDelay() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.syncDelay
}

// SetSyncDelay changes how long the ERP takes to show an order.
func (w *World) SetSyncDelay(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.syncDelay = d
}
