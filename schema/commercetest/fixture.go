package commercetest

import "github.com/portico-bff/portico/schema/commerce"

// Fixture names what a system under test holds. Every field a contract uses must be set.
type Fixture struct {
	Market commerce.Market // where everything below can be bought
	Other  commerce.Market // another language and currency for the same products

	Products   []commerce.SKU // at least three that are described, priced and in stock
	Unknown    commerce.SKU   // well-formed, but nobody knows it
	SoldOut    commerce.SKU   // known, nowhere in stock
	Varied     commerce.SKU   // has variants
	Reviewed   commerce.SKU   // has reviews
	Unreviewed commerce.SKU   // known, has none
	Paired     commerce.SKU   // has related products

	Category commerce.CategoryID // not a root; Products[0] need not be in it, but some product is
	Page     commerce.PageID

	Text  string       // a search text …
	Found commerce.SKU // … that finds this among the first 20
	Facet string       // a facet with at least two values over all products

	Group      commerce.PriceGroup // what most shoppers pay
	CheapGroup commerce.PriceGroup // pays less than Group for Products[0]

	Customer commerce.Principal   // known everywhere, with a verified e-mail, orders and invoices
	Neighbor commerce.Principal   // another known customer
	Nobody   commerce.Principal   // a valid principal that no system knows
	Order    commerce.OrderNumber // one of Customer's

	Address commerce.Address // where carts can be sent
	Email   string
	Coupon  string // fits a cart with Products[0]
	Payment string // a payment method's code
}
