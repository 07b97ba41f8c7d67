package cache_test

import (
	"context"
	"fmt"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func Example() {
	c, err := cache.New(cache.Config{}, cache.Deps{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()

	shop := commercetest.NewShop()
	ports := c.Wrap(shop.Ports())
	market := shop.Fixture().Market
	for range 3 {
		ctx, sink := commerce.WithSink(context.Background())
		found, err := ports.Catalog.Products(ctx, market, []commerce.SKU{"MUG-RED"})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(found["MUG-RED"].Name, sink.Sources()[0].State)
	}
	fmt.Println("asked the system", shop.Calls(commerce.OpProducts), "time")
	// Output:
	// Red mug fresh
	// Red mug fresh
	// Red mug fresh
	// asked the system 1 time
}
