package world

import "slices"

// finishedGoods is the location that sells what the data's inventory leaves out.
const finishedGoods = 7

func (w *World) loadLocations() error {
	return eachRow("Location", func(t *table) {
		w.locations = append(w.locations, Location{ID: t.number("LocationID"), Name: t.text("Name")})
	})
}

// loadStock reads the inventory. Published products that it leaves out get stock
// in the finished goods' location; about one in eight of those has none.
func (w *World) loadStock() error {
	w.loadedStock = map[int][]Stock{}
	err := eachRow("ProductInventory", func(t *table) {
		id := t.number("ProductID")
		w.loadedStock[id] = append(w.loadedStock[id], Stock{LocationID: t.number("LocationID"), Quantity: t.number("Quantity")})
	})
	for _, p := range w.products {
		if _, counted := w.loadedStock[p.ID]; counted || !p.Published {
			continue
		}
		quantity := 0
		if rnd := random(streamStock, p.ID); rnd.IntN(8) > 0 {
			quantity = 3 + rnd.IntN(120)
		}
		w.loadedStock[p.ID] = []Stock{{LocationID: finishedGoods, Quantity: quantity}}
	}
	for _, places := range w.loadedStock {
		slices.SortFunc(places, func(a, b Stock) int { return a.LocationID - b.LocationID })
	}
	return err
}
