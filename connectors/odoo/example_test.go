package odoo_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/portico-bff/portico/connectors/odoo"
	imitated "github.com/portico-bff/portico/connectors/sandbox/odoo"
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
	server := httptest.NewServer(imitated.New(w, imitated.Options{}))
	defer server.Close()

	ports, err := odoo.New(odoo.Config{
		Config: transport.Config{BaseURL: server.URL, AllowPrivate: true}, // the test's server is on the loopback
		APIKey: imitated.DefaultAPIKey,
	}, transport.Deps{})
	if err != nil {
		fmt.Println(err)
		return
	}
	market := commerce.Market{Channel: "eu", Locale: "de", Currency: "EUR", Country: "DE"}
	helmets := commerce.PriceKey{SKU: "HL-U509-R", Quantity: 25}
	prices, err := ports.Pricing.Prices(context.Background(), market, "wholesale", []commerce.PriceKey{helmets})
	if err != nil {
		fmt.Println(err)
		return
	}
	price := prices[helmets]
	fmt.Println("one of 25:", price.Unit, "recommended:", price.List)
	for _, tier := range price.Tiers {
		fmt.Println("from", tier.MinQuantity, "on:", tier.Unit)
	}
	// Output:
	// one of 25: 24.14 EUR recommended: 32.19 EUR
	// from 11 on: 26.72 EUR
	// from 15 on: 25.75 EUR
	// from 25 on: 24.14 EUR
	// from 41 on: 22.53 EUR
	// from 61 on: 20.92 EUR
}
