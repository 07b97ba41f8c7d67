package world

import (
	"strconv"

	"github.com/bojanz/currency"
)

// The price groups.
const (
	Retail    = "retail"
	Wholesale = "wholesale"
)

// Break is a quantity from which a group pays PercentOff the list price.
type Break struct {
	MinQty     int
	PercentOff int
}

// wholesaleBreaks are 15 % for everybody in the group and the data's volume discounts on top.
var wholesaleBreaks = []Break{{1, 15}, {11, 17}, {15, 20}, {25, 25}, {41, 30}, {61, 35}}

// ShipMethod is a way to send an order: Base once, Rate for each kilogram.
type ShipMethod struct {
	ID    int
	Code  string // "xrq_ground": carrier, underscore, method
	Title string
	Base  string // decimal text, USD
	Rate  string // decimal text, USD
}

// Currencies answers the currencies that can be paid in; index + 1 is a currency's id in the ERP.
func (f *facts) Currencies() []string { return []string{"USD", "EUR", "GBP"} }

// Breaks answers what a group gets off list prices, by ascending quantity; nil when it pays list prices.
func (w *World) Breaks(group string) []Break { return w.sold.Load().breaks[group] }

// Groups answers the price groups.
func (f *facts) Groups() []string { return []string{Retail, Wholesale} }

// UnitPrice is what one piece costs a member of the group who buys qty of them: the list price
// converted and rounded, less the group's percentage and rounded again, always half up to
// two places. It is false for an unknown group or currency, a quantity below 1 and a product
// that is unknown or not sold.
func (w *World) UnitPrice(productID int, group, currencyCode string, qty int) (currency.Amount, bool) {
	return w.sold.Load().unitPrice(productID, group, currencyCode, qty)
}

func (c *catalog) unitPrice(productID int, group, currencyCode string, qty int) (currency.Amount, bool) {
	price, ok := c.listPrices[currencyCode][productID]
	if !ok || qty < 1 || (group != Retail && group != Wholesale) {
		return currency.Amount{}, false
	}
	off := 0
	for _, b := range c.breaks[group] {
		if qty >= b.MinQty {
			off = b.PercentOff
		}
	}
	if off == 0 {
		return price, true
	}
	return percent(price, strconv.Itoa(100-off)), true
}

// Convert turns an amount of USD into another of the currencies, rounded half up to two
// places; false when the currency is unknown.
func (f *facts) Convert(usd currency.Amount, currencyCode string) (currency.Amount, bool) {
	return convert(usd, currencyCode)
}

func convert(usd currency.Amount, currencyCode string) (currency.Amount, bool) {
	rate, ok := rates[currencyCode]
	if !ok {
		return currency.Amount{}, false
	}
	converted, err := usd.Convert(currencyCode, rate)
	return cents(converted), err == nil
}

// cents rounds half up to two places.
func cents(a currency.Amount) currency.Amount { return a.RoundTo(2, currency.RoundHalfUp) }

// percent is a share of an amount, rounded half up to two places. rate is decimal text that
// this package wrote or loaded, so it always is a number.
func percent(a currency.Amount, rate string) currency.Amount {
	whole, _ := a.Mul(rate)
	part, _ := whole.Div("100")
	return cents(part)
}

// Percent is rate percent of an amount, rounded half up to two places; false when rate is not
// decimal text. It is how discounts and taxes round everywhere in the world.
func Percent(a currency.Amount, rate string) (currency.Amount, bool) {
	if _, err := a.Mul(rate); err != nil {
		return currency.Amount{}, false
	}
	return percent(a, rate), true
}

// The coupons.
const (
	couponTenPercent = "WELCOME10" // 10 % off
	couponFifty      = "BIKE50"    // 50 off from a subtotal of 500, in the cart's currency
)

// CouponDiscount is what a coupon takes off a subtotal, 0 or more and at most the subtotal. It is
// false when the code is unknown or the subtotal does not reach its minimum.
func (f *facts) CouponDiscount(code string, subtotal currency.Amount) (currency.Amount, bool) {
	switch code {
	case couponTenPercent:
		return percent(subtotal, "10"), true
	case couponFifty:
		least, err := currency.NewAmount("500.00", subtotal.CurrencyCode())
		if err != nil {
			return currency.Amount{}, false
		}
		if order, err := subtotal.Cmp(least); err != nil || order < 0 {
			return currency.Amount{}, false
		}
		off, err := currency.NewAmount("50.00", subtotal.CurrencyCode())
		return off, err == nil
	default:
		return currency.Amount{}, false
	}
}

// TaxRate is the sales tax in percent, decimal text ("8.8"), "0" where there is none. The
// region's code matters in the United States and Canada only.
func (f *facts) TaxRate(country, regionCode string) string {
	if rate, ok := f.taxes[taxKey(country, regionCode)]; ok {
		return rate
	}
	return "0"
}

// ShipMethods answers the ways to send an order.
func (f *facts) ShipMethods() []ShipMethod { return f.shipMethods }
