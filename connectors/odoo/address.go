package odoo

import (
	"context"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// wirePlace is a partner that something is sent to.
type wirePlace struct {
	ID        recordID `json:"id"`
	Name      text     `json:"name"`
	IsCompany bool     `json:"is_company"`
	Company   text     `json:"company_name"`
	Street    text     `json:"street"`
	Street2   text     `json:"street2"`
	City      text     `json:"city"`
	State     relation `json:"state_id"`
	Postcode  text     `json:"zip"`
	Country   text     `json:"country_code"`
	Phone     text     `json:"phone"`
}

func (w wirePlace) check() error { return w.ID.check() }

var placeFields = []string{"name", "is_company", "company_name", "street", "street2", "city", "state_id", "zip", "country_code", "phone"}

// places reads where the records are sent to, by partner; a partner without a street or a country is left out.
func (c *connector) places(ctx context.Context, op commerce.Operation, records []wireOrder) (map[recordID]*commerce.Address, error) {
	partners := map[recordID]bool{}
	for _, w := range records {
		if w.Shipping.ID > 0 {
			partners[w.Shipping.ID] = true
		}
	}
	if len(partners) == 0 {
		return map[recordID]*commerce.Address{}, nil
	}
	found, err := search[wirePlace](ctx, c, op, query{
		// An address that is no longer used is archived, and still where the order went.
		model: "res.partner", Domain: domain{leaf{"id", "in", sortedKeys(partners)}}, Fields: placeFields, Order: "id", Archived: true,
	})
	places := make(map[recordID]*commerce.Address, len(found))
	for _, w := range found {
		if w.Street != "" && w.Country != "" {
			places[w.ID] = w.address()
		}
	}
	return places, err
}

// address is the partner's. Odoo keeps a person's name in one piece: its last word is taken for the family's.
func (w wirePlace) address() *commerce.Address {
	// A state is called "Washington (US)".
	region := strings.TrimSuffix(w.State.Name, " ("+string(w.Country)+")")
	a := &commerce.Address{
		Company: string(w.Company), Street: []string{string(w.Street)}, City: string(w.City),
		Region: region, Postcode: string(w.Postcode), Country: string(w.Country), Phone: string(w.Phone),
	}
	if w.Street2 != "" {
		a.Street = append(a.Street, string(w.Street2))
	}
	name := strings.TrimSpace(string(w.Name))
	if w.IsCompany {
		a.Company = name
		return a
	}
	at := strings.LastIndexByte(name, ' ')
	a.FirstName, a.LastName = strings.TrimSpace(name[:max(at, 0)]), name[at+1:]
	return a
}
