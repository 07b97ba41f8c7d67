package openloyalty_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/portico-bff/portico/connectors/openloyalty"
	dialect "github.com/portico-bff/portico/connectors/sandbox/openloyalty"
	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

func ExampleNew() {
	w, err := world.Load()
	if err != nil {
		panic(err)
	}
	upstream := httptest.NewServer(dialect.New(w, dialect.Options{}))
	defer upstream.Close()

	ports, err := openloyalty.New(openloyalty.Config{
		Config: transport.Config{BaseURL: upstream.URL, AllowPrivate: true}, APIKey: dialect.DefaultAPIKey,
	}, transport.Deps{})
	if err != nil {
		panic(err)
	}
	who := w.Customer("AW00011000")
	account, err := ports.Loyalty.Loyalty(context.Background(), commerce.Principal{
		Tenant: "default", Subject: who.Number, Email: who.Email, EmailVerified: true,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(account.Points == who.Points, account.Level == world.Levels[who.Level].Name)
	// Output: true true
}
