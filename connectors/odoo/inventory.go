package odoo

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// maxPieces bounds what one place is said to hold.
const maxPieces = 1_000_000_000

// Availability adds up what internal locations hold of each product, less what is
// reserved there: whole pieces, and never below 0 in any place.
func (c *connector) Availability(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	const op = commerce.OpAvailability
	products, err := c.productsBySKU(ctx, op, skus)
	if errors.Is(err, context.Canceled) {
		return nil, err
	}
	skuOf := make(map[recordID]commerce.SKU, len(products))
	for sku, p := range products {
		skuOf[p.id] = sku
	}
	ids := slices.Sorted(maps.Keys(skuOf))
	stock, failed := transport.Batch(ctx, traitsOf(op), ids, func(ctx context.Context, batch []recordID) (map[recordID]places, error) {
		quants, err := search[wireQuant](ctx, c, op, query{
			model: "stock.quant", Domain: domain{leaf{"product_id", "in", batch}, leaf{"location_id.usage", "=", "internal"}},
			Fields: []string{"product_id", "location_id", "quantity", "reserved_quantity"}, Order: "id",
		})
		if err != nil {
			return nil, err
		}
		return joinQuants(op, quants, batch)
	})
	if errors.Is(failed, context.Canceled) {
		return nil, failed
	}
	names, unnamed := c.locationNames(ctx, op, stock)
	if errors.Is(unnamed, context.Canceled) {
		return nil, unnamed
	}
	answer := stockAnswer{products: products, unasked: err, stock: stock, failed: failed, names: names}
	return answer.bySKU(skus)
}

// places is what each location holds of one product.
type places map[recordID]*place

type place struct {
	name  string   // as the quant names it
	whole int64    // pieces that came as whole numbers
	rest  *big.Rat // what else there is; nil for nothing
}

// mostWhole bounds what is added up as whole pieces: beyond it the exact sum goes on.
const mostWhole = 1_000_000_000_000_000

// add adds what a quant holds freely; it tells whether its numbers are any. Whole
// pieces, which nearly all are, are added as such.
func (p *place) add(q wireQuant) bool {
	quantity, known := q.Quantity.whole()
	reserved, alsoKnown := q.Reserved.whole()
	if sum := p.whole + quantity - reserved; known && alsoKnown && sum < mostWhole && sum > -mostWhole {
		p.whole = sum
		return true
	}
	exact, known := new(big.Rat).SetString(string(q.Quantity))
	less, alsoKnown := new(big.Rat).SetString(string(q.Reserved))
	if !known || !alsoKnown {
		return false
	}
	if p.rest == nil {
		p.rest = new(big.Rat)
	}
	p.rest.Add(p.rest, exact.Sub(exact, less))
	return true
}

// free is what is there, exactly.
func (p *place) free() *big.Rat {
	sum := new(big.Rat).SetInt64(p.whole)
	if p.rest != nil {
		sum.Add(sum, p.rest)
	}
	return sum
}

// pieces is what is there as whole pieces, 0 or more.
func (p *place) pieces() int {
	if p.rest == nil {
		return int(min(max(p.whole, 0), maxPieces))
	}
	return pieces(p.free())
}

// joinQuants adds quants up by product and location. Each asked product is present;
// quants of products that nobody asked for are dropped.
func joinQuants(op commerce.Operation, quants []wireQuant, asked []recordID) (map[recordID]places, error) {
	stock := make(map[recordID]places, len(asked))
	for _, id := range asked {
		stock[id] = places{}
	}
	for _, q := range quants {
		at, ok := stock[q.Product.ID]
		if !ok || q.Location.ID == 0 {
			continue
		}
		there := at[q.Location.ID]
		if there == nil {
			there = &place{name: q.Location.Name}
			at[q.Location.ID] = there
		}
		if !there.add(q) {
			return nil, badAnswer(op, errWire)
		}
	}
	return stock, nil
}

// pieces is a quantity as whole pieces, 0 or more.
func pieces(quantity *big.Rat) int {
	if quantity.Sign() <= 0 {
		return 0
	}
	whole := new(big.Int).Quo(quantity.Num(), quantity.Denom())
	if !whole.IsInt64() {
		return maxPieces
	}
	return int(min(whole.Int64(), maxPieces))
}

// locationNames reads the short names of the places in stock. It is a nicety:
// where a name cannot be had, the quant's own stands.
func (c *connector) locationNames(ctx context.Context, op commerce.Operation, stock map[recordID]places) (map[recordID]string, error) {
	ids := map[recordID]bool{}
	for _, at := range stock {
		for id := range at {
			ids[id] = true
		}
	}
	return c.locations.GetAll(ctx, slices.Sorted(maps.Keys(ids)), func(ctx context.Context, missing []recordID) (map[recordID]string, error) {
		return transport.Batch(ctx, traitsOf(op), missing, func(ctx context.Context, batch []recordID) (map[recordID]string, error) {
			records, err := search[wireLocation](ctx, c, op, query{
				model: "stock.location", Domain: domain{leaf{"id", "in", batch}}, Fields: []string{"name"}, Context: withArchived,
			})
			found := make(map[recordID]string, len(records))
			for id, w := range transport.Join(batch, records, func(w wireLocation) recordID { return w.ID }) {
				if w.Name != "" {
					found[id] = string(w.Name)
				}
			}
			return found, err
		})
	})
}

// stockAnswer is what was learned of a batch.
type stockAnswer struct {
	products map[commerce.SKU]priced
	unasked  error // by SKU: products that could not be looked up
	stock    map[recordID]places
	failed   error // by id: stock that could not be read
	names    map[recordID]string
}

func (s stockAnswer) bySKU(skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	found := make(map[commerce.SKU]*commerce.Availability, len(skus))
	failed := map[commerce.SKU]error{}
	for _, sku := range skus {
		p, known := s.products[sku]
		err := commerce.KeyError(s.unasked, sku)
		if err == nil && known {
			err = commerce.KeyError(s.failed, p.id)
		}
		switch {
		case err != nil:
			failed[sku] = named(commerce.OpAvailability, err)
		case known:
			found[sku] = availability(sku, s.stock[p.id], s.names)
		}
	}
	if len(failed) > 0 {
		return found, &commerce.BatchError[commerce.SKU]{Errs: failed}
	}
	return found, nil
}

func availability(sku commerce.SKU, at places, names map[recordID]string) *commerce.Availability {
	a := &commerce.Availability{SKU: sku}
	for id, place := range at {
		n := place.pieces()
		if n == 0 {
			continue
		}
		name := names[id]
		if name == "" {
			name = place.name
		}
		a.Locations = append(a.Locations, commerce.LocationStock{ID: strconv.FormatInt(int64(id), 10), Name: name, Quantity: n})
		a.Quantity += n
	}
	a.InStock = a.Quantity > 0
	slices.SortFunc(a.Locations, func(x, y commerce.LocationStock) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.ID, y.ID))
	})
	return a
}
