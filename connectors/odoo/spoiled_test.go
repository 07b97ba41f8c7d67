package odoo_test

import (
	"context"
	"testing"

	"github.com/portico-bff/portico/connectors/odoo"
	dialect "github.com/portico-bff/portico/connectors/sandbox/odoo"
	"github.com/portico-bff/portico/connectors/sandbox/spoiltest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// TestN16_NoSpoiledAnswerIsTaken gives every call of every operation each answer that does not fit.
func TestN16_NoSpoiledAnswerIsTaken(t *testing.T) {
	t.Parallel()
	operation := func(call func(context.Context, commerce.Ports, commercetest.Fixture) error) spoiltest.Operation {
		return func(_ testing.TB, _ commerce.Ports, f commercetest.Fixture) func(context.Context, commerce.Ports) error {
			return func(ctx context.Context, p commerce.Ports) error { return call(ctx, p, f) }
		}
	}
	spoiltest.Run(t, spoiltest.Connector{
		System: "odoo", Name: dialect.Operation,
		Connect: func(base string, deps transport.Deps) (commerce.Ports, error) {
			return odoo.New(odoo.Config{
				Config: transport.Config{BaseURL: base, AllowPrivate: true, MaxAttempts: 1, NoHedge: true}, APIKey: "sandbox-odoo-key",
			}, deps)
		},
		Operations: map[commerce.Operation]spoiltest.Operation{
			commerce.OpPrices: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Pricing.Prices(ctx, f.Market, f.Group, []commerce.PriceKey{{SKU: f.Products[0], Quantity: 1}})
				return err
			}),
			commerce.OpAvailability: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Inventory.Availability(ctx, f.Market, f.Products)
				return err
			}),
			commerce.OpOrders: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.OrderHistory.Orders(ctx, f.Customer, commerce.Cursor{First: 5})
				return err
			}),
			commerce.OpOrder: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.OrderHistory.Order(ctx, f.Customer, f.Order)
				return err
			}),
			commerce.OpGuestOrder: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.OrderHistory.GuestOrder(ctx, f.Order)
				return err
			}),
			commerce.OpInvoices: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Invoices.Invoices(ctx, f.Customer, commerce.Cursor{First: 5})
				return err
			}),
		},
		Inside: map[string]string{
			"a fault":                  `{"name":"odoo.exceptions.AccessError","message":"` + spoiltest.Canary + `","arguments":[],"debug":"Traceback"}`,
			"a fault of the older API": `{"jsonrpc":"2.0","id":null,"error":{"code":200,"message":"` + spoiltest.Canary + `"}}`,
			"a result in an envelope":  `{"jsonrpc":"2.0","id":null,"result":[]}`,
		},
		// Without its own name a place goes by the one that the stock names it by.
		Spared: func(_ commerce.Operation, call string) bool { return call == "stock.location.search_read" },
	})
}
