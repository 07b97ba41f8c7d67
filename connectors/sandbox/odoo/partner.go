package odoo

import (
	"strconv"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

const (
	deliveryOffset = 100_000 // from a customer's partner to its delivery address
	leadOffset     = -40_000 // from a customer's partner to the sales department's note of the person
	guestOffset    = 300_000
	placeOffset    = 400_000 // from an order to the address that came with it
	oneInHasLead   = 50
)

// partner is a res.partner: a customer, something below or beside a customer, or a guest.
type partner struct {
	number   int
	kind     string // contact, delivery, other
	customer *world.Customer
	guest    string       // the e-mail of a guest
	order    *world.Order // whose address it is
}

func (p *partner) id() int { return p.number }

func (p *partner) name() string {
	switch {
	case p.order != nil:
		return p.order.ShipTo.FirstName + " " + p.order.ShipTo.LastName
	case p.customer == nil:
		return "Guest"
	case p.customer.CompanyName != "":
		return p.customer.CompanyName
	default:
		return p.customer.FirstName + " " + p.customer.LastName
	}
}

func (p *partner) ref() ref { return ref{p.number, p.name()} }

func (p *partner) value(c *env, field string) any {
	switch field {
	case "id":
		return p.number
	case "active":
		return true
	case "type":
		return p.kind
	case "name", "display_name", "complete_name":
		return p.name()
	case "lang":
		return "en_US"
	}
	if p.order != nil {
		return p.shipTo(field)
	}
	if p.customer == nil {
		if field == "email" {
			return p.guest
		}
		return nil
	}
	return p.personal(field)
}

// shipTo is the address that came with an order.
func (p *partner) shipTo(field string) any {
	to := p.order.ShipTo
	switch field {
	case "parent_id":
		if p.customer != nil {
			return ref{p.customer.OdooID, (&partner{customer: p.customer}).name()}
		}
		return nil
	case "company_name":
		return to.Company
	case "phone":
		return to.Phone
	case "street":
		return to.Street1
	case "street2":
		return to.Street2
	case "city":
		return to.City
	case "zip":
		return to.Postcode
	case "state_id":
		return stateRef(to.Region, to.RegionCode, to.Country)
	case "country_code":
		return to.Country
	default:
		return nil
	}
}

// stateRef is a res.country.state, which says its country too.
func stateRef(name, code, country string) any {
	if name == "" {
		return nil
	}
	id := 0
	for _, letter := range country + code {
		id = id*37 + int(letter)%37
	}
	return ref{1 + id%10_000, name + " (" + country + ")"}
}

func (p *partner) personal(field string) any {
	who := p.customer
	switch field {
	case "email":
		return who.Email
	case "phone":
		return who.Phone
	case "ref":
		if p.kind == "contact" {
			return who.Number
		}
	case "is_company":
		return who.CompanyName != ""
	case "create_date":
		return who.CreatedAt
	case "parent_id":
		if p.kind == "delivery" {
			return ref{who.OdooID, p.name()}
		}
	case "child_ids":
		if p.kind == "contact" && len(who.Addresses) > 0 {
			return []int{who.OdooID + deliveryOffset}
		}
	case "property_product_pricelist":
		if who.Group == world.Wholesale {
			return ref{4, "wholesale (USD)"}
		}
		return ref{1, "retail (USD)"}
	default:
		return p.address(field)
	}
	return nil
}

func (p *partner) address(field string) any {
	if len(p.customer.Addresses) == 0 {
		return nil
	}
	home := p.customer.Addresses[0]
	switch field {
	case "street":
		return home.Street
	case "street2":
		return home.Street2
	case "city":
		return home.City
	case "zip":
		return home.Postcode
	case "state_id":
		return stateRef(home.RegionName, home.RegionCode, home.Country)
	case "country_code":
		return home.Country
	default:
		return nil
	}
}

// partnersOf are the records of a customer: the one that matters, its delivery
// address with the same e-mail, and for some an older lead with it too.
func partnersOf(c *world.Customer) []row {
	rows := []row{&partner{number: c.OdooID, kind: "contact", customer: c}}
	if len(c.Addresses) > 0 {
		rows = append(rows, &partner{number: c.OdooID + deliveryOffset, kind: "delivery", customer: c})
	}
	if c.MagentoID%oneInHasLead == 0 {
		rows = append(rows, &partner{number: c.OdooID + leadOffset, kind: "other", customer: c})
	}
	return rows
}

func (d *dialect) partners() *model {
	guestRows := func() []row {
		var rows []row
		for i, email := range d.snapshot().guests {
			rows = append(rows, &partner{number: guestOffset + i, kind: "contact", guest: email})
		}
		return rows
	}
	return &model{
		name: "res.partner", order: "complete_name, id", parent: "parent_id",
		rows: func() []row {
			rows := append(guestRows(), d.snapshot().rowsOf(destinations)...)
			for _, c := range d.world.Customers() {
				rows = append(rows, partnersOf(c)...)
			}
			return rows
		},
		lookup: map[string]lookup{
			"id": byNumber(func(id int) []row {
				for _, own := range []int{id, id - deliveryOffset, id - leadOffset} {
					if c := d.world.CustomerByOdooID(own); c != nil {
						return partnersOf(c)
					}
				}
				return append(guestRows(), d.snapshot().rowsOfOne(id-placeOffset, destinations)...)
			}),
			"email": byText(func(email string) []row {
				rows := guestRows()
				if c := d.world.CustomerByEmail(email); c != nil {
					rows = append(rows, partnersOf(c)...)
				}
				return rows
			}),
			"parent_id": byNumber(func(id int) []row {
				c := d.world.CustomerByOdooID(id)
				if c == nil {
					return nil
				}
				return append(partnersOf(c), d.snapshot().rowsOfPartner(id, destinations)...)
			}),
		},
		fields: map[string]field{
			"name": {}, "complete_name": {}, "email": {}, "phone": {}, "ref": {}, "vat": {}, "type": {}, "lang": {},
			"street": {}, "street2": {}, "city": {}, "zip": {}, "country_code": {}, "company_name": {}, "state_id": {kind: many2one},
			"is_company": {kind: boolean}, "active": {kind: boolean}, "create_date": {kind: datetime},
			"parent_id": {kind: many2one, to: "res.partner"}, "child_ids": {kind: x2many, to: "res.partner"},
			"property_product_pricelist": {kind: many2one, to: "product.pricelist"},
			"category_id":                {kind: x2many},
		},
	}
}

// partnerOf is whom an order is for: for every fourth past one the customer's delivery address, as clerks do.
func (s *snapshot) partnerOf(o *world.Order) ref {
	who := s.world.Customer(o.CustomerNumber)
	if who == nil {
		return ref{guestOffset + s.guestIndex[o.Email], "Guest"}
	}
	p := partner{number: who.OdooID, customer: who}
	if o.Seeded && o.ID%4 == 0 && len(who.Addresses) > 0 {
		p.number += deliveryOffset
	}
	return p.ref()
}

// destinationOf is where an order goes: what was placed brought its own address, past ones went where their partner is.
func (s *snapshot) destinationOf(o *world.Order) *partner {
	who := s.world.Customer(o.CustomerNumber)
	if !o.Seeded {
		return &partner{number: placeOffset + o.ID, kind: "delivery", customer: who, order: o}
	}
	return &partner{number: s.partnerOf(o).id, customer: who}
}

// destinations are the addresses that came with orders.
func destinations(s *snapshot, o *world.Order) []row {
	if o.Seeded {
		return nil
	}
	return []row{s.destinationOf(o)}
}

func serial(prefix string, n, width int) string {
	text := strconv.Itoa(n)
	for len(text) < width {
		text = "0" + text
	}
	return prefix + text
}
