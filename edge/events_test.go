package edge

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/schema/commerce"
)

const eventsSecret = "a secret of the change events"

// serveEvents runs the backend's events until the test ends, before the backend is closed.
func serveEvents(t *testing.T, b *Backend) (url string) {
	t.Helper()
	require.NoError(t, b.Events.Listen(t.Context()))
	var work sync.WaitGroup
	work.Go(func() { assert.NoError(t, b.Events.Serve(context.WithoutCancel(t.Context()))) })
	t.Cleanup(func() {
		assert.NoError(t, b.Events.Close())
		work.Wait()
	})
	return "http://" + b.Events.Addr() + "/events"
}

// listening opens a backend over the sandbox that takes its events.
func listening(t *testing.T, box *sandboxtest.Sandbox, environ ...string) (*Backend, string) {
	t.Helper()
	b, _ := open(t, append(append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development",
		"EVENTS_ADDR=127.0.0.1:0", "EVENTS_SECRET="+eventsSecret), environ...)...)
	return b, serveEvents(t, b)
}

// An order that one process placed is seen in the stock that another one had kept: the systems told it.
func TestEventsAnOrderElsewhereChangesTheStockThatIsShown(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	fixture := box.Fixture()
	shop, _ := open(t, append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development")...)
	other, url := listening(t, box)
	require.NoError(t, box.Server.SendEvents(eventsSecret, url))
	stock := func() int {
		known, err := other.Ports.Inventory.Availability(t.Context(), fixture.Market, fixture.Products[:1])
		require.NoError(t, err)
		return known[fixture.Products[0]].Quantity
	}
	var took time.Duration
	for range 5 { // a busy machine makes some of them late
		before := stock()
		require.Equal(t, before, stock())
		_, err := shop.Orders.Place(t.Context(), guestCart(t, shop, fixture))
		require.NoError(t, err)
		placed := time.Now()
		require.Eventually(t, func() bool { return stock() == before-2 }, 30*time.Second, 5*time.Millisecond)
		if took = time.Since(placed); took < time.Second {
			break
		}
	}
	assert.Less(t, took, time.Second)
}

// One process takes the events; all drop what changed. What the search finds, the cart costs and the product shows agree.
func TestEventsReachEveryProcessThroughRedis(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	fixture := box.Fixture()
	redis := "REDIS_URL=redis://" + miniredis.RunT(t).Addr()
	_, url := listening(t, box, redis)
	other, _ := open(t, append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development", redis)...)
	require.NoError(t, box.Server.SendEvents(eventsSecret, url))
	sku := fixture.Products[1]
	ctx, m := t.Context(), fixture.Market
	name := func() string {
		products, err := other.Ports.Catalog.Products(ctx, m, []commerce.SKU{sku})
		require.NoError(t, err)
		return products[sku].Name
	}
	price := func() string {
		key := commerce.PriceKey{SKU: sku, Quantity: 1}
		prices, err := other.Ports.Pricing.Prices(ctx, m, "retail", []commerce.PriceKey{key})
		require.NoError(t, err)
		return prices[key].Unit.Number()
	}
	found := func() bool {
		result, err := other.Ports.Search.Search(ctx, m, commerce.SearchQuery{Text: "zyzzyva", First: 5})
		require.NoError(t, err)
		return len(result.SKUs) == 1 && result.SKUs[0] == sku
	}
	require.NotEqual(t, "Zyzzyva", name())
	was := price()
	require.False(t, found())

	cheaper, err := commerce.NewMoney("50.00", "USD")
	require.NoError(t, err)
	require.True(t, box.Server.World.Change(string(sku), world.Change{Name: "Zyzzyva", Price: &cheaper}))
	require.Eventually(t, func() bool { return name() == "Zyzzyva" && price() != was && found() }, 30*time.Second, 5*time.Millisecond)

	guest := commerce.Shopper{Market: m, Principal: commerce.Principal{Tenant: "default"}}
	cart, err := other.Ports.Carts.Create(ctx, guest)
	require.NoError(t, err)
	cart, err = other.Ports.CartLines.AddLine(ctx, guest, cart.ID, sku, 1)
	require.NoError(t, err)
	assert.Equal(t, price(), cart.Lines[0].Unit.Number(), "the checkout asks the same world")
}

func TestEventsSettingsAreChecked(t *testing.T) {
	t.Parallel()
	box := []string{
		"PORTICO_MODE=development", "CHECKOUT_KIND=magento", "CHECKOUT_BASE_URL=http://127.0.0.1:1", "CHECKOUT_ALLOW_PRIVATE=true",
		"CHECKOUT_CONSUMER_KEY=a", "CHECKOUT_CONSUMER_SECRET=b", "CHECKOUT_TOKEN=c", "CHECKOUT_TOKEN_SECRET=d",
	}
	for want, environ := range map[string][]string{
		"EVENTS_SECRET is required with EVENTS_ADDR":     {"EVENTS_ADDR=:1"},
		"EVENTS_SECRET must hold secrets of at least":    {"EVENTS_ADDR=:1", "EVENTS_SECRET=canary"},
		"EVENTS_ADDR must be host:port":                  {"EVENTS_ADDR=1", "EVENTS_SECRET=" + eventsSecret},
		"EVENTS_SOURCES names a role that has no system": {"EVENTS_SOURCES=urn:x=pim"},
	} {
		_, err := Load(append(box, environ...))
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "canary")
	}
	cfg, err := Load(append(box, "EVENTS_SOURCES=urn:uuid:1=checkout,commerce=CHECKOUT", "EVENTS_SECRET="+eventsSecret+","+eventsSecret+"2"))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"urn:uuid:1": "checkout", "commerce": "CHECKOUT"}, cfg.Events.Sources)
	assert.Len(t, cfg.Events.Secrets, 2)
	assert.False(t, cfg.Events.On())
	known := cfg.Systems.mappers()
	assert.Equal(t, "magento", known["checkout"].Kind)
	assert.Equal(t, "magento", known["carts"].Kind, "a port's name works, too")
	assert.NotNil(t, known["checkout"].Changes)
	assert.NotContains(t, known, "pim")
}
