package screen

import (
	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// Money is m as people of locale read it, and exactly.
func Money(m commerce.Money, locale string) api.Money {
	return api.Money{Amount: m.Number(), Currency: m.CurrencyCode(), Formatted: commerce.FormatMoney(m, locale)}
}

// some is Money, or nothing for an amount of zero, which no screen shows.
func some(m commerce.Money, locale string) api.Money {
	if m.CurrencyCode() == "" || m.IsZero() {
		return api.Money{}
	}
	return Money(m, locale)
}

func priceOf(p *commerce.Price, locale string) api.Price {
	shown := api.Price{Unit: Money(p.Unit, locale)}
	if !p.List.Equal(p.Unit) {
		shown.List = some(p.List, locale)
	}
	for _, t := range p.Tiers {
		shown.Tiers = append(shown.Tiers, api.PriceTier{MinQuantity: t.MinQuantity, MinQuantityText: count(t.MinQuantity, locale), Unit: Money(t.Unit, locale)})
	}
	return shown
}

// image is empty when i is nil or has no rendition.
func image(i *commerce.Image, width int) api.Image {
	if i == nil || len(i.Renditions) == 0 {
		return api.Image{}
	}
	return api.Image{Url: i.URL(width), Alt: i.Alt}
}

func links(path []*commerce.Category) []api.CategoryLink {
	list := make([]api.CategoryLink, len(path))
	for i, c := range path {
		list[i] = api.CategoryLink{Id: string(c.ID), Name: c.Name}
	}
	return list
}

func tiles(v Viewer, categories []*commerce.Category) []api.CategoryTile {
	list := make([]api.CategoryTile, len(categories))
	for i, c := range categories {
		list[i] = api.CategoryTile{Id: string(c.ID), Name: c.Name, Image: image(c.Image, v.Tile), Children: links(c.Children)}
	}
	return list
}

func totals(t commerce.Totals, locale string) api.Totals {
	return api.Totals{
		Subtotal: Money(t.Subtotal, locale), Discount: some(t.Discount, locale), Shipping: some(t.Shipping, locale),
		Tax: some(t.Tax, locale), Total: Money(t.Total, locale),
	}
}

func address(a commerce.Address) api.Address {
	street := a.Street
	if street == nil {
		street = []string{}
	}
	return api.Address{
		FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Street: street, City: a.City,
		Region: a.Region, Postcode: a.Postcode, Country: a.Country, Phone: a.Phone,
	}
}

// Cart is a cart as it goes over the wire.
func Cart(c *commerce.Cart, locale string) api.Cart {
	shown := api.Cart{
		Id: string(c.ID), Version: c.Version(), Currency: c.Currency, Quantity: c.Quantity(), QuantityText: count(c.Quantity(), locale),
		Coupon: c.Coupon, Totals: totals(c.Totals, locale), Lines: make([]api.CartLine, len(c.Lines)),
	}
	for i, l := range c.Lines {
		shown.Lines[i] = api.CartLine{
			Id: string(l.ID), Sku: string(l.SKU), Name: l.Name, Quantity: l.Quantity, QuantityText: count(l.Quantity, locale),
			Unit: Money(l.Unit, locale), Total: Money(l.Total, locale),
		}
	}
	if c.Shipping != nil {
		shown.Shipping = api.SelectedShipping{Code: c.Shipping.Code, Title: c.Shipping.Title, Address: address(c.Shipping.Address)}
	}
	for _, m := range c.Payments {
		shown.Payments = append(shown.Payments, api.PaymentMethod{Code: m.Code, Title: m.Title})
	}
	return shown
}

// ShippingOptions are the ways to send a cart as they go over the wire.
func ShippingOptions(options []commerce.ShippingOption, locale string) api.ShippingOptionList {
	shown := api.ShippingOptionList{Options: make([]api.ShippingOption, len(options))}
	for i, o := range options {
		shown.Options[i] = api.ShippingOption{Code: o.Code, Carrier: o.Carrier, Title: o.Title, Price: Money(o.Price, locale)}
	}
	return shown
}
