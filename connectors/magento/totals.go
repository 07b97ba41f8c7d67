package magento

import (
	"encoding/json"

	"github.com/portico-bff/portico/schema/commerce"
)

// amounts are the numbers that carts and orders add up with.
type amounts struct{ subtotal, discount, shipping, tax, total json.Number }

// toTotals reads them; a discount, shipping or tax that is absent is 0.
func toTotals(a amounts, code string) (commerce.Totals, error) {
	var t commerce.Totals
	for _, part := range []struct {
		to   *commerce.Money
		from json.Number
		read func(json.Number, string) (commerce.Money, error)
	}{
		{&t.Subtotal, a.subtotal, money},
		{&t.Discount, a.discount, optional},
		{&t.Shipping, a.shipping, optional},
		{&t.Tax, a.tax, optional},
		{&t.Total, a.total, money},
	} {
		amount, err := part.read(part.from, code)
		if err != nil {
			return commerce.Totals{}, err
		}
		*part.to = amount
	}
	return t, nil
}
