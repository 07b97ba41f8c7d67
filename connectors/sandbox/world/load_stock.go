package world

import "slices"

// finishedGoods is the location that sells what the data's inventory leaves out.
const finishedGoods = 7

func (f *facts) loadLocations() error {
	return eachRow("Location", func(t *table) {
		f.locations = append(f.locations, Location{ID: t.number("LocationID"), Name: t.text("Name")})
	})
}

// loadStock reads the inventory. Published products that it leaves out get stock
// in the finished goods' location; about one in eight of those has none.
func (f *facts) loadStock() error {
	f.loadedStock = map[int][]Stock{}
	err := eachRow("ProductInventory", func(t *table) {
		id := t.number("ProductID")
		f.loadedStock[id] = append(f.loadedStock[id], Stock{LocationID: t.number("LocationID"), Quantity: t.number("Quantity")})
	})
	for _, p := range f.products {
		if _, counted := f.loadedStock[p.ID]; counted || !p.Published {
			continue
		}
		quantity := 0
		if rnd := random(streamStock, p.ID); rnd.IntN(8) > 0 {
			quantity = 3 + rnd.IntN(120)
		}
		f.loadedStock[p.ID] = []Stock{{LocationID: finishedGoods, Quantity: quantity}}
	}
	for _, places := range f.loadedStock {
		slices.SortFunc(places, func(a, b Stock) int { return a.LocationID - b.LocationID })
	}
	return err
}
