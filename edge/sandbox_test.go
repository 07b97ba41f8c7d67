package edge

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestTheWholeStackOnTheSandbox(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	b, log := open(t, append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development")...)
	fixture := box.Fixture()

	m, err := b.Markets.Resolve(market.Hints{Channel: "eu"})
	require.NoError(t, err)
	p, err := b.Identity.Verify(t.Context(), "Bearer "+box.Token(t, fixture.Customer.Subject))
	require.NoError(t, err)
	assert.Equal(t, fixture.Customer.Subject, p.Subject)
	assert.True(t, p.EmailVerified)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	products, err := b.Ports.Catalog.Products(ctx, m, fixture.Products)
	require.NoError(t, err)
	assert.Len(t, products, len(fixture.Products))
	prices, err := b.Ports.Pricing.Prices(ctx, m, b.Markets.PriceGroup(m, p), []commerce.PriceKey{{SKU: fixture.Products[0], Quantity: 1}})
	require.NoError(t, err)
	assert.Len(t, prices, 1)
	page, err := b.Orders.Orders(ctx, p, commerce.Cursor{First: 5})
	require.NoError(t, err)
	assert.NotEmpty(t, page.Orders)

	found, err := b.Ports.Search.Search(ctx, m, commerce.SearchQuery{Text: fixture.Text, First: 5})
	require.NoError(t, err)
	assert.NotEmpty(t, found.SKUs)
	customer, err := b.Ports.Customers.Customer(ctx, p)
	require.NoError(t, err)
	assert.Equal(t, p.Email, customer.Email)

	_, err = b.Ports.Catalog.Products(ctx, m, fixture.Products)
	require.NoError(t, err)
	assert.Equal(t, 1, box.Calls(t)["pimcore"]["products"], "the second read came from the cache")
	assert.Equal(t, 1, strings.Count(log.String(), `"configuration"`))
	assert.NotContains(t, log.String(), "roles without a system")
	assert.NotContains(t, log.String(), p.Email)
	for _, secret := range []string{"sandbox-loyalty-key", "sandbox-pimcore-key", "sandbox-odoo-key", "sandbox-consumer", "sandbox-token", "c2FuZGJveDpzZWNyZXQ="} {
		assert.NotContains(t, log.String(), secret)
	}
}

// guestCart is a guest's cart on the sandbox, ready to be placed.
func guestCart(t *testing.T, b *Backend, fixture commercetest.Fixture) ordering.Request {
	t.Helper()
	ctx := t.Context()
	guest := commerce.Shopper{Market: fixture.Market, Principal: commerce.Principal{Tenant: "default"}}
	cart, err := b.Ports.Carts.Create(ctx, guest)
	require.NoError(t, err)
	_, err = b.Ports.CartLines.AddLine(ctx, guest, cart.ID, fixture.Products[0], 2)
	require.NoError(t, err)
	options, err := b.Ports.CheckoutOptions.ShippingOptions(ctx, guest, cart.ID, fixture.Address)
	require.NoError(t, err)
	_, err = b.Ports.CheckoutOptions.SetShipping(ctx, guest, cart.ID, commerce.ShippingChoice{
		Email: fixture.Email, Shipping: fixture.Address, Code: options[0].Code,
	})
	require.NoError(t, err)
	return ordering.Request{Shopper: guest, Cart: cart.ID, PaymentMethod: fixture.Payment}
}

func TestAnOrderOnTheSandbox(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	b, _ := open(t, append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development")...)
	fixture := box.Fixture()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stock := func() int {
		known, err := b.Ports.Inventory.Availability(ctx, fixture.Market, fixture.Products[:1])
		require.NoError(t, err)
		return known[fixture.Products[0]].Quantity
	}
	before := stock()
	request := guestCart(t, b, fixture)
	placed, err := b.Orders.Place(ctx, request)
	require.NoError(t, err)
	assert.Equal(t, before-2, stock(), "the cache forgot what it knew of the stock")

	guest := request.Shopper.Principal
	order, err := b.Orders.Order(ctx, guest, placed.Number, placed.OrderToken)
	require.NoError(t, err)
	assert.True(t, order.PendingSync, "the ERP learns of it a few seconds later")
	_, err = b.Orders.Order(ctx, guest, placed.Number, "")
	require.ErrorIs(t, err, commerce.ErrNotFound)
	_, err = b.Orders.Place(ctx, request)
	require.ErrorIs(t, err, commerce.ErrConflict)
}

// paying is the call that places a guest's order, as the sandbox names it.
const paying = "POST /V1/guest-carts/{id}/payment-information"

func TestK4_AnswersLostOnTheWireAreOneOrder(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{sandbox.ModeTruncate, sandbox.ModeGarbage, sandbox.ModeReset, sandbox.ModeStatus, sandbox.ModeHang} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			box := sandboxtest.Start(t)
			b, _ := open(t, append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development",
				"REQUEST_TIMEOUT=5s", "ORDER_SETTLE_TIME=0s")...)
			request := guestCart(t, b, box.Fixture())
			placedBefore := len(box.Server.World.Orders())
			box.Faults(t, sandbox.Fault{System: "magento", Operation: paying, ErrorRate: 1, Mode: mode})
			placed, err := b.Orders.Place(t.Context(), request)
			if err != nil { // the order did not come to be, and nobody can be sure
				require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
				box.ClearFaults(t)
				placed, err = b.Orders.Place(t.Context(), request)
				require.NoError(t, err)
			}
			orders := box.Server.World.Orders()
			require.Len(t, orders, placedBefore+1)
			assert.Equal(t, orders[placedBefore].Number, string(placed.Number))
		})
	}
}
