package magento_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/portico-bff/portico/connectors/magento"
	dialect "github.com/portico-bff/portico/connectors/sandbox/magento"
	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

func ExampleNew() {
	w, err := world.Load()
	if err != nil {
		fmt.Println(err)
		return
	}
	shop := httptest.NewServer(dialect.New(w, dialect.Options{}))
	defer shop.Close()

	ports, err := magento.New(magento.Config{
		Config:      transport.Config{BaseURL: shop.URL, AllowPrivate: true},
		ConsumerKey: "sandbox-consumer", ConsumerSecret: "sandbox-consumer-secret",
		Token: "sandbox-token", TokenSecret: "sandbox-token-secret",
	}, transport.Deps{})
	if err != nil {
		fmt.Println(err)
		return
	}
	guest := commerce.Shopper{Market: commerce.Market{Currency: "USD"}}
	cart, err := ports.Carts.Create(context.Background(), guest)
	if err != nil {
		fmt.Println(err)
		return
	}
	cart, err = ports.CartLines.AddLine(context.Background(), guest, cart.ID, "HL-U509-R", 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cart.ID, cart.Lines[0].Quantity, cart.Lines[0].Name, cart.Totals.Total)
	// Output: g_… 2 Sport-100 Helmet, Red 69.98 USD
}
