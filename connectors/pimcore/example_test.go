package pimcore_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/portico-bff/portico/connectors/pimcore"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

func Example() {
	server, err := sandbox.New(sandbox.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	web := httptest.NewServer(server.Handler())
	defer web.Close()

	ports, err := pimcore.New(pimcore.Config{
		Config: transport.Config{BaseURL: web.URL + "/pimcore", AllowPrivate: true}, // loopback: not in production
		APIKey: "sandbox-pimcore-key",
	}, transport.Deps{})
	if err != nil {
		fmt.Println(err)
		return
	}
	market := commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}
	products, err := ports.Catalog.Products(context.Background(), market, []commerce.SKU{"HL-U509-R", "NO-SUCH-SKU"})
	fmt.Println(len(products), products["HL-U509-R"].Name, err)
	// Output: 1 Sport-100 Helmet, Red <nil>
}
