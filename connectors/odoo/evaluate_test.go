package odoo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// plainRule is a rule that takes nothing off; tests change what they are about.
func plainRule(id recordID, change func(*wireRule)) wireRule {
	w := wireRule{
		ID: id, AppliedOn: onAll, Compute: computePercent, Base: baseList, MinQuantity: "0.0", Fixed: "0.0", Percent: "0.0",
		Discount: "0.0", Surcharge: "0.0", Round: "0.0", MinMargin: "0.0", MaxMargin: "0.0",
	}
	change(&w)
	return w
}

var evaluationNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// evaluationOf has lists 1, 2, … in the currencies, with the rules of each.
func evaluationOf(t *testing.T, codes []string, rules ...[]wireRule) *evaluation {
	t.Helper()
	e := &evaluation{
		lists: map[recordID]*priceList{}, now: evaluationNow,
		rates: map[string]string{"USD": "1.0", "EUR": "0.92", "JPY": "151.37"},
		tree: categoryTree{
			1: {ID: 1, FullName: "All"},
			2: {ID: 2, FullName: "All / Bikes", Parent: relation{ID: 1}},
			3: {ID: 3, FullName: "All / Bikes / Road", Parent: relation{ID: 2}},
		},
	}
	for i, code := range codes {
		id := recordID(i + 1)
		list, err := newPriceList(commerce.OpPrices, id, code, rules[i])
		require.NoError(t, err)
		e.lists[id] = list
	}
	return e
}

func bike(list, cost number) *priced {
	return &priced{product: product{id: 41, template: 7, category: 3, currency: "USD", sellable: true}, list: list, cost: cost}
}

func TestRulesAreComputedAsDocumented(t *testing.T) {
	t.Parallel()
	formulaRule := func(change func(*wireRule)) []wireRule {
		return []wireRule{plainRule(1, func(w *wireRule) { w.Compute = computeFormula; change(w) })}
	}
	for _, c := range []struct {
		name  string
		code  string
		list  number
		rules []wireRule
		want  string
	}{
		{"no rule", "USD", "49.9", nil, "49.90 USD"},
		{"no rule, converted", "EUR", "49.9", nil, "45.91 EUR"},
		{"half a cent goes up", "EUR", "0.625", nil, "0.58 EUR"},
		{"what floating point leaves over tips nothing", "USD", "10.624999999999998", nil, "10.63 USD"},
		{"a currency without cents", "JPY", "49.9", nil, "7553 JPY"},
		{"fixed is in the list's currency", "EUR", "49.9", []wireRule{plainRule(1, func(w *wireRule) { w.Compute, w.Fixed = computeFixed, "12.345" })}, "12.35 EUR"},
		{"percentage", "USD", "49.9", []wireRule{plainRule(1, func(w *wireRule) { w.Percent = "33.3333" })}, "33.27 USD"},
		{"a percentage below zero makes it dearer", "USD", "100.0", []wireRule{plainRule(1, func(w *wireRule) { w.Percent = "-10.0" })}, "110.00 USD"},
		{"all off is free, without a sign", "USD", "100.0", []wireRule{plainRule(1, func(w *wireRule) { w.Percent = "100.0" })}, "0.00 USD"},
		{"cost", "USD", "100.0", []wireRule{plainRule(1, func(w *wireRule) { w.Base, w.Percent = baseCost, "-50.0" })}, "60.00 USD"},
		{"formula: discount", "USD", "100.0", formulaRule(func(w *wireRule) { w.Discount = "12.5" }), "87.50 USD"},
		{"formula: rounded to ten, less a cent", "USD", "97.2", formulaRule(func(w *wireRule) { w.Round, w.Surcharge = "10.0", "-0.01" }), "99.99 USD"},
		{"formula: half a step goes up", "USD", "95.0", formulaRule(func(w *wireRule) { w.Round = "10.0" }), "100.00 USD"},
		{"formula: small steps", "USD", "10.12", formulaRule(func(w *wireRule) { w.Round = "0.05" }), "10.10 USD"},
		{"formula: at least the base and 5", "USD", "100.0", formulaRule(func(w *wireRule) { w.Discount, w.MinMargin = "20.0", "5.0" }), "105.00 USD"},
		{"formula: at most the base and 3", "USD", "100.0", formulaRule(func(w *wireRule) { w.Surcharge, w.MaxMargin = "50.0", "3.0" }), "103.00 USD"},
		{"formula: within both", "USD", "100.0", formulaRule(func(w *wireRule) { w.Surcharge, w.MinMargin, w.MaxMargin = "4.0", "1.0", "9.0" }), "104.00 USD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := evaluationOf(t, []string{c.code}, c.rules)
			got, err := e.unit(e.lists[1], bike(c.list, "40.0"), 1)
			require.NoError(t, err)
			assert.Equal(t, c.want, got.String())
		})
	}
}

func TestTheFirstRuleInOrderWins(t *testing.T) {
	t.Parallel()
	fixed := func(id recordID, price number, change func(*wireRule)) wireRule {
		return plainRule(id, func(w *wireRule) { w.Compute, w.Fixed = computeFixed, price; change(w) })
	}
	on := func(w *wireRule, rank string) {
		w.AppliedOn = rank
		w.Product, w.Template = relation{ID: 41}, relation{ID: 7}
	}
	for _, c := range []struct {
		name     string
		quantity int
		rules    []wireRule
		want     string
	}{
		{"a variant's before a template's, whatever the quantity", 20, []wireRule{
			fixed(1, "1.0", func(w *wireRule) { on(w, onTemplate); w.MinQuantity = "10.0" }),
			fixed(2, "2.0", func(w *wireRule) { on(w, onVariant) }),
		}, "2.00 USD"},
		{"a template's before a category's before all", 1, []wireRule{
			fixed(1, "1.0", func(*wireRule) {}),
			fixed(2, "2.0", func(w *wireRule) { w.AppliedOn, w.Category = onCategory, relation{ID: 3} }),
			fixed(3, "3.0", func(w *wireRule) { on(w, onTemplate) }),
		}, "3.00 USD"},
		{"another product's are not for this one", 1, []wireRule{
			fixed(1, "1.0", func(w *wireRule) { on(w, onVariant); w.Product.ID = 42 }),
			fixed(2, "2.0", func(w *wireRule) { on(w, onTemplate); w.Template.ID = 8 }),
			fixed(3, "3.0", func(w *wireRule) { w.AppliedOn, w.Category = onCategory, relation{ID: 9} }),
		}, "100.00 USD"},
		{"a category above counts, the deeper one first", 1, []wireRule{
			fixed(1, "1.0", func(w *wireRule) { w.AppliedOn, w.Category = onCategory, relation{ID: 3} }),
			fixed(2, "2.0", func(w *wireRule) { w.AppliedOn, w.Category = onCategory, relation{ID: 1} }),
		}, "1.00 USD"},
		{"among categories quantity goes before depth", 5, []wireRule{
			fixed(1, "1.0", func(w *wireRule) { w.AppliedOn, w.Category = onCategory, relation{ID: 3} }),
			fixed(2, "2.0", func(w *wireRule) { w.AppliedOn, w.Category, w.MinQuantity = onCategory, relation{ID: 1}, "5.0" }),
		}, "2.00 USD"},
		{"the largest quantity that is reached", 24, []wireRule{
			fixed(1, "1.0", func(w *wireRule) { w.MinQuantity = "25.0" }),
			fixed(2, "2.0", func(w *wireRule) { w.MinQuantity = "15.0" }),
			fixed(3, "3.0", func(w *wireRule) { w.MinQuantity = "11.0" }),
		}, "2.00 USD"},
		{"half a piece is reached by a whole one", 3, []wireRule{
			fixed(1, "1.0", func(w *wireRule) { w.MinQuantity = "2.5" }),
			fixed(2, "2.0", func(*wireRule) {}),
		}, "1.00 USD"},
		{"of equals the youngest", 1, []wireRule{
			fixed(7, "7.0", func(*wireRule) {}), fixed(9, "9.0", func(*wireRule) {}), fixed(8, "8.0", func(*wireRule) {}),
		}, "9.00 USD"},
		{"neither past nor to come", 1, []wireRule{
			fixed(1, "1.0", func(w *wireRule) { w.End = moment{evaluationNow.Add(-time.Second)} }),
			fixed(2, "2.0", func(w *wireRule) { w.Start = moment{evaluationNow.Add(time.Second)} }),
			fixed(3, "3.0", func(w *wireRule) { w.Start, w.End = moment{evaluationNow}, moment{evaluationNow} }),
		}, "3.00 USD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := evaluationOf(t, []string{"USD"}, c.rules)
			got, err := e.unit(e.lists[1], bike("100.0", "40.0"), c.quantity)
			require.NoError(t, err)
			assert.Equal(t, c.want, got.String())
		})
	}
}

func TestAListMayStartFromAnother(t *testing.T) {
	t.Parallel()
	half := plainRule(1, func(w *wireRule) { w.Percent, w.MinQuantity = "50.0", "10.0" })
	fromFirst := plainRule(2, func(w *wireRule) { w.Base, w.BaseList, w.Percent = baseOther, relation{ID: 1}, "10.0" })
	e := evaluationOf(t, []string{"USD", "EUR"}, []wireRule{half}, []wireRule{fromFirst})
	one, err := e.unit(e.lists[2], bike("100.0", "0.0"), 1)
	require.NoError(t, err)
	assert.Equal(t, "82.80 EUR", one.String())
	tiers, err := e.tiers(e.lists[2], bike("100.0", "0.0"))
	require.NoError(t, err)
	require.Len(t, tiers, 1, "the other list's break is one here")
	assert.Equal(t, 10, tiers[0].MinQuantity)
	assert.Equal(t, "41.40 EUR", tiers[0].Unit.String())
}

func TestListsThatStartFromEachOtherAreRefused(t *testing.T) {
	t.Parallel()
	e := evaluationOf(t, []string{"USD"}, []wireRule{plainRule(1, func(w *wireRule) { w.Base, w.BaseList = baseOther, relation{ID: 1} })})
	_, err := e.unit(e.lists[1], bike("100.0", "0.0"), 1)
	require.ErrorIs(t, err, errNoList)
}

func TestPricesThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	e := evaluationOf(t, []string{"USD"}, []wireRule{plainRule(1, func(w *wireRule) { w.Percent = "101.0" })})
	_, err := e.unit(e.lists[1], bike("100.0", "0.0"), 1)
	require.ErrorIs(t, err, errNegative)
	_, err = e.listPrice(bike("100.0", "0.0"), "CHF")
	require.ErrorIs(t, err, errRate)
	_, err = e.listPrice(bike("", ""), "USD")
	require.ErrorIs(t, err, errWire)
	for _, broken := range []func(*wireRule){
		func(w *wireRule) { w.AppliedOn = "4_mood" },
		func(w *wireRule) { w.Compute = "guess" },
		func(w *wireRule) { w.Base = "competitor" },
		func(w *wireRule) { w.Base = baseOther },
		func(w *wireRule) { w.MinQuantity = "" },
	} {
		_, err := newPriceList(commerce.OpPrices, 1, "USD", []wireRule{plainRule(1, broken)})
		require.ErrorIs(t, err, commerce.ErrUpstream)
	}
}

func TestTiersAreWhereThePriceChanges(t *testing.T) {
	t.Parallel()
	e := evaluationOf(t, []string{"USD"}, []wireRule{
		plainRule(1, func(w *wireRule) { w.Percent, w.MinQuantity = "5.0", "1.0" }),
		plainRule(2, func(w *wireRule) { w.Percent, w.MinQuantity = "5.0", "5.0" }), // the same price
		plainRule(3, func(w *wireRule) { w.Percent, w.MinQuantity = "10.0", "10.0" }),
		plainRule(4, func(w *wireRule) { w.Percent, w.MinQuantity = "90.0", "10001.0" }), // more than anybody may buy
	})
	tiers, err := e.tiers(e.lists[1], bike("100.0", "0.0"))
	require.NoError(t, err)
	require.Len(t, tiers, 1)
	assert.Equal(t, 10, tiers[0].MinQuantity)
	assert.Equal(t, "90.00 USD", tiers[0].Unit.String())
}
