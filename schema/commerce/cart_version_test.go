package commerce

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func versioned(t *testing.T) *Cart {
	t.Helper()
	money := func(amount string) Money {
		m, err := NewMoney(amount, "USD")
		require.NoError(t, err)
		return m
	}
	return &Cart{
		ID: "g_1", Currency: "USD", Coupon: "X",
		Lines:    []CartLine{{ID: "1", SKU: "A", Name: "Mug", Quantity: 2, Unit: money("1.00"), Total: money("2.00")}},
		Totals:   Totals{Subtotal: money("2.00"), Discount: money("0"), Shipping: money("1"), Tax: money("0"), Total: money("3.00")},
		Shipping: &SelectedShipping{Code: "post", Title: "Post", Address: Address{FirstName: "Ann", Street: []string{"1 Main St"}}},
		Payments: []PaymentMethod{{Code: "check", Title: "Check"}},
	}
}

// Each part that a shopper decides on changes the version; what it is called in a language does not.
func TestVersionOfACart(t *testing.T) {
	t.Parallel()
	first := versioned(t).Version()
	assert.Regexp(t, "^[0-9a-f]{32}$", first)
	assert.Equal(t, first, versioned(t).Version())
	seen := map[string]string{first: "first"}
	for name, change := range map[string]func(*Cart){
		"id":          func(c *Cart) { c.ID = "g_2" },
		"currency":    func(c *Cart) { c.Currency = "EUR" },
		"coupon":      func(c *Cart) { c.Coupon = "" },
		"no line":     func(c *Cart) { c.Lines = nil },
		"line's id":   func(c *Cart) { c.Lines[0].ID = "2" },
		"sku":         func(c *Cart) { c.Lines[0].SKU = "B" },
		"quantity":    func(c *Cart) { c.Lines[0].Quantity = 3 },
		"unit":        func(c *Cart) { c.Lines[0].Unit = c.Totals.Total },
		"line total":  func(c *Cart) { c.Lines[0].Total = c.Totals.Total },
		"twice":       func(c *Cart) { c.Lines = append(c.Lines, c.Lines[0]) },
		"subtotal":    func(c *Cart) { c.Totals.Subtotal = c.Totals.Total },
		"tax":         func(c *Cart) { c.Totals.Tax = c.Totals.Shipping },
		"total":       func(c *Cart) { c.Totals.Total = c.Totals.Shipping },
		"no shipping": func(c *Cart) { c.Shipping = nil },
		"method":      func(c *Cart) { c.Shipping.Code = "air" },
		"street":      func(c *Cart) { c.Shipping.Address.Street = []string{"1", "Main St"} },
		"city":        func(c *Cart) { c.Shipping.Address.City = "Ann" },
		"payment":     func(c *Cart) { c.Payments[0].Code = "card" },
		"no payment":  func(c *Cart) { c.Payments = nil },
	} {
		c := versioned(t)
		change(c)
		v := c.Version()
		assert.Empty(t, seen[v], name)
		seen[v] = name
	}
	named := versioned(t)
	named.Lines[0].Name, named.Shipping.Title, named.Payments[0].Title = "Tasse", "Courrier", "Chèque"
	assert.Equal(t, first, named.Version(), "a language is no state")
}
