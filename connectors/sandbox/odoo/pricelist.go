package odoo

import (
	"strconv"
	"time"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// priceList is a product.pricelist: one for each group and currency.
type priceList struct {
	id       int
	name     string
	group    string
	currency string
}

func (d *dialect) priceLists() []priceList {
	var lists []priceList
	for _, group := range []string{world.Retail, world.Wholesale} {
		for _, code := range d.world.Currencies() {
			lists = append(lists, priceList{id: len(lists) + 1, name: group + " (" + code + ")", group: group, currency: code})
		}
	}
	return lists
}

func (d *dialect) currencyRef(code string) ref {
	for i, known := range d.world.Currencies() {
		if known == code {
			return ref{i + 1, code}
		}
	}
	return ref{}
}

func (l priceList) ref() ref { return ref{l.id, l.name} }

func (d *dialect) pricelists() *model {
	var records []record
	for _, l := range d.priceLists() {
		records = append(records, record{
			"id": l.id, "name": l.name, "display_name": l.name, "active": true, "sequence": l.id, "currency_id": d.currencyRef(l.currency),
		})
	}
	return &model{
		name: "product.pricelist", order: "sequence, id, name", rows: fixed(records),
		fields: map[string]field{
			"name": {}, "active": {kind: boolean}, "sequence": {kind: integer}, "currency_id": {kind: many2one, to: "res.currency"},
		},
	}
}

func (d *dialect) pricelistItems() *model {
	b := itemBuilder{d: d}
	for _, l := range d.priceLists() {
		b.list = l
		b.traps()
		if l.group == world.Wholesale {
			b.breaks()
			b.clothing()
			b.fixedPrices()
		}
	}
	b.list = d.priceLists()[1] // retail in euros says outright that nothing is taken off
	b.add(record{"percent_price": decimal("0")})
	return &model{
		name: "product.pricelist.item", order: "applied_on, min_quantity desc, categ_id desc, id desc", rows: fixed(b.records),
		fields: map[string]field{
			"name": {}, "applied_on": {}, "compute_price": {}, "base": {},
			"pricelist_id": {kind: many2one, to: "product.pricelist"}, "base_pricelist_id": {kind: many2one, to: "product.pricelist"},
			"currency_id": {kind: many2one, to: "res.currency"}, "categ_id": {kind: many2one, to: "product.category"},
			"product_tmpl_id": {kind: many2one, to: "product.template"}, "product_id": {kind: many2one, to: "product.product"},
			"min_quantity": {kind: float}, "fixed_price": {kind: float}, "percent_price": {kind: float},
			"price_discount": {kind: float}, "price_surcharge": {kind: float}, "price_round": {kind: float},
			"price_min_margin": {kind: float}, "price_max_margin": {kind: float},
			"date_start": {kind: datetime}, "date_end": {kind: datetime},
		},
	}
}

// itemBuilder writes the rules of one price list after another. Evaluated in the
// documented order they give the world's prices, whatever traps lie between them.
type itemBuilder struct {
	d       *dialect
	list    priceList
	records []record
}

// add writes a rule: a percentage off for everything unless r says otherwise.
func (b *itemBuilder) add(r record) {
	rule := record{
		"id": len(b.records) + 1, "pricelist_id": b.list.ref(), "currency_id": b.d.currencyRef(b.list.currency),
		"applied_on": "3_global", "compute_price": "percentage", "base": "list_price",
		"min_quantity": decimal("0"), "fixed_price": decimal("0"), "percent_price": decimal("0"),
		"price_discount": decimal("0"), "price_surcharge": decimal("0"), "price_round": decimal("0"),
		"price_min_margin": decimal("0"), "price_max_margin": decimal("0"),
	}
	for name, v := range r {
		rule[name] = v
	}
	rule["name"] = "Rule " + strconv.Itoa(len(b.records)+1)
	rule["display_name"] = rule["name"]
	b.records = append(b.records, rule)
}

// traps are rules that must not be taken: past, to come, or for quantities that nobody buys.
func (b *itemBuilder) traps() {
	sold := b.firstSold()
	b.add(record{
		"applied_on": "0_product_variant", "product_id": ref{productOffset + sold.ID, sold.Name},
		"product_tmpl_id": ref{templateOffset + sold.ID, sold.Name},
		"compute_price":   "fixed", "fixed_price": decimal("1"),
		"date_start": time.Date(2013, 11, 29, 0, 0, 0, 0, time.UTC), "date_end": time.Date(2013, 12, 2, 23, 59, 59, 0, time.UTC),
	})
	b.add(record{
		"applied_on": "1_product", "product_tmpl_id": ref{templateOffset + sold.ID, sold.Name},
		"percent_price": decimal("90"), "date_start": time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	b.add(record{"percent_price": decimal("99"), "min_quantity": decimal("1000000")})
}

// breaks are the group's discounts on everything, said in a different way in each list.
func (b *itemBuilder) breaks() {
	b.add(record{"percent_price": decimal("95"), "min_quantity": decimal("61")}) // a later rule of the same rank replaces it
	for _, step := range b.d.world.Breaks(b.list.group) {
		b.add(b.off(step))
	}
}

// off is one discount: a percentage, a formula, or a percentage of the retail list.
func (b *itemBuilder) off(step world.Break) record {
	percent, quantity := decimal(strconv.Itoa(step.PercentOff)), decimal(strconv.Itoa(step.MinQty))
	switch b.list.currency {
	case "EUR":
		return record{"min_quantity": quantity, "compute_price": "formula", "price_discount": percent, "price_round": decimal("0.01")}
	case "GBP":
		return record{"min_quantity": quantity, "percent_price": percent, "base": "pricelist", "base_pricelist_id": b.retail().ref()}
	default:
		return record{"min_quantity": quantity, "percent_price": percent}
	}
}

func (b *itemBuilder) retail() priceList {
	for _, l := range b.d.priceLists() {
		if l.group == world.Retail && l.currency == b.list.currency {
			return l
		}
	}
	return priceList{}
}

// clothing repeats the discounts for each kind of clothes, below a rule for all
// clothes that would be wrong and that the deeper ones come before.
func (b *itemBuilder) clothing() {
	const clothes = 3
	b.add(record{"applied_on": "2_product_category", "categ_id": b.d.categoryRef(clothes), "percent_price": decimal("98")})
	for _, c := range b.d.world.Categories() {
		if c.ParentID != clothes {
			continue
		}
		for _, step := range b.d.world.Breaks(b.list.group) {
			rule := b.off(step)
			rule["applied_on"], rule["categ_id"] = "2_product_category", b.d.categoryRef(c.ID)
			b.add(rule)
		}
	}
}

// fixedPrices gives one product prices of its own, which are the world's.
func (b *itemBuilder) fixedPrices() {
	sold := b.firstSold()
	for _, step := range b.d.world.Breaks(b.list.group) {
		price, ok := b.d.world.UnitPrice(sold.ID, b.list.group, b.list.currency, step.MinQty)
		if !ok {
			continue
		}
		b.add(record{
			"applied_on": "0_product_variant", "product_id": ref{productOffset + sold.ID, sold.Name},
			"product_tmpl_id": ref{templateOffset + sold.ID, sold.Name},
			"compute_price":   "fixed", "fixed_price": decimal(price.Number()), "min_quantity": decimal(strconv.Itoa(step.MinQty)),
		})
	}
}

func (b *itemBuilder) firstSold() *world.Product {
	for _, p := range b.d.world.Products() {
		if p.Sold() {
			return p
		}
	}
	return &world.Product{}
}

func parseUSD(text string) (currency.Amount, error) { return currency.NewAmount(text, "USD") }
