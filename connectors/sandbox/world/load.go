package world

import (
	"math/rand/v2"
	"time"
)

// The streams of made-up facts. Each kind of fact draws from a stream of its own
// for each thing it describes, so that none shifts when another one changes.
const (
	streamBrand uint64 = iota + 1
	streamStock
	streamRelated
	streamReviews
	streamPeople
	streamOrders
)

// random is the source of made-up facts about the thing with the id.
func random(stream uint64, id int) *rand.Rand {
	return rand.New(rand.NewPCG(stream, uint64(id))) //nolint:gosec // made-up facts have to be the same at every start
}

// Load reads the embedded data. Every load gives the same world.
func Load() (*World, error) {
	w := &World{
		now:       time.Now,
		syncDelay: DefaultSyncDelay,
	}
	steps := []func() error{
		w.loadCategories, w.loadProducts, w.loadPrices, w.loadLocations, w.loadStock,
		w.loadReviews, w.loadShipMethods, w.loadTaxes, w.loadCustomers,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	w.relate()
	w.pages = pages()
	if err := w.seedOrders(); err != nil {
		return nil, err
	}
	w.restore()
	return w, nil
}

// restore puts stock and orders back to what was loaded. The caller holds the lock, or nobody else has the world yet.
func (w *World) restore() {
	w.stock = make(map[int][]Stock, len(w.loadedStock))
	for id, places := range w.loadedStock {
		w.stock[id] = append([]Stock(nil), places...)
	}
	w.orders = append([]*Order(nil), w.seededOrders...)
	w.orderByNumber = make(map[string]*Order, len(w.orders))
	for _, o := range w.orders {
		w.orderByNumber[o.Number] = o
	}
	w.orderByQuote = map[int]*Order{}
}
