package odoo_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// told is what was answered for a list, and what it said at that moment.
type told struct {
	prices map[commerce.PriceKey]*commerce.Price
	stock  map[commerce.SKU]*commerce.Availability

	pricesThen map[commerce.PriceKey]commerce.Price
	stockThen  map[commerce.SKU]commerce.Availability
}

func (a told) check(t *testing.T) {
	t.Helper()
	for key, then := range a.pricesThen {
		assert.Equal(t, then, *a.prices[key])
	}
	for sku, then := range a.stockThen {
		assert.Equal(t, then, *a.stock[sku])
	}
}

// ask has a list answered, prices and stock at the same time.
func ask(t *testing.T, ports commerce.Ports, group commerce.PriceGroup, skus []commerce.SKU) told {
	t.Helper()
	a := told{pricesThen: map[commerce.PriceKey]commerce.Price{}, stockThen: map[commerce.SKU]commerce.Availability{}}
	var keys []commerce.PriceKey
	for _, sku := range skus {
		keys = append(keys, commerce.PriceKey{SKU: sku, Quantity: 1})
	}
	var both sync.WaitGroup
	both.Go(func() {
		var err error
		a.prices, err = ports.Pricing.Prices(t.Context(), usMarket, group, keys)
		assert.NoError(t, err)
	})
	var err error
	a.stock, err = ports.Inventory.Availability(t.Context(), usMarket, skus)
	assert.NoError(t, err)
	both.Wait()
	for key, p := range a.prices {
		then := *p
		then.Tiers = slices.Clone(p.Tiers)
		a.pricesThen[key] = then
	}
	for sku, s := range a.stock {
		then := *s
		then.Locations = slices.Clone(s.Locations)
		for i := range then.Locations {
			l := &then.Locations[i]
			l.ID, l.Name = string([]byte(l.ID)), string([]byte(l.Name))
		}
		a.stockThen[sku] = then
	}
	return a
}

// Answers are read into room that the next one is read into. What was answered stays what it was,
// and so does what is known of the products, whoever asks for something else meanwhile.
func TestAnswersOutliveTheRoomTheyWereReadInto(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, f, w := connect(t, s), s.Fixture(), s.Server.World
	var skus []commerce.SKU
	for _, p := range w.Products() {
		if p.Published {
			skus = append(skus, commerce.SKU(p.SKU))
		}
	}
	const askers = 4
	var all sync.WaitGroup
	for n := range askers {
		all.Go(func() {
			var answers []told
			for list := range slices.Chunk(skus[n*len(skus)/askers:(n+1)*len(skus)/askers], 20) {
				answers = append(answers, ask(t, ports, f.CheapGroup, list))
				answers = append(answers, ask(t, ports, f.CheapGroup, list[:1]))
			}
			for _, a := range answers {
				a.check(t)
				for sku, now := range a.stock {
					assert.Equal(t, w.Free(w.BySKU(string(sku)).ID), now.Quantity, sku)
				}
				for key, now := range a.prices {
					unit, _ := w.UnitPrice(w.BySKU(string(key.SKU)).ID, string(f.CheapGroup), "USD", 1)
					assert.Equal(t, unit.String(), now.Unit.String(), key.SKU)
				}
			}
		})
	}
	all.Wait()
}
