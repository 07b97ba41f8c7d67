package odoo

import (
	"context"
	"errors"
	"slices"

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
	e, err := c.evaluation(ctx, op, id)
	if err != nil {
		return nil, named(op, err)
	}
	list := e.lists[id]
	if list.currency != m.Currency {
		return nil, misconfigured(op, errors.New("the price list is in another currency than configured"))
	}
	known, failed := c.listPrices(ctx, op, e, skusOf(keys))
	if errors.Is(failed, context.Canceled) {
		return nil, failed
	}
	b := priceBatch{op: op, group: group, e: e, list: list, prices: make(map[commerce.PriceKey]*commerce.Price, len(keys))}
	for _, key := range keys {
		b.answer(key, known[key.SKU], commerce.KeyError(failed, key.SKU))
	}
	return b.prices, b.err()
}

// evaluation gathers the reference data that prices are computed from: what is not known is read at once,
// each on a flight of its own, which one's refusal does not end.
func (c *connector) evaluation(ctx context.Context, op commerce.Operation, id recordID) (*evaluation, error) {
	list, rates, tree := c.askList(ctx, op, id), c.askRates(ctx, op), c.askCategories(ctx, op)
	e := &evaluation{now: c.now()}
	var failed [3]error
	e.lists, failed[0] = c.listsFor(ctx, op, id, list)
	e.rates, failed[1] = rates.Value(ctx)
	e.tree, failed[2] = tree.Value(ctx)
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return e, nil
}

// skusOf has a product once that is asked about for several quantities in a row; what is there twice is loaded once.
func skusOf(keys []commerce.PriceKey) []commerce.SKU {
	skus := make([]commerce.SKU, len(keys))
	for i, key := range keys {
		skus[i] = key.SKU
	}
	return slices.Compact(skus)
}

// listPrices reads the products' own prices, and what rules may ask of them. They are read each
// time, whether or not the SKUs' records are known already; a look-up of the same products that is
// under way, for stock, is joined.
func (c *connector) listPrices(ctx context.Context, op commerce.Operation, e *evaluation, skus []commerce.SKU) (map[commerce.SKU]*priced, error) {
	if e.needsCost() { // which look-ups do not ask for: not every user may read it
		return c.rowsBySKU(ctx, op, skus, costFields)
	}
	return c.products.LoadAll(ctx, skus, func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU]*priced, error) {
		return c.rowsBySKU(ctx, op, skus, priceFields)
	})
}

func (e *evaluation) needsCost() bool {
	for _, list := range e.lists {
		if list.needsCost {
			return true
		}
	}
	return false
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

// answer computes one key's price; p is nil when the product is unknown. One that is not for sale has none.
func (b *priceBatch) answer(key commerce.PriceKey, p *priced, met error) {
	if met != nil {
		b.fail(key, named(b.op, met))
		return
	}
	if p == nil || !p.sellable {
		return
	}
	price, err := b.compute(key, p)
	if err != nil {
		b.fail(key, badAnswer(b.op, err))
		return
	}
	b.prices[key] = price
}

func (b *priceBatch) fail(key commerce.PriceKey, err error) {
	if b.failed == nil {
		b.failed = map[commerce.PriceKey]error{}
	}
	b.failed[key] = err
}

func (b *priceBatch) compute(key commerce.PriceKey, p *priced) (*commerce.Price, error) {
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
