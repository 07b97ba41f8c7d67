package bffmobile

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

const (
	checkoutScreen = "/v1/screens/checkout/"
	shippingSet    = `{"email":"ann@example.test","shippingAddress":` + seattle + `,"methodCode":"post.ground"}`
)

// checkout reads the screen.
func (s *shop) checkout(t *testing.T, cart string, headers ...string) api.CheckoutScreen {
	t.Helper()
	a := s.checked(t, get(checkoutScreen+cart, headers...))
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Contains(t, a.Header.Get("Cache-Control"), "private")
	var shown api.CheckoutScreen
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &shown))
	require.Empty(t, shown.Degraded)
	return shown
}

// A customer who has addresses sees at once what it takes to send the cart to the first.
func TestACustomersCheckoutBeginsWithTheirAddress(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.filled(t)
	ann := []string{"Authorization", "Bearer C1"}
	golden(t, "checkout-customer", s.checked(t, get(checkoutScreen+guestCart, ann...)))
	shown := s.checkout(t, guestCart, ann...)
	require.NotEmpty(t, shown.Addresses)
	require.Equal(t, shown.Addresses[0], shown.ShippingAddress)
	require.NotEmpty(t, shown.ShippingOptions)
	require.NotEmpty(t, shown.Email)

	s.ok(t, call{"PUT", "/v1/carts/" + guestCart + "/shipping", shippingSet, ann})
	shown = s.checkout(t, guestCart, ann...)
	require.Equal(t, shown.Cart.Shipping.Address, shown.ShippingAddress, "what is set in the cart goes first")
	require.NotEmpty(t, shown.Cart.Payments)
	require.NotEmpty(t, shown.Addresses)
}

// Of a guest nothing is known but what is in the cart, and nothing is missing.
func TestAGuestsCheckoutKnowsWhatTheCartSays(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.filled(t)
	s.ResetCalls()
	shown := s.checkout(t, guestCart)
	require.Empty(t, shown.Addresses)
	require.Empty(t, shown.ShippingOptions)
	require.Zero(t, shown.ShippingAddress)
	require.Zero(t, s.Calls(commerce.OpCustomer)+s.Calls(commerce.OpShippingOptions), "there is nothing to ask")

	s.ok(t, call{"PUT", "/v1/carts/" + guestCart + "/shipping", shippingSet, nil})
	shown = s.checkout(t, guestCart)
	require.Equal(t, "Seattle", shown.ShippingAddress.City)
	require.NotEmpty(t, shown.ShippingOptions)
	require.NotEmpty(t, shown.Cart.Payments)
	require.Empty(t, shown.Addresses)
}

// A part that hangs leaves the screen what it has; one that is not needed holds up nothing.
func TestCheckoutWithoutACustomersAddresses(t *testing.T) {
	t.Parallel()
	s := open(t)
	ann := []string{"Authorization", "Bearer C9"} // has none
	s.filled(t)
	shown := s.checkout(t, guestCart, ann...)
	require.Empty(t, shown.Addresses)
	require.Empty(t, shown.ShippingOptions)
	require.Zero(t, s.Calls(commerce.OpShippingOptions))

	s.Fail(commerce.OpCustomer, commerce.ErrUnavailable)
	s.ok(t, call{"PUT", "/v1/carts/" + guestCart + "/shipping", shippingSet, ann})
	a := s.checked(t, get(checkoutScreen+guestCart, ann...))
	require.Equal(t, http.StatusOK, a.Status)
	require.Len(t, degradedOf(t, a), 1, "the cart's own address needs no customer: %s", a.Raw)
	require.Contains(t, a.Raw, `"shippingOptions"`)
}

func TestSomebodyElsesCartIsNotChecked(t *testing.T) {
	t.Parallel()
	s := open(t)
	opened := s.ok(t, call{"POST", "/v1/carts", `{}`, []string{"Authorization", "Bearer C1"}})
	var cart api.Cart
	require.NoError(t, json.Unmarshal([]byte(opened.Raw), &cart))
	s.checkout(t, cart.Id, "Authorization", "Bearer C1")
	for name, headers := range map[string][]string{"a guest": nil, "another customer": {"Authorization", "Bearer C9"}} {
		a, b := s.checked(t, get(checkoutScreen+cart.Id, headers...)), s.checked(t, get("/v1/screens/cart/"+cart.Id, headers...))
		require.Equal(t, http.StatusNotFound, a.Status, "%s: %s", name, a.Raw)
		require.Equal(t, b.Status, a.Status, name)
	}
}
