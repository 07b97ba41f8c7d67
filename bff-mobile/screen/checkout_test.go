package screen

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Where to send the cart is known later than what is in it: the ways there are waited for.
func TestCheckoutWaitsForTheAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shop, s, v := open(t)
		shop.Hold(commerce.OpCustomer, func(context.Context) { time.Sleep(time.Second) })
		shown, err := s.Checkout(t.Context(), v, someCart)
		require.NoError(t, err)
		require.Empty(t, shown.Degraded)
		require.NotEmpty(t, shown.Addresses)
		require.NotEmpty(t, shown.ShippingOptions)
	})
}
