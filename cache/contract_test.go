package cache

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// Every port keeps its contract behind the cache, with memory alone and with Redis.
func TestContracts(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{"memory": {}, "redis": {RedisURL: urlOf(newRedis(t))}, "dead redis": {RedisURL: "redis://127.0.0.1:1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := commercetest.NewShop()
			f := shop.Fixture()
			c := newCache(t, cfg)
			for range 2 { // the second round is answered from the cache
				p := c.Wrap(shop.Ports())
				commercetest.Catalog(t, p.Catalog, f)
				commercetest.Related(t, p.Related, p.Catalog, f)
				commercetest.Categories(t, p.Categories, f)
				commercetest.Content(t, p.Content, f)
				commercetest.Listing(t, p, f)
				commercetest.Reviews(t, p.Reviews, f)
				commercetest.Search(t, p.Search, f)
				commercetest.Pricing(t, p.Pricing, f)
				commercetest.Inventory(t, p.Inventory, f)
				commercetest.OrderHistory(t, p.OrderHistory, f)
				commercetest.Invoices(t, p.Invoices, f)
				commercetest.Customers(t, p.Customers, f)
				commercetest.Loyalty(t, p.Loyalty, f)
			}
			commercetest.Carts(t, c.Wrap(shop.Ports()), f)
		})
	}
}

func TestWrapLeavesWhatIsNotOfferedAlone(t *testing.T) {
	t.Parallel()
	c := newCache(t, realTime)
	assert.Equal(t, commerce.Ports{}, c.Wrap(commerce.Ports{}))
	ports := commercetest.NewShop().Ports()
	wrapped := c.Wrap(ports)
	assert.Equal(t, ports.PlacedOrders, wrapped.PlacedOrders)
	assert.Equal(t, ports.Traits, wrapped.Traits)
}

// A listing that was begun before something was published must not be anybody's who asks afterwards.
func TestListingsAreNeitherKeptNorShared(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	ports, m := newCache(t, realTime).Wrap(shop.Ports()), shop.Fixture().Market
	const callers = 2
	arrived := make(chan struct{}, callers)
	together := make(chan struct{})
	wait := func(context.Context) { arrived <- struct{}{}; <-together }
	shop.Hold(commerce.OpSKUs, wait)
	shop.Hold(commerce.OpPageIDs, wait)
	var calls sync.WaitGroup
	for range callers {
		calls.Go(func() {
			_, err := ports.Listing.SKUs(t.Context(), m, "", 1)
			assert.NoError(t, err)
		})
	}
	for range callers {
		<-arrived // both are there at a time
	}
	close(together)
	calls.Wait()
	for range callers {
		_, err := ports.Listing.PageIDs(t.Context(), m, "", 1)
		require.NoError(t, err)
	}
	assert.Equal(t, callers, shop.Calls(commerce.OpSKUs))
	assert.Equal(t, callers, shop.Calls(commerce.OpPageIDs))
}
