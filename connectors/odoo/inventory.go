package odoo

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// Availability adds up what internal locations hold of each product, less what is
// reserved there: whole pieces, and never below 0 in any place. Records and stock are read
// at once: stock of a SKU whose record is not known is asked for by the SKU, and joined by
// the record's id when that has come.
func (c *connector) Availability(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	const op = commerce.OpAvailability
	looking := c.askProducts(ctx, op, skus)
	known, asked := looking.Known()
	if len(known) > 0 {
		asked = append(slices.Sorted(maps.Keys(known)), asked...)
	}
	var answer stockAnswer
	answer.stock, answer.failed = c.stockBySKU(ctx, asked, known)
	answer.products, answer.unasked = looking.Values(ctx)
	for _, err := range []error{answer.unasked, answer.failed} {
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	var unnamed error
	answer.names, unnamed = c.locationNames(ctx, op, answer.locations())
	if errors.Is(unnamed, context.Canceled) {
		return nil, unnamed
	}
	return answer.bySKU(skus)
}

// stockBySKU reads what internal locations hold: of the known products by id, of the
// others by SKU, archived ones and others of the same code among them.
func (c *connector) stockBySKU(ctx context.Context, skus []commerce.SKU, known map[commerce.SKU]*priced) (map[commerce.SKU]*records, error) {
	const op = commerce.OpAvailability
	return transport.Batch(ctx, traitsOf(op), skus, func(ctx context.Context, batch []commerce.SKU) (map[commerce.SKU]*records, error) {
		quants := quantRows.take()
		defer quantRows.putBack(quants)
		err := read(ctx, c, op, query{
			model: "stock.quant", Domain: append(ofProducts(batch, known), leaf{"location_id.usage", "=", "internal"}),
			Fields: []string{"product_id", "location_id", "quantity", "reserved_quantity"}, Order: "id",
		}, quants)
		if err != nil {
			return nil, err
		}
		held, err := joinQuants(op, *quants)
		found := make(map[commerce.SKU]*records, len(batch))
		for _, sku := range batch {
			found[sku] = held
		}
		return found, err
	})
}

// ofProducts is the condition for rows of these products.
func ofProducts(skus []commerce.SKU, known map[commerce.SKU]*priced) domain {
	if len(known) == 0 {
		return domain{leaf{"product_id.default_code", "in", skus}}
	}
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

// locationNames reads the short names of the places in stock. It is a nicety:
// where a name cannot be had, the quant's own stands.
func (c *connector) locationNames(ctx context.Context, op commerce.Operation, ids []recordID) (map[recordID]string, error) {
	return c.locations.GetAll(ctx, ids, func(ctx context.Context, missing []recordID) (map[recordID]string, error) {
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
	products map[commerce.SKU]*priced
	unasked  error // products that could not be looked up
	stock    map[commerce.SKU]*records
	failed   error // stock that could not be read
	names    map[recordID]string
}

// locations is where the products are.
func (s stockAnswer) locations() []recordID {
	ids := map[recordID]bool{}
	for sku, p := range s.products {
		for _, at := range s.stock[sku].of(p.id) {
			ids[at.location] = true
		}
	}
	return sortedKeys(ids)
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
			found[sku] = availability(sku, s.stock[sku].of(p.id), s.names)
		}
	}
	if len(failed) > 0 {
		return found, &commerce.BatchError[commerce.SKU]{Errs: failed}
	}
	return found, nil
}

func availability(sku commerce.SKU, at []place, names map[recordID]string) *commerce.Availability {
	a := &commerce.Availability{SKU: sku}
	for i := range at {
		n := at[i].pieces()
		if n == 0 {
			continue
		}
		id := at[i].location
		name := names[id]
		if name == "" {
			name = at[i].name
		}
		if a.Locations == nil {
			a.Locations = make([]commerce.LocationStock, 0, len(at)-i)
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
