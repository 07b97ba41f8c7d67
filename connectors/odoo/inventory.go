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
// reserved there: whole pieces, and never below 0 in any place. Records and stock are read
// at once: stock of a SKU whose record is not known is asked for by the SKU, and joined by
// the record's id when that has come.
func (c *connector) Availability(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	const op = commerce.OpAvailability
	known, unknown := c.products.Kept(skus)
	asked := append(slices.Sorted(maps.Keys(known)), unknown...)
	answer := stockAnswer{products: known}
	looking := c.askProducts(ctx, op, unknown)
	answer.stock, answer.failed = c.stockBySKU(ctx, asked, known)
	looked, unasked := looking.Values(ctx)
	answer.unasked = unasked
	for _, err := range []error{answer.unasked, answer.failed} {
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	maps.Copy(answer.products, looked)
	var unnamed error
	answer.names, unnamed = c.locationNames(ctx, op, answer.places())
	if errors.Is(unnamed, context.Canceled) {
		return nil, unnamed
	}
	return answer.bySKU(skus)
}

// records is what each record of product.product has where: those of a SKU, and of
// whatever else was asked for with it. One that has nothing is not there.
type records map[recordID]places

// stockBySKU reads what internal locations hold: of the known products by id, of the
// others by SKU, archived ones and others of the same code among them.
func (c *connector) stockBySKU(ctx context.Context, skus []commerce.SKU, known map[commerce.SKU]priced) (map[commerce.SKU]records, error) {
	const op = commerce.OpAvailability
	return transport.Batch(ctx, traitsOf(op), skus, func(ctx context.Context, batch []commerce.SKU) (map[commerce.SKU]records, error) {
		quants, err := search[wireQuant](ctx, c, op, query{
			model: "stock.quant", Domain: append(ofProducts(batch, known), leaf{"location_id.usage", "=", "internal"}),
			Fields: []string{"product_id", "location_id", "quantity", "reserved_quantity"}, Order: "id",
		})
		if err != nil {
			return nil, err
		}
		held, err := joinQuants(op, quants)
		found := make(map[commerce.SKU]records, len(batch))
		for _, sku := range batch {
			found[sku] = held
		}
		return found, err
	})
}

// ofProducts is the condition for rows of these products.
func ofProducts(skus []commerce.SKU, known map[commerce.SKU]priced) domain {
	var ids []recordID
	var codes []commerce.SKU
	for _, sku := range skus {
		if p, ok := known[sku]; ok {
			ids = append(ids, p.id)
		} else {
			codes = append(codes, sku)
		}
	}
	slices.Sort(ids)
	byID, byCode := leaf{"product_id", "in", ids}, leaf{"product_id.default_code", "in", codes}
	switch {
	case len(codes) == 0:
		return domain{byID}
	case len(ids) == 0:
		return domain{byCode}
	default:
		return domain{"|", byID, byCode}
	}
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

// joinQuants adds quants up by product and location.
func joinQuants(op commerce.Operation, quants []wireQuant) (records, error) {
	held := records{}
	for _, q := range quants {
		at := held[q.Product.ID]
		if at == nil {
			at = places{}
			held[q.Product.ID] = at
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
	return held, nil
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
func (c *connector) locationNames(ctx context.Context, op commerce.Operation, stock []places) (map[recordID]string, error) {
	ids := map[recordID]bool{}
	for _, at := range stock {
		for id := range at {
			ids[id] = true
		}
	}
	return c.locations.GetAll(ctx, slices.Sorted(maps.Keys(ids)), func(ctx context.Context, missing []recordID) (map[recordID]string, error) {
		return transport.Batch(ctx, traitsOf(op), missing, func(ctx context.Context, batch []recordID) (map[recordID]string, error) {
			records, err := search[wireLocation](ctx, c, op, query{
				model: "stock.location", Domain: domain{leaf{"id", "in", batch}}, Fields: []string{"name"}, Archived: true,
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

// stockAnswer is what was learned of a batch, by SKU.
type stockAnswer struct {
	products map[commerce.SKU]priced
	unasked  error // products that could not be looked up
	stock    map[commerce.SKU]records
	failed   error // stock that could not be read
	names    map[recordID]string
}

// places is where the products are.
func (s stockAnswer) places() []places {
	var all []places
	for sku, p := range s.products {
		if at := s.stock[sku][p.id]; len(at) > 0 {
			all = append(all, at)
		}
	}
	return all
}

func (s stockAnswer) bySKU(skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	found := make(map[commerce.SKU]*commerce.Availability, len(skus))
	failed := map[commerce.SKU]error{}
	for _, sku := range skus {
		p, known := s.products[sku]
		err := commerce.KeyError(s.unasked, sku)
		if known {
			err = commerce.KeyError(s.failed, sku)
		}
		switch {
		case err != nil:
			failed[sku] = named(commerce.OpAvailability, err)
		case known:
			found[sku] = availability(sku, s.stock[sku][p.id], s.names)
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
