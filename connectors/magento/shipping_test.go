package magento_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.filled(t, r.guest)
	base := r.fixture.Address
	for name, tc := range map[string]struct {
		change func(*commerce.Address)
		field  string
		code   commerce.Code
		region string
	}{
		"by code":           {func(*commerce.Address) {}, "", "", "WA"},
		"by name":           {func(a *commerce.Address) { a.Region = "washington" }, "", "", "WA"},
		"lower case":        {func(a *commerce.Address) { a.Region = "wa" }, "", "", "WA"},
		"without phone":     {func(a *commerce.Address) { a.Phone = "" }, "", "", "WA"},
		"no such region":    {func(a *commerce.Address) { a.Region = "Atlantis" }, "address.region", commerce.CodeInvalid, ""},
		"region missing":    {func(a *commerce.Address) { a.Region = "" }, "shippingAddress.region", commerce.CodeRequired, ""},
		"country elsewhere": {func(a *commerce.Address) { a.Country, a.Region = "AQ", "" }, "address.country", commerce.CodeUnsupported, ""},
		"not a country":     {func(a *commerce.Address) { a.Country = "../V1" }, "address.country", commerce.CodeInvalid, ""},
		"free region":       {func(a *commerce.Address) { a.Country, a.Region = "FR", "Bretagne" }, "", "", "Bretagne"},
		"no region there":   {func(a *commerce.Address) { a.Country, a.Region = "DE", "" }, "", "", ""},
		"city missing":      {func(a *commerce.Address) { a.City = "" }, "address.city", commerce.CodeRequired, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := base
			tc.change(&a)
			options, err := r.ports.CheckoutOptions.ShippingOptions(t.Context(), r.guest, cart.ID, a)
			if tc.field != "" && tc.field[:7] == "address" {
				input := inputError(t, err)
				assert.Equal(t, tc.field, input.Field)
				assert.Equal(t, tc.code, input.Code)
				return
			}
			require.NoError(t, err)
			choice := commerce.ShippingChoice{Email: r.fixture.Email, Shipping: a, Code: options[0].Code}
			with, err := r.ports.CheckoutOptions.SetShipping(t.Context(), r.guest, cart.ID, choice)
			if tc.field != "" {
				assert.Equal(t, tc.field, inputError(t, err).Field)
				assert.Equal(t, tc.code, inputError(t, err).Code)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.region, with.Shipping.Address.Region)
			assert.Equal(t, a.Phone, with.Shipping.Address.Phone)
			assert.Contains(t, with.Shipping.Title, options[0].Carrier)
		})
	}
}

func TestBillingAddressIsCheckedByItsOwnName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.filled(t, r.guest)
	bill := r.fixture.Address
	bill.Region = "Atlantis"
	r.reset()
	choice := commerce.ShippingChoice{Email: r.fixture.Email, Shipping: r.fixture.Address, Billing: &bill, Code: "xrq_ground"}
	_, err := r.ports.CheckoutOptions.SetShipping(t.Context(), r.guest, cart.ID, choice)
	assert.Equal(t, "billingAddress.region", inputError(t, err).Field)
	assert.Empty(t, r.writes())
	bill.Region = "OR"
	_, err = r.ports.CheckoutOptions.SetShipping(t.Context(), r.guest, cart.ID, choice)
	require.NoError(t, err)
}

// A code is worth what Magento offers now, not what it can be taken apart into.
func TestOnlyOfferedMethodsAreSet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.filled(t, r.guest)
	for _, code := range []string{"", "_", "xrq", "ground", "xrq_", "xrq.ground", "xrq_ground_", "overseas_deluxe", "XRQ_GROUND"} {
		r.reset()
		choice := commerce.ShippingChoice{Email: r.fixture.Email, Shipping: r.fixture.Address, Code: code}
		_, err := r.ports.CheckoutOptions.SetShipping(t.Context(), r.guest, cart.ID, choice)
		input := inputError(t, err)
		assert.Equal(t, commerce.CodeShippingMethod, input.Code, code)
		assert.Equal(t, "methodCode", input.Field)
		assert.Empty(t, r.writes(), code)
	}
	r.on("POST /V1/guest-carts/{id}/estimate-shipping-methods", forge(false, 200, "application/json",
		`[{"carrier_code":"a","method_code":"b","amount":5.1234,"available":true},{"carrier_code":"c","method_code":"d","amount":null,"available":false,"error_message":"no"},{"carrier_code":"e","method_code":"f","amount":"0"}]`))
	options, err := r.ports.CheckoutOptions.ShippingOptions(t.Context(), r.guest, cart.ID, r.fixture.Address)
	require.NoError(t, err)
	require.Len(t, options, 2)
	assert.Equal(t, "e_f", options[0].Code)
	assert.Equal(t, "0.00", options[0].Price.Number())
	assert.Equal(t, "5.1234", options[1].Price.Number())
}

func TestMoneyIsInTheMarketsCurrency(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := commerce.Shopper{Market: r.fixture.Other, Principal: r.fixture.Customer}
	cart := r.filled(t, s)
	assert.Equal(t, "EUR", cart.Totals.Total.CurrencyCode())
	dollars := r.filled(t, r.customer())
	assert.NotEqual(t, cart.ID, dollars.ID, "a customer has one cart in each store")
	assert.Equal(t, "USD", dollars.Lines[0].Unit.CurrencyCode())
	elsewhere, err := r.ports.Carts.Cart(t.Context(), r.customer(), cart.ID)
	require.NoError(t, err)
	assert.Equal(t, cart, elsewhere, "a cart keeps its currency")
}
