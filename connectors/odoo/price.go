package odoo

import (
	"context"
	"errors"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/schema/commerce"
)

// Prices answers the keys' prices by the rules of the group's list in the market's
// currency. A product that is not for sale is absent. Group and currency without a
// configured list are an error: the shop would have no prices at all.
func (c *connector) Prices(ctx context.Context, m commerce.Market, group commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	const op = commerce.OpPrices
	id, ok := c.priceLists[listKey{group, m.Currency}]
	if !ok {
		return nil, misconfigured(op, noPriceList(group, m.Currency))
	}
	if len(keys) == 0 {
		return map[commerce.PriceKey]*commerce.Price{}, nil
	}
	products, e, err := c.evaluation(ctx, op, id, skusOf(keys))
	if errors.Is(err, context.Canceled) || e == nil {
		return nil, named(op, err)
	}
	list := e.lists[id]
	if list.currency != m.Currency {
		return nil, misconfigured(op, errors.New("the price list is in another currency than configured"))
	}
	known, failed := c.listPrices(ctx, op, e, products)
	if errors.Is(failed, context.Canceled) {
		return nil, failed
	}
	b := priceBatch{op: op, group: group, e: e, list: list, prices: map[commerce.PriceKey]*commerce.Price{}, failed: map[commerce.PriceKey]error{}}
	for _, key := range keys {
		met := commerce.KeyError(err, key.SKU)
		if met == nil {
			met = commerce.KeyError(failed, products[key.SKU].id)
		}
		b.answer(key, known[products[key.SKU].id], met)
	}
	return b.prices, b.err()
}

// evaluation gathers what prices are computed from, all at once. When only
// products could not be had the error is a batch's and the evaluation is there.
func (c *connector) evaluation(ctx context.Context, op commerce.Operation, id recordID, skus []commerce.SKU) (map[commerce.SKU]product, *evaluation, error) {
	e := &evaluation{now: c.now()}
	var products map[commerce.SKU]product
	var failed error
	g, each := errgroup.WithContext(ctx)
	g.Go(func() error {
		products, failed = c.productsBySKU(each, op, skus)
		if errors.Is(failed, context.Canceled) {
			return failed
		}
		return nil
	})
	g.Go(func() (err error) { e.lists, err = c.listsFor(each, op, id); return err })
	g.Go(func() (err error) { e.rates, err = c.ratesByCurrency(each, op); return err })
	g.Go(func() (err error) { e.tree, err = c.allCategories(each, op); return err })
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	return products, e, failed
}

func skusOf(keys []commerce.PriceKey) []commerce.SKU {
	skus := map[commerce.SKU]bool{}
	for _, key := range keys {
		skus[key.SKU] = true
	}
	return slices.Sorted(maps.Keys(skus))
}

// listPrices reads the products' own prices: the one call that is made each time.
func (c *connector) listPrices(ctx context.Context, op commerce.Operation, e *evaluation, products map[commerce.SKU]product) (map[recordID]priced, error) {
	byID := make(map[recordID]product, len(products))
	for _, p := range products {
		if p.sellable {
			byID[p.id] = p
		}
	}
	fields := []string{"lst_price"}
	for _, list := range e.lists {
		if list.needsCost {
			fields = []string{"lst_price", "standard_price"}
		}
	}
	return inBatches(slices.Sorted(maps.Keys(byID)), func(batch []recordID) (map[recordID]priced, error) {
		records, err := search[wirePrice](ctx, c, op, query{
			model: "product.product", Domain: domain{leaf{"id", "in", batch}}, Fields: fields,
		})
		return joinPrices(records, byID, batch), err
	})
}

// joinPrices gives each product the first record with its id. Records that nobody asked for are dropped.
func joinPrices(records []wirePrice, byID map[recordID]product, asked []recordID) map[recordID]priced {
	found := make(map[recordID]priced, len(asked))
	wanted := setOf(asked)
	for _, w := range records {
		if _, again := found[w.ID]; wanted[w.ID] && !again {
			found[w.ID] = priced{product: byID[w.ID], list: w.Price, cost: w.Standard}
		}
	}
	return found
}

// priceBatch collects the answers to keys.
type priceBatch struct {
	op     commerce.Operation
	group  commerce.PriceGroup
	e      *evaluation
	list   *priceList
	prices map[commerce.PriceKey]*commerce.Price
	failed map[commerce.PriceKey]error
}

// answer computes one key's price; p is empty when the product is unknown or not sold.
func (b *priceBatch) answer(key commerce.PriceKey, p priced, met error) {
	if met != nil {
		b.failed[key] = named(b.op, met)
		return
	}
	if p.id == 0 {
		return
	}
	price, err := b.compute(key, p)
	if err != nil {
		b.failed[key] = badAnswer(b.op, err)
		return
	}
	b.prices[key] = price
}

func (b *priceBatch) compute(key commerce.PriceKey, p priced) (*commerce.Price, error) {
	price := &commerce.Price{SKU: key.SKU, Quantity: key.Quantity, Group: b.group}
	var err error
	if price.Unit, err = b.e.unit(b.list, p, key.Quantity); err != nil {
		return nil, err
	}
	if price.List, err = b.e.listPrice(p, b.list.currency); err != nil {
		return nil, err
	}
	price.Tiers, err = b.e.tiers(b.list, p)
	return price, err
}

func (b *priceBatch) err() error {
	if len(b.failed) == 0 {
		return nil
	}
	return &commerce.BatchError[commerce.PriceKey]{Errs: b.failed}
}
