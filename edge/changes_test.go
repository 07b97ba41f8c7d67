package edge

import (
	"net/http"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/schema/commerce"
)

// hear waits until the process knows what others have invalidated: until then it drops
// what it holds when it hears the first time.
func hear(t *testing.T, b *Backend) {
	t.Helper()
	require.Eventually(t, func() bool {
		return decoded[cache.State](t, admin(t, b, http.MethodGet, "/cache", "")).Invalidations.Follower.Hearing
	}, 30*time.Second, time.Millisecond)
}

// An import into the PIM while the ERP is down: the names are new, and prices and stock,
// which the import did not touch, are answered still.
func TestC12_AnImportIntoThePIMTakesNoPriceOffTheShop(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	fixture := box.Fixture()
	b, url := listening(t, box, "REDIS_URL=redis://"+miniredis.RunT(t).Addr())
	require.NoError(t, box.Server.SendEvents(eventsSecret, url))
	ctx, m, sku := t.Context(), fixture.Market, fixture.Products[1]
	shown := func() (name, price string, stock int) {
		products, err := b.Ports.Catalog.Products(ctx, m, []commerce.SKU{sku})
		require.NoError(t, err)
		prices, err := b.Ports.Pricing.Prices(ctx, m, "retail", []commerce.PriceKey{{SKU: sku, Quantity: 1}})
		require.NoError(t, err)
		known, err := b.Ports.Inventory.Availability(ctx, m, []commerce.SKU{sku})
		require.NoError(t, err)
		return products[sku].Name, prices[commerce.PriceKey{SKU: sku, Quantity: 1}].Unit.Number(), known[sku].Quantity
	}
	hear(t, b)
	_, price, stock := shown()
	box.Faults(t, sandbox.Fault{System: "odoo", ErrorRate: 1, Mode: sandbox.ModeReset})
	asked := box.Calls(t)["odoo"]
	for _, name := range []string{"A new name", "And another one"} {
		require.True(t, box.Server.World.Change(string(sku), world.Change{Name: name}))
		require.Eventually(t, func() bool {
			got, samePrice, sameStock := shown()
			assert.Equal(t, price, samePrice)
			assert.Equal(t, stock, sameStock)
			return got == name
		}, 30*time.Second, 5*time.Millisecond)
	}
	assert.Equal(t, asked, box.Calls(t)["odoo"], "nothing of the ERP was dropped")
}

// What prices are computed from is dropped with them: the next price on this process is
// made of the rules of now, and so is the next one on any other that heard of it.
func TestC11_ANewPriceRuleIsInTheNextPrice(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	fixture := box.Fixture()
	environ := append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development", "ADMIN_TOKEN="+adminToken,
		"REDIS_URL=redis://"+miniredis.RunT(t).Addr())
	here, _ := open(t, environ...)
	there, _ := open(t, environ...)
	sku := fixture.Products[1]
	price := func(b *Backend) string {
		key := commerce.PriceKey{SKU: sku, Quantity: 1}
		prices, err := b.Ports.Pricing.Prices(t.Context(), fixture.Market, world.Wholesale, []commerce.PriceKey{key})
		require.NoError(t, err)
		return prices[key].Unit.Number()
	}
	wanted := func() string {
		w := box.Server.World
		amount, ok := w.UnitPrice(w.BySKU(string(sku)).ID, world.Wholesale, fixture.Market.Currency, 1)
		require.True(t, ok)
		return amount.Number()
	}
	hear(t, here)
	hear(t, there)
	require.Equal(t, wanted(), price(here))
	require.Equal(t, wanted(), price(there))
	for i, body := range []string{
		`{"tags":["op:pricing.prices"]}`, `{"tags":["price:` + string(sku) + `"]}`, `{"tags":["sku:` + string(sku) + `"]}`,
		`{"tags":["system:odoo"]}`, `{"tags":["all"]}`, `{"keys":[{"operation":"pricing.prices","key":"` + string(sku) + `"}]}`,
	} {
		before := price(here)
		require.True(t, box.Server.World.Discount(world.Wholesale, 20+i))
		require.NotEqual(t, before, wanted())
		require.Equal(t, before, price(here), "nobody has told yet")
		invalidated(t, here, body)
		assert.Equal(t, wanted(), price(here), body)
		require.Eventually(t, func() bool { return price(there) == wanted() }, 30*time.Second, time.Millisecond, body)
	}
}

// A rule that changes in the ERP is in the prices of all processes as soon as its event is.
func TestC12_ARuleChangedInTheERPReachesEveryProcess(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	fixture := box.Fixture()
	redis := "REDIS_URL=redis://" + miniredis.RunT(t).Addr()
	here, url := listening(t, box, redis)
	there, _ := open(t, append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development", redis)...)
	require.NoError(t, box.Server.SendEvents(eventsSecret, url))
	key := commerce.PriceKey{SKU: fixture.Products[1], Quantity: 1}
	price := func(b *Backend) string {
		prices, err := b.Ports.Pricing.Prices(t.Context(), fixture.Market, world.Wholesale, []commerce.PriceKey{key})
		require.NoError(t, err)
		return prices[key].Unit.Number()
	}
	hear(t, here)
	hear(t, there)
	was := price(here)
	require.Equal(t, was, price(there))
	for i := range 3 {
		require.True(t, box.Server.World.Discount(world.Wholesale, 30+i))
		begun := time.Now()
		w := box.Server.World
		now, ok := w.UnitPrice(w.BySKU(string(key.SKU)).ID, world.Wholesale, fixture.Market.Currency, 1)
		require.True(t, ok)
		require.Eventually(t, func() bool { return price(here) == now.Number() && price(there) == now.Number() }, 30*time.Second, time.Millisecond)
		t.Logf("both processes after %v", time.Since(begun))
	}
}
