package odoo

import (
	"encoding/json"
	"strconv"
)

// The ERP's ids stand apart from the world's and from each other, so that a mix-up shows.
const (
	productOffset   = 30_000
	templateOffset  = 10_000
	duplicateOffset = 39_000 // active doubles have higher ids than the product itself
	archivedOffset  = 20_000 // archived doubles have lower ids
	categoryOffset  = 5_000
	locationOffset  = 8_000
	orderOffset     = 2_000
	pickingOffset   = 600_000
	invoiceOffset   = 700_000
	linesPerOrder   = 100 // a line's id is its order's times this, plus its place

	allCategory      = 1 // "All", above the world's roots
	deliveryProduct  = 1 // the service that carriers are sold as
	discountProduct  = 2 // the reward that coupons are sold as
	customerLocation = 9 // where delivered goods are counted
	lossLocation     = 14
)

// addModels declares every model.
func (d *dialect) addModels() {
	for _, m := range []*model{
		d.currencies(), d.categories(), d.products(), d.templates(),
		d.pricelists(), d.pricelistItems(),
		d.locations(), d.quants(),
		d.partners(),
		d.saleOrders(), d.saleLines(), d.pickings(), d.invoices(),
	} {
		m.fields["id"] = field{kind: integer}
		m.fields["display_name"] = field{kind: char}
		d.models[m.name] = m
	}
}

// intOperand reads a whole number of a domain.
func intOperand(v any) (int, bool) {
	number, _ := v.(json.Number)
	n, err := strconv.Atoi(number.String())
	return n, err == nil
}

// byNumber makes a lookup by a whole number.
func byNumber(find func(n int) []row) lookup {
	return func(operand any) ([]row, bool) {
		n, ok := intOperand(operand)
		if !ok {
			return nil, false
		}
		return find(n), true
	}
}

// byText makes a lookup by a text.
func byText(find func(s string) []row) lookup {
	return func(operand any) ([]row, bool) {
		s, ok := operand.(string)
		if !ok {
			return nil, false
		}
		return find(s), true
	}
}

// withNumber answers the rows that a model's lookup has for a number, or all where it has none.
func (m *model) withNumber(field string, n int) []row {
	if find := m.lookup[field]; find != nil {
		if rows, ok := find(json.Number(strconv.Itoa(n))); ok {
			return rows
		}
	}
	return m.rows()
}
