package odoo

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

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

// productsBySKU finds the record of each SKU. Where a code was given twice it is
// the lowest id; the server leaves archived records out.
func (c *connector) productsBySKU(ctx context.Context, op commerce.Operation, skus []commerce.SKU) (map[commerce.SKU]product, error) {
	return c.products.GetAll(ctx, skus, func(ctx context.Context, missing []commerce.SKU) (map[commerce.SKU]product, error) {
		return inBatches(missing, func(batch []commerce.SKU) (map[commerce.SKU]product, error) {
			records, err := search[wireProduct](ctx, c, op, query{
				model: "product.product", Domain: domain{leaf{"default_code", "in", batch}}, Fields: productFields, Order: "id",
			})
			return bySKU(records, batch), err
		})
	})
}

// bySKU joins records to the SKUs asked for. Records of other SKUs and without an id are nobody's.
func bySKU(records []wireProduct, asked []commerce.SKU) map[commerce.SKU]product {
	found := make(map[commerce.SKU]product, len(asked))
	wanted := setOf(asked)
	for _, w := range records {
		p := productOf(w)
		if best, ok := found[p.sku]; wanted[p.sku] && p.id > 0 && (!ok || p.id < best.id) {
			found[p.sku] = p
		}
	}
	return found
}

// productsByID finds what records of product.product are, archived ones too: an
// order keeps what it was about.
func (c *connector) productsByID(ctx context.Context, op commerce.Operation, ids []recordID) (map[recordID]product, error) {
	return c.productIDs.GetAll(ctx, ids, func(ctx context.Context, missing []recordID) (map[recordID]product, error) {
		return inBatches(missing, func(batch []recordID) (map[recordID]product, error) {
			records, err := search[wireProduct](ctx, c, op, query{
				model: "product.product", Domain: domain{leaf{"id", "in", batch}}, Fields: productFields, Order: "id", Context: withArchived,
			})
			found := make(map[recordID]product, len(records))
			for _, w := range records {
				found[w.ID] = productOf(w)
			}
			return found, err
		})
	})
}

// ratesByCurrency answers, by currency, units for one unit of the company's currency.
func (c *connector) ratesByCurrency(ctx context.Context, op commerce.Operation) (map[string]string, error) {
	return c.rates.Get(ctx, "", func(ctx context.Context, _ string) (map[string]string, error) {
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

// allCategories reads the tree. It is small: a shop has hundreds.
func (c *connector) allCategories(ctx context.Context, op commerce.Operation) (categoryTree, error) {
	return c.categories.Get(ctx, "", func(ctx context.Context, _ string) (categoryTree, error) {
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
func (t categoryTree) above(id recordID) []recordID {
	var path []recordID
	for id != 0 && len(path) <= len(t) {
		path = append(path, id)
		id = t[id].Parent.ID
	}
	return path
}

// batchesAtOnce bounds how many calls one operation makes at a time.
const batchesAtOnce = 4

// inBatches calls load for every hundred keys, a few at a time, and joins what it
// answers. A batch that fails fails its keys; the others stand.
func inBatches[K comparable, V any](keys []K, load func([]K) (map[K]V, error)) (map[K]V, error) {
	batches := transport.Batches(keys, commerce.MaxBatch)
	parts, errs := make([]map[K]V, len(batches)), make([]error, len(batches))
	var g errgroup.Group
	g.SetLimit(batchesAtOnce)
	for i, batch := range batches {
		g.Go(func() error {
			parts[i], errs[i] = load(batch)
			return nil
		})
	}
	_ = g.Wait() // each batch has its own error
	all, failed := make(map[K]V, len(keys)), map[K]error{}
	for i, batch := range batches {
		if errors.Is(errs[i], context.Canceled) {
			return all, errs[i]
		}
		for _, key := range batch {
			if met := commerce.KeyError(errs[i], key); met != nil {
				failed[key] = met
			} else if v, ok := parts[i][key]; ok {
				all[key] = v
			}
		}
	}
	if len(failed) > 0 {
		return all, &commerce.BatchError[K]{Errs: failed}
	}
	return all, nil
}

func setOf[K comparable](keys []K) map[K]bool {
	set := make(map[K]bool, len(keys))
	for _, key := range keys {
		set[key] = true
	}
	return set
}

// noPriceList says which setting is missing.
func noPriceList(group commerce.PriceGroup, code string) error {
	return fmt.Errorf("no price list is configured for group %q in %s", group, code)
}
