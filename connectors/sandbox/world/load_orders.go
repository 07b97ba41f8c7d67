package world

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/bojanz/currency"
)

// oneInHasHistory is how many customers there are for each that has bought before: those whose number it divides.
const oneInHasHistory = 20

// currencyOf says in what people of a country pay; elsewhere it is USD.
var currencyOf = map[string]string{"GB": "GBP", "DE": "EUR", "FR": "EUR"}

// seedOrders makes up 1 to 4 past orders for some customers. They are long done: their stock is gone from the data.
func (f *facts) seedOrders() error {
	var sold []*Product
	for _, p := range f.products {
		if p.Published {
			sold = append(sold, p)
		}
	}
	for _, c := range f.customers {
		if c.MagentoID%oneInHasHistory != 0 || len(c.Addresses) == 0 {
			continue
		}
		rnd := random(streamOrders, c.MagentoID)
		for range 1 + rnd.IntN(4) {
			o, err := f.pastOrder(c, sold, rnd)
			if err != nil {
				return err
			}
			f.seededOrders = append(f.seededOrders, o)
		}
	}
	slices.SortStableFunc(f.seededOrders, func(a, b *Order) int { return a.PlacedAt.Compare(b.PlacedAt) })
	for i, o := range f.seededOrders {
		o.ID = i + 1
		o.Number = orderNumber(o.ID)
	}
	return nil
}

func (f *facts) pastOrder(c *Customer, sold []*Product, rnd *rand.Rand) (*Order, error) {
	home := c.Addresses[0]
	o := &Order{
		CustomerNumber: c.Number, Email: c.Email, Group: c.Group, Currency: currencyOf[home.Country], Seeded: true,
		Payment:  "checkmo",
		PlacedAt: time.Date(2024, 7, 1, 6, 0, rnd.IntN(50_000), 0, time.UTC).AddDate(0, 0, rnd.IntN(450)),
	}
	if o.Currency == "" {
		o.Currency = "USD"
	}
	o.ShipTo = OrderAddress{
		FirstName: c.FirstName, LastName: c.LastName, Company: c.CompanyName, Street1: home.Street, Street2: home.Street2,
		City: home.City, RegionCode: home.RegionCode, Region: home.RegionName, Postcode: home.Postcode, Country: home.Country, Phone: c.Phone,
	}
	o.BillTo = o.ShipTo
	most := 2
	if c.Group == Wholesale {
		most = 30
	}
	for _, i := range rnd.Perm(len(sold))[:1+rnd.IntN(3)] {
		p, qty := sold[i], 1+rnd.IntN(most)
		unit, _ := f.unitPrice(p.ID, c.Group, o.Currency, qty)
		o.Lines = append(o.Lines, OrderLine{ProductID: p.ID, SKU: p.SKU, Name: p.Name, Qty: qty, Unit: unit})
	}
	method := f.shipMethods[rnd.IntN(len(f.shipMethods))]
	o.ShippingCode, o.ShippingTitle = method.Code, method.Title
	return o, f.total(o, method)
}

// total adds a past order up.
func (f *facts) total(o *Order, method ShipMethod) error {
	zero, err := currency.NewAmount("0.00", o.Currency)
	if err != nil {
		return err
	}
	o.Subtotal, o.Discount = zero, zero
	for _, l := range o.Lines {
		line, err := l.Unit.Mul(strconv.Itoa(l.Qty))
		if err != nil {
			return err
		}
		if o.Subtotal, err = o.Subtotal.Add(line); err != nil {
			return err
		}
	}
	base, err := currency.NewAmount(method.Base, "USD")
	if err != nil {
		return err
	}
	o.Shipping, _ = f.Convert(base, o.Currency)
	o.Tax = percent(o.Subtotal, f.TaxRate(o.ShipTo.Country, o.ShipTo.RegionCode))
	o.Total = o.Subtotal
	for _, part := range []currency.Amount{o.Shipping, o.Tax} {
		if o.Total, err = o.Total.Add(part); err != nil {
			return err
		}
	}
	return nil
}
