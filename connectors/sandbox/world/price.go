package world

import "github.com/bojanz/currency"

// The price groups.
const (
	Retail    = "retail"
	Wholesale = "wholesale"
)

// Break is a quantity from which a group pays Percent less than the group's first price.
type Break struct {
	MinQty  int
	Percent int
}

// ShipMethod is a way to send an order: Base once, Rate for each kilogram.
type ShipMethod struct {
	ID    int
	Code  string // "xrq_ground": carrier, underscore, method
	Title string
	Base  string // decimal text, USD
	Rate  string // decimal text, USD
}

// Currencies answers the currencies that can be paid in; index + 1 is a currency's id in the ERP.
func (w *World) Currencies() []string { return []string{"USD", "EUR", "GBP"} }

// Breaks answers a group's quantity breaks by ascending quantity; nil when it has none.
func (w *World) Breaks(group string) []Break { return nil }

// UnitPrice is what one piece costs a member of the group who buys qty of them, two places,
// rounded half up. It is false for an unknown product, group or currency, a quantity below 1
// and for products that are not sold.
func (w *World) UnitPrice(productID int, group, currencyCode string, qty int) (currency.Amount, bool) {
	return currency.Amount{}, false
}

// Convert turns an amount of USD into another of the currencies, rounded half up to two
// places; false when the currency is unknown.
func (w *World) Convert(usd currency.Amount, currencyCode string) (currency.Amount, bool) {
	return currency.Amount{}, false
}

// CouponDiscount is what a coupon takes off a subtotal, 0 or more and at most the subtotal. It is
// false when the code is unknown or the subtotal does not reach its minimum.
func (w *World) CouponDiscount(code string, subtotal currency.Amount) (currency.Amount, bool) {
	return currency.Amount{}, false
}

// TaxRate is the sales tax in percent, decimal text ("8.8"), "0" where there is none. The
// region's code matters in the United States and Canada only.
func (w *World) TaxRate(country, regionCode string) string { return "0" }

// ShipMethods answers the ways to send an order.
func (w *World) ShipMethods() []ShipMethod { return w.shipMethods }
