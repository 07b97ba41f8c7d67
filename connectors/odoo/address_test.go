package odoo

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/commerce"
)

// A person's name is in one piece, a company's is its own, and a state says its country.
func TestAnAddressOfAPartner(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		partner wirePlace
		want    commerce.Address
	}{
		"a person": {
			wirePlace{Name: " Ada Maria Byron ", Company: "Engines", Street: "1 Main St", Street2: "Back door", City: "Seattle", State: relation{ID: 9, Name: "Washington (US)"}, Postcode: "98101", Country: "US", Phone: "1"},
			commerce.Address{FirstName: "Ada Maria", LastName: "Byron", Company: "Engines", Street: []string{"1 Main St", "Back door"}, City: "Seattle", Region: "Washington", Postcode: "98101", Country: "US", Phone: "1"},
		},
		"one name":             {wirePlace{Name: "Cher", Street: "1 A", Country: "US"}, commerce.Address{LastName: "Cher", Street: []string{"1 A"}, Country: "US"}},
		"no name":              {wirePlace{Street: "1 A", Country: "US"}, commerce.Address{Street: []string{"1 A"}, Country: "US"}},
		"a company":            {wirePlace{Name: "Ada Ltd", IsCompany: true, Street: "1 A", Country: "GB"}, commerce.Address{Company: "Ada Ltd", Street: []string{"1 A"}, Country: "GB"}},
		"a state of elsewhere": {wirePlace{State: relation{ID: 1, Name: "Jalisco (MX)"}, Street: "1 A", Country: "US"}, commerce.Address{Region: "Jalisco (MX)", Street: []string{"1 A"}, Country: "US"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, *c.partner.address())
		})
	}
}
