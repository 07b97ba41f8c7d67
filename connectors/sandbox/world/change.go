package world

import (
	"maps"
	"slices"

	"github.com/bojanz/currency"
)

// catalog is the products, what they cost, and the PIM's other texts. It never changes:
// a changed product, category or page makes a new one.
type catalog struct {
	categories      []*Category
	categoryByID    map[int]*Category
	pages           []*Page
	products        []*Product
	productByID     map[int]*Product
	productBySKU    map[string]*Product
	productsByModel map[int][]*Product
	listPrices      map[string]map[int]currency.Amount // by currency and product
	breaks          map[string][]Break                 // by price group
}

// with is the catalog with a product in the place of the one with its id.
func (c *catalog) with(p *Product) *catalog {
	next := *c
	next.products, next.productByID, next.productBySKU = slices.Clone(c.products), maps.Clone(c.productByID), maps.Clone(c.productBySKU)
	next.productsByModel, next.listPrices = maps.Clone(c.productsByModel), map[string]map[int]currency.Amount{}
	next.productByID[p.ID], next.productBySKU[p.SKU] = p, p
	var members []*Product
	for i, of := range next.products {
		if of.ID == p.ID {
			of = p
			next.products[i] = p
		}
		if of.ModelID == p.ModelID && of.Published {
			members = append(members, of)
		}
	}
	if p.ModelID != 0 {
		next.productsByModel[p.ModelID] = members
	}
	for code, prices := range c.listPrices {
		next.listPrices[code] = maps.Clone(prices)
		if price, ok := convert(p.ListPrice, code); ok {
			next.listPrices[code][p.ID] = price
		}
	}
	return &next
}

// Change is what to change of a product; nil and the empty name leave things as they are.
type Change struct {
	Name  string
	Price *currency.Amount // the list price in USD
	Stock *int             // pieces that can be sold, in all places together; 0 or more
	State *State           // in the PIM; the other systems sell on what it hides
}

// Event tells of what is not what it was. What it names is as it is now.
type Event struct {
	Saved   []Saved // in the PIM
	Named   []*Product
	Priced  []*Product
	Stocked []int    // ids
	Ruled   []string // price groups that get another discount
	Order   *Order   // that took the stock; nil when it was changed otherwise
	Moved   *Order   // of which the ERP has got further
}

// Notice is what a system tells others of an [Event], in its own words.
type Notice struct {
	Type string
	Data any // becomes a JSON object
}

// catalog tells whether the catalog is another one.
func (e Event) catalog() bool { return len(e.Saved)+len(e.Priced)+len(e.Ruled) > 0 }

// Changed answers the products that were saved in the PIM or have another price, each once.
func (e Event) Changed() []*Product {
	var changed []*Product
	for _, saved := range e.Saved {
		if saved.Product != nil {
			changed = append(changed, saved.Product)
		}
	}
	for _, p := range e.Priced {
		if !slices.Contains(changed, p) {
			changed = append(changed, p)
		}
	}
	return changed
}

// OnCatalog has fn called whenever something but stock changed, before anybody is told of it by OnEvent.
// Dialects that keep what they made of the catalog make it anew there.
func (w *World) OnCatalog(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onCatalog = append(w.onCatalog, fn)
}

// OnEvent has fn called with everything that changed, after it did.
func (w *World) OnEvent(fn func(Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onEvent = append(w.onEvent, fn)
}

// tell has everybody know of an event, unless nothing happened. The caller does not hold the lock.
func (w *World) tell(e Event) {
	if !e.catalog() && len(e.Stocked) == 0 && e.Moved == nil {
		return
	}
	w.mu.Lock()
	hooks := slices.Clone(w.onEvent)
	w.mu.Unlock()
	for _, hook := range hooks {
		hook(e)
	}
}

// Change changes a product for all dialects alike and tells of it. It is false for a SKU that is unknown or
// was never sold. What the PIM deleted has to be published first.
func (w *World) Change(sku string, change Change) bool {
	return w.changing(func() bool { return w.change(sku, change) })
}

// Discount gives a price group that has discounts another percentage, 0 to 99, off every
// list price; from larger quantities on it gets what it got, if that is more. It is false
// for any other group.
func (w *World) Discount(group string, percentOff int) bool {
	return w.changing(func() bool {
		sold := *w.sold.Load()
		breaks := slices.Clone(sold.breaks[group])
		if len(breaks) == 0 || percentOff < 0 || percentOff > 99 {
			return false
		}
		breaks[0].PercentOff = percentOff
		for i := range breaks {
			breaks[i].PercentOff = max(breaks[i].PercentOff, percentOff)
		}
		sold.breaks = maps.Clone(sold.breaks)
		sold.breaks[group] = breaks
		w.sold.Store(&sold)
		return true
	})
}

// changing has change change the world under the lock and tells of what it did.
func (w *World) changing(change func() bool) bool {
	w.mu.Lock()
	before := w.snapshot()
	known := change()
	event := w.since(before)
	var hooks []func()
	if event.catalog() {
		hooks = slices.Clone(w.onCatalog)
	}
	w.mu.Unlock()
	for _, hook := range hooks {
		hook()
	}
	w.tell(event)
	return known
}

// change is what Change does under the lock.
func (w *World) change(sku string, change Change) bool {
	old := w.BySKU(sku)
	if old == nil || !old.Sold() || old.Deleted && (change.State == nil || *change.State == Deleted) {
		return false
	}
	changed := *old
	if change.State != nil {
		changed.Published, changed.Deleted = *change.State == Published, *change.State == Deleted
	}
	if change.Name != "" {
		changed.Name = change.Name
	}
	if change.Price != nil {
		changed.ListPrice = cents(*change.Price)
	}
	if changed.Name != old.Name || !changed.ListPrice.Equal(old.ListPrice) || changed.Published != old.Published || changed.Deleted != old.Deleted {
		changed.UpdatedAt = w.now()
		w.sold.Store(w.sold.Load().with(&changed))
	}
	if change.Stock != nil {
		w.stock[old.ID] = restocked(w.stock[old.ID], *change.Stock)
	}
	return true
}

// restocked has n pieces to sell, all in the first place; what is reserved stays.
func restocked(places []Stock, n int) []Stock {
	if len(places) == 0 {
		places = []Stock{{LocationID: finishedGoods}}
	}
	places = slices.Clone(places)
	for i := range places {
		places[i].Quantity = places[i].Reserved
	}
	places[0].Quantity += n
	return places
}

// snapshot is what can change of products, to be compared with later.
type snapshot struct {
	sold *catalog
	free map[int]int
}

func (w *World) snapshot() snapshot {
	s := snapshot{sold: w.sold.Load(), free: make(map[int]int, len(w.stock))}
	for id, places := range w.stock {
		s.free[id] = free(places)
	}
	return s
}

// since is what changed. The caller holds the lock.
func (w *World) since(before snapshot) Event {
	var e Event
	now := w.sold.Load()
	for _, group := range w.Groups() {
		if !slices.Equal(now.breaks[group], before.sold.breaks[group]) {
			e.Ruled = append(e.Ruled, group)
		}
	}
	if now != before.sold {
		e.Saved = now.saved(before.sold)
		for id, p := range now.productByID {
			old := before.sold.productByID[id]
			if old.Name != p.Name {
				e.Named = append(e.Named, p)
			}
			if !old.ListPrice.Equal(p.ListPrice) {
				e.Priced = append(e.Priced, p)
			}
		}
	}
	for id, places := range w.stock {
		if free(places) != before.free[id] {
			e.Stocked = append(e.Stocked, id)
		}
	}
	return e
}

// productsOf are the ids of what is in an order, each once.
func productsOf(lines []OrderLine) []int {
	var ids []int
	for _, l := range lines {
		if !slices.Contains(ids, l.ProductID) {
			ids = append(ids, l.ProductID)
		}
	}
	return ids
}
