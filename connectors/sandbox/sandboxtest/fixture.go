package sandboxtest

import (
	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// Fixture names what the sandbox holds, for the contracts of [commercetest].
func (s *Sandbox) Fixture() commercetest.Fixture { return FixtureOf(s.Server.World) }

// FixtureOf is the fixture of a world in its initial state.
func FixtureOf(w *world.World) commercetest.Fixture {
	customer := w.Customer("AW00011000")
	return commercetest.Fixture{
		Market: commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"},
		Other:  commerce.Market{Channel: "eu", Locale: "fr", Currency: "EUR", Country: "FR"},

		Products:   []commerce.SKU{"BK-M82S-38", "HL-U509-R", "LJ-0192-M"},
		Unknown:    "NO-SUCH-SKU",
		SoldOut:    first(w, func(p *world.Product) bool { return w.Free(p.ID) == 0 }),
		Varied:     "BK-M82S-38",
		Reviewed:   "SO-B909-M",
		Unreviewed: first(w, func(p *world.Product) bool { return len(w.Reviews(p.ID)) == 0 }),
		Paired:     "BK-M82S-38",

		Category: "101", // Mountain Bikes, below Bikes
		Page:     "home",

		Text:  "helmet",
		Found: "HL-U509-R",
		Facet: "color",

		Group:      world.Retail,
		CheapGroup: world.Wholesale,

		Customer: Principal(customer),
		Neighbor: Principal(w.Customer("AW00011020")),
		Nobody: commerce.Principal{
			Tenant: "default", Subject: "AW99999999", Email: "nobody@example.test", EmailVerified: true, PriceGroup: world.Retail,
		},
		Order: lastOrder(w, customer),

		Address: commerce.Address{
			FirstName: "Ada", LastName: "Berg", Street: []string{"1 Pike Street"}, City: "Seattle",
			Region: "WA", Postcode: "98101", Country: "US", Phone: "+1 555 0100",
		},
		Email:   "ada.berg@example.test",
		Coupon:  "WELCOME10",
		Payment: "checkmo",
	}
}

// Principal is the customer as a verified token describes them.
func Principal(c *world.Customer) commerce.Principal {
	return commerce.Principal{
		Tenant: "default", Subject: c.Number, Email: c.Email, EmailVerified: true, PriceGroup: commerce.PriceGroup(c.Group),
	}
}

// first is the published product with the lowest id that is such.
func first(w *world.World, such func(*world.Product) bool) commerce.SKU {
	for _, p := range w.Products() {
		if p.Published && such(p) {
			return commerce.SKU(p.SKU)
		}
	}
	return ""
}

func lastOrder(w *world.World, c *world.Customer) commerce.OrderNumber {
	var number commerce.OrderNumber
	for _, o := range w.Orders() {
		if o.CustomerNumber == c.Number {
			number = commerce.OrderNumber(o.Number)
		}
	}
	return number
}
