package commerce

import "context"

// PriceKey is what is priced: a product in a quantity.
type PriceKey struct {
	SKU      SKU
	Quantity int // 1 to MaxQuantity
}

// Price is what one piece costs when Quantity pieces are bought by a member of Group.
type Price struct {
	SKU      SKU
	Quantity int
	Group    PriceGroup
	Unit     Money  // per piece, for this group and quantity
	List     Money  // per piece, the recommended price; never below Unit is not promised
	Tiers    []Tier // quantity breaks for this group, by ascending MinQuantity; may be empty
}

// Tier is a quantity from which a price per piece holds.
type Tier struct {
	MinQuantity int
	Unit        Money
}

// Pricing knows what products cost.
type Pricing interface {
	// Prices answers, in the market's currency, a price for each known key.
	// A product without a price is absent. Group is never empty.
	Prices(ctx context.Context, m Market, group PriceGroup, keys []PriceKey) (map[PriceKey]*Price, error)
}
