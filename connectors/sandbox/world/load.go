package world

import (
	"math/rand/v2"
	"sync"
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

// sharedFacts reads the data once a process.
var sharedFacts = sync.OnceValues(readFacts)

// Load makes a world in its initial state. The embedded data is read by the first call; every
// call, in every process, gives the same world.
func Load() (*World, error) {
	f, err := sharedFacts()
	if err != nil {
		return nil, err
	}
	w := &World{facts: f, now: time.Now, syncDelay: DefaultSyncDelay}
	w.restore()
	return w, nil
}

func readFacts() (*facts, error) {
	f := &facts{}
	steps := []func() error{
		f.loadCategories, f.loadProducts, f.loadPrices, f.loadLocations, f.loadStock,
		f.loadReviews, f.loadShipMethods, f.loadTaxes, f.loadCustomers,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	f.relate()
	f.pages = pages()
	return f, f.seedOrders()
}

// restore puts the catalog, stock and orders back to what was loaded. The caller holds the lock, or nobody else has the world yet.
func (w *World) restore() {
	w.sold.Store(&w.catalog)
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
