package odoo

import (
	"context"
	"fmt"
	"iter"
	"maps"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// product is a record of product.product, as far as its price depends on it.
type product struct {
	id       recordID
	template recordID
	category recordID
	currency string // of its list price
	sellable bool
}

// priced is a product with what the server says of its price. It is kept for longer than what it was read
// from, and shares memory with little of that: its numbers are texts of their own, and of currencies there are few.
type priced struct {
	product
	list number // in the product's currency
	cost number
}

func pricedOf(w *wirePrice) *priced {
	return &priced{
		product: product{
			id: w.ID, template: w.Template.ID, category: w.Category.ID, currency: w.Currency.Name, sellable: w.Sellable,
		},
		list: w.Price, cost: w.Standard,
	}
}

// askProducts asks for the record of each SKU. Where a code was given twice it is
// the lowest id; the server leaves archived records out. A list price in what it answers
// may be a minute old.
func (c *connector) askProducts(ctx context.Context, op commerce.Operation, skus []commerce.SKU) reference.AskedAll[commerce.SKU, *priced] {
	return c.products.AskAll(ctx, skus, func(ctx context.Context, missing []commerce.SKU) (map[commerce.SKU]*priced, error) {
		return c.rowsBySKU(ctx, op, missing, priceFields)
	})
}

// rowsBySKU reads products with what prices depend on, whoever asks: prices and stock of a
// page are read at the same moment, and share the row.
func (c *connector) rowsBySKU(ctx context.Context, op commerce.Operation, skus []commerce.SKU, fields []string) (map[commerce.SKU]*priced, error) {
	return transport.Batch(ctx, traitsOf(op), skus, func(ctx context.Context, batch []commerce.SKU) (map[commerce.SKU]*priced, error) {
		records := priceRows.take()
		defer priceRows.putBack(records)
		err := read(ctx, c, op, query{
			model: "product.product", Domain: domain{leaf{"default_code", "in", batch}}, Fields: fields, Order: "id",
		}, records)
		if err != nil {
			return nil, err
		}
		return bySKU(*records, batch), nil
	})
}

// bySKU joins records to the SKUs asked for: of several with one code the lowest id counts. It
// keeps nothing of the list.
func bySKU(records []wirePrice, asked []commerce.SKU) map[commerce.SKU]*priced {
	found := make(map[commerce.SKU]*priced, len(asked))
	for _, sku := range asked {
		found[sku] = nil
	}
	for i := range records {
		w := &records[i]
		known, wanted := found[commerce.SKU(w.Code)]
		if wanted && (known == nil || w.ID < known.id) {
			found[commerce.SKU(w.Code)] = pricedOf(w)
		}
	}
	maps.DeleteFunc(found, func(_ commerce.SKU, p *priced) bool { return p == nil })
	return found
}

// called is how an order's line names a product.
type called struct {
	sku  commerce.SKU
	name string
}

// productsByID finds what records of product.product are called, archived ones too: an
// order keeps what it was about.
func (c *connector) productsByID(ctx context.Context, op commerce.Operation, ids []recordID) (map[recordID]called, error) {
	return c.productIDs.GetAll(ctx, ids, func(ctx context.Context, missing []recordID) (map[recordID]called, error) {
		return transport.Batch(ctx, traitsOf(op), missing, func(ctx context.Context, batch []recordID) (map[recordID]called, error) {
			records, err := search[wireProduct](ctx, c, op, query{
				model: "product.product", Domain: domain{leaf{"id", "in", batch}}, Fields: productFields, Order: "id", Archived: true,
			})
			found := make(map[recordID]called, len(records))
			for id, w := range transport.Join(batch, records, func(w wireProduct) recordID { return w.ID }) {
				found[id] = called{sku: commerce.SKU(w.Code), name: string(w.Name)}
			}
			return found, err
		})
	})
}

// askRates asks for, by currency, units for one unit of the company's currency.
func (c *connector) askRates(ctx context.Context, op commerce.Operation) reference.Asked[string, map[string]string] {
	return c.rates.Ask(ctx, "", func(ctx context.Context, _ string) (map[string]string, error) {
		records, err := search[wireCurrency](ctx, c, op, query{model: "res.currency", Domain: domain{}, Fields: []string{"name", "rate"}})
		if err != nil {
			return nil, err
		}
		rates := make(map[string]string, len(records))
		for _, w := range records {
			rates[string(w.Name)] = string(w.Rate)
		}
		return rates, nil
	})
}

// categoryTree is product.category by id.
type categoryTree map[recordID]wireCategory

// askCategories asks for the tree. It is small: a shop has hundreds.
func (c *connector) askCategories(ctx context.Context, op commerce.Operation) reference.Asked[string, categoryTree] {
	return c.categories.Ask(ctx, "", func(ctx context.Context, _ string) (categoryTree, error) {
		records, err := search[wireCategory](ctx, c, op, query{
			model: "product.category", Domain: domain{}, Fields: []string{"parent_id", "complete_name"}, Order: "id",
		})
		if err != nil {
			return nil, err
		}
		tree := make(categoryTree, len(records))
		for _, w := range records {
			tree[w.ID] = w
		}
		return tree, nil
	})
}

// above is the category and everything above it, each once.
func (t categoryTree) above(id recordID) iter.Seq[recordID] {
	return func(yield func(recordID) bool) {
		for n := 0; id != 0 && n <= len(t) && yield(id); n++ {
			id = t[id].Parent.ID
		}
	}
}

// noPriceList says which setting is missing.
func noPriceList(group commerce.PriceGroup, code string) error {
	return fmt.Errorf("no price list is configured for group %q in %s", group, code)
}
