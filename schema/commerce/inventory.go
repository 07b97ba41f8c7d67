package commerce

import "context"

// Availability is what can be sold of a product now: on hand less reserved.
type Availability struct {
	SKU       SKU
	Quantity  int // whole pieces over all locations, 0 or more
	InStock   bool
	Locations []LocationStock // those with stock, by name
}

// LocationStock is a product's stock in one place.
type LocationStock struct {
	ID       string
	Name     string
	Quantity int // whole pieces, 0 or more
}

// Inventory knows what is in stock.
type Inventory interface {
	// Availability answers each known product among skus; a known product that is
	// nowhere in stock is present with Quantity 0.
	Availability(ctx context.Context, m Market, skus []SKU) (map[SKU]*Availability, error)
}
