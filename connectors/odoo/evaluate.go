package odoo

import (
	"errors"
	"slices"
	"time"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/schema/commerce"
)

// evaluation is what prices are computed from at one moment.
type evaluation struct {
	lists map[recordID]*priceList
	tree  categoryTree
	rates map[string]string
	now   time.Time

	// What was worked out for the product that was asked about last: each is asked about several times.
	last  *priced
	rules []applicable
	room  []*rule // of all of these
}

// applicable are the rules of a list that can apply to a product.
type applicable struct {
	list  *priceList
	rules []*rule
}

// rulesOf answers what [priceList.rules] does, until it is asked about another product.
func (e *evaluation) rulesOf(list *priceList, p *priced) []*rule {
	if p != e.last {
		e.last, e.rules, e.room = p, e.rules[:0], e.room[:0]
	}
	for _, known := range e.rules {
		if known.list == list {
			return known.rules
		}
	}
	begin := len(e.room)
	e.room = list.rules(e.room, p.product, e.tree, e.now)
	rules := slices.Clip(e.room[begin:])
	e.rules = append(e.rules, applicable{list, rules})
	return rules
}

var (
	errRate     = errors.New("a currency without a usable rate")
	errNoList   = errors.New("a list that does not exist")
	errNegative = errors.New("a price below zero")
)

// unit is what one piece costs on the list when quantity pieces are bought. The
// first rule wins; without one it is the list price.
func (e *evaluation) unit(list *priceList, p *priced, quantity int) (commerce.Money, error) {
	return e.at(list, p, quantity, 0)
}

func (e *evaluation) at(list *priceList, p *priced, quantity, depth int) (commerce.Money, error) {
	if list == nil || depth > maxListDepth {
		return commerce.Money{}, errNoList
	}
	for _, r := range e.rulesOf(list, p) {
		if quantity < r.from {
			continue
		}
		price, err := e.apply(r, list, p, quantity, depth)
		if err == nil && price.IsNegative() {
			err = errNegative
		}
		return price, err
	}
	return e.listPrice(p, list.currency)
}

// listPrice is the recommended price in a currency, rounded half up to its digits.
func (e *evaluation) listPrice(p *priced, code string) (commerce.Money, error) {
	return e.converted(p.list, p.currency, code)
}

// converted turns a number of one currency into an amount of another, rounded half up to its digits.
func (e *evaluation) converted(n number, from, to string) (commerce.Money, error) {
	if from == to {
		return n.rounded(to)
	}
	amount, err := n.money(from)
	if err != nil {
		return commerce.Money{}, err
	}
	return e.exchange(amount, to)
}

// exchange applies the rates, which are units for one of the company's currency.
func (e *evaluation) exchange(amount commerce.Money, to string) (commerce.Money, error) {
	from := amount.CurrencyCode()
	if from == to {
		return amount.Round(), nil
	}
	inCompany, err := amount.Div(e.rates[from])
	if err != nil {
		return commerce.Money{}, errRate
	}
	there, err := inCompany.Convert(to, e.rates[to])
	if err != nil || !there.IsPositive() && amount.IsPositive() {
		return commerce.Money{}, errRate
	}
	return there.Round(), nil
}

func (e *evaluation) apply(r *rule, list *priceList, p *priced, quantity, depth int) (commerce.Money, error) {
	if r.Compute == computeFixed {
		return r.Fixed.price(list.currency)
	}
	base, err := e.base(r, list, p, quantity, depth)
	if err != nil {
		return commerce.Money{}, err
	}
	if r.Compute == computePercent {
		price, err := less(base, r.Percent)
		return price.Round(), err
	}
	return formula(r, base)
}

// base is the amount that a rule takes something off, in the list's currency.
func (e *evaluation) base(r *rule, list *priceList, p *priced, quantity, depth int) (commerce.Money, error) {
	switch string(r.Base) {
	case baseCost:
		return e.converted(p.cost, p.currency, list.currency)
	case baseOther:
		price, err := e.at(e.lists[r.BaseList.ID], p, quantity, depth+1)
		if err != nil {
			return commerce.Money{}, err
		}
		return e.exchange(price, list.currency)
	default:
		return e.listPrice(p, list.currency)
	}
}

// less takes a percentage off, without rounding.
func less(amount commerce.Money, percent number) (commerce.Money, error) {
	if percent == "" {
		return commerce.Money{}, errWire
	}
	share, err := amount.Mul(string(percent))
	if err != nil {
		return commerce.Money{}, errWire
	}
	if share, err = share.Div("100"); err != nil {
		return commerce.Money{}, errWire
	}
	return amount.Sub(share)
}

// formula is a discount, then rounding to a step, then a surcharge, all within margins on the base.
func formula(r *rule, base commerce.Money) (commerce.Money, error) {
	code := base.CurrencyCode()
	price, err := less(base, r.Discount)
	if err != nil {
		return commerce.Money{}, err
	}
	if price, err = toStep(price, r.Round); err != nil {
		return commerce.Money{}, err
	}
	surcharge, err := r.Surcharge.money(code)
	if err != nil {
		return commerce.Money{}, err
	}
	if price, err = price.Add(surcharge); err != nil {
		return commerce.Money{}, err
	}
	price, err = within(price, base, r)
	return price.Round(), err
}

// toStep rounds half up to a multiple of step; 0 leaves the amount as it is.
func toStep(amount commerce.Money, step number) (commerce.Money, error) {
	size, err := step.money(amount.CurrencyCode())
	if err != nil || size.IsNegative() {
		return commerce.Money{}, errWire
	}
	if size.IsZero() {
		return amount, nil
	}
	steps, err := amount.Div(size.Number())
	if err != nil {
		return commerce.Money{}, errWire
	}
	return steps.RoundTo(0, currency.RoundHalfUp).Mul(size.Number())
}

// within keeps a price between the base plus the smallest and the base plus the
// largest margin; a margin of 0 is none.
func within(price, base commerce.Money, r *rule) (commerce.Money, error) {
	for _, bound := range []struct {
		margin number
		worse  int // how the price compares with the bound when the bound replaces it
	}{{r.MinMargin, -1}, {r.MaxMargin, 1}} {
		margin, err := bound.margin.money(base.CurrencyCode())
		if err != nil {
			return commerce.Money{}, err
		}
		if margin.IsZero() {
			continue
		}
		limit, err := base.Add(margin)
		if err != nil {
			return commerce.Money{}, err
		}
		if n, err := price.Cmp(limit); err != nil || n == bound.worse {
			price = limit
		}
	}
	return price, nil
}

// tiers are the quantities above one from which a piece costs something else.
func (e *evaluation) tiers(list *priceList, p *priced) ([]commerce.Tier, error) {
	breaks := e.breaks(list, p, 0)
	if len(breaks) == 0 {
		return nil, nil //nolint:nilnil // the same for any quantity
	}
	var tiers []commerce.Tier
	last, err := e.unit(list, p, 1)
	if err != nil {
		return nil, err
	}
	for _, quantity := range breaks {
		price, err := e.unit(list, p, quantity)
		if err != nil {
			return nil, err
		}
		if !price.Equal(last) {
			tiers = append(tiers, commerce.Tier{MinQuantity: quantity, Unit: price})
			last = price
		}
	}
	return tiers, nil
}

// breaks are the quantities at which another rule may win, on the list or one it starts from.
func (e *evaluation) breaks(list *priceList, p *priced, depth int) []int {
	if list == nil || depth > maxListDepth {
		return nil
	}
	var breaks []int
	for _, r := range e.rulesOf(list, p) {
		if r.from > 1 && r.from <= commerce.MaxQuantity {
			breaks = append(breaks, r.from)
		}
		if r.Compute != computeFixed && string(r.Base) == baseOther {
			breaks = append(breaks, e.breaks(e.lists[r.BaseList.ID], p, depth+1)...)
		}
	}
	slices.Sort(breaks)
	return slices.Compact(breaks)
}
