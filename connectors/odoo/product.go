package odoo

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// product is which record a SKU means, and what its price depends on.
type product struct {
	id       recordID
	sku      commerce.SKU
	name     string
	template recordID
	category recordID
	currency string // of its list price
	sellable bool
}

func productOf(w wireProduct) product {
	return product{
		id: w.ID, sku: commerce.SKU(w.Code), name: string(w.Name), template: w.Template.ID,
		category: w.Category.ID, currency: w.Currency.Name, sellable: w.Sellable,
	}
}

// askProducts asks for the record of each SKU. Where a code was given twice it is
// the lowest id; the server leaves archived records out. A list price in what it answers
// may be a minute old.
func (c *connector) askProducts(ctx context.Context, op commerce.Operation, skus []commerce.SKU) reference.AskedAll[commerce.SKU, priced] {
	return c.products.AskAll(ctx, skus, func(ctx context.Context, missing []commerce.SKU) (map[commerce.SKU]priced, error) {
		return c.rowsBySKU(ctx, op, missing, priceFields)
	})
}

// rowsBySKU reads products with what prices depend on, whoever asks: prices and stock of a
// page are read at the same moment, and share the row.
func (c *connector) rowsBySKU(ctx context.Context, op commerce.Operation, skus []commerce.SKU, fields []string) (map[commerce.SKU]priced, error) {
	return transport.Batch(ctx, traitsOf(op), skus, func(ctx context.Context, batch []commerce.SKU) (map[commerce.SKU]priced, error) {
		records, err := search[wirePrice](ctx, c, op, query{
			model: "product.product", Domain: domain{leaf{"default_code", "in", batch}}, Fields: fields, Order: "id",
		})
		return bySKU(records, batch), err
	})
}

// bySKU joins records to the SKUs asked for: of several with one code the lowest id counts.
func bySKU(records []wirePrice, asked []commerce.SKU) map[commerce.SKU]priced {
	rows := make([]priced, len(records))
	for i := range records {
		w := &records[i]
		rows[i] = priced{product: productOf(w.wireProduct), list: w.Price, cost: w.Standard}
		rows[i].alone()
	}
	slices.SortFunc(rows, func(a, b priced) int { return cmp.Compare(a.id, b.id) })
	return transport.Join(asked, rows, func(p priced) commerce.SKU { return p.sku })
}

// alone has p's texts share memory with each other and with nothing else of the answer they
// were read from: p is kept for longer. Currencies are few, and shared by all.
func (p *priced) alone() {
	all := strings.Join([]string{string(p.sku), p.name, string(p.list), string(p.cost)}, "")
	take := func(n int) (text string) {
		text, all = all[:n], all[n:]
		return text
	}
	p.sku, p.name = commerce.SKU(take(len(p.sku))), take(len(p.name))
	p.list, p.cost = number(take(len(p.list))), number(take(len(p.cost)))
}

// productsByID finds what records of product.product are, archived ones too: an
// order keeps what it was about.
func (c *connector) productsByID(ctx context.Context, op commerce.Operation, ids []recordID) (map[recordID]product, error) {
	return c.productIDs.GetAll(ctx, ids, func(ctx context.Context, missing []recordID) (map[recordID]product, error) {
		return transport.Batch(ctx, traitsOf(op), missing, func(ctx context.Context, batch []recordID) (map[recordID]product, error) {
			records, err := search[wireProduct](ctx, c, op, query{
				model: "product.product", Domain: domain{leaf{"id", "in", batch}}, Fields: productFields, Order: "id", Archived: true,
			})
			found := make(map[recordID]product, len(records))
			for id, w := range transport.Join(batch, records, func(w wireProduct) recordID { return w.ID }) {
				found[id] = productOf(w)
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
