package world

// Location is a place that holds stock.
type Location struct {
	ID   int
	Name string
}

// Stock is what one place holds of a product, in whole pieces.
type Stock struct {
	LocationID int
	Quantity   int // on hand
	Reserved   int // promised to orders, at most Quantity
}

// Locations answers the places by id.
func (w *World) Locations() []Location { return w.locations }

// Stock answers, by location, what there is of a product; empty when it is unknown or nowhere.
func (w *World) Stock(productID int) []Stock {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Stock(nil), w.stock[productID]...)
}

// Free is what can be sold of a product now: on hand less reserved.
func (w *World) Free(productID int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return free(w.stock[productID])
}

func free(stock []Stock) int {
	n := 0
	for _, s := range stock {
		n += s.Quantity - s.Reserved
	}
	return n
}
