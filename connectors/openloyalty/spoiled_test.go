package openloyalty_test

import (
	"context"
	"testing"

	"github.com/portico-bff/portico/connectors/openloyalty"
	dialect "github.com/portico-bff/portico/connectors/sandbox/openloyalty"
	"github.com/portico-bff/portico/connectors/sandbox/spoiltest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// TestN16_NoSpoiledAnswerIsTaken gives every call of every operation each answer that does not fit.
func TestN16_NoSpoiledAnswerIsTaken(t *testing.T) {
	t.Parallel()
	spoiltest.Run(t, spoiltest.Connector{
		System: "openloyalty", Name: dialect.Operation,
		Connect: func(base string, deps transport.Deps) (commerce.Ports, error) {
			return openloyalty.New(openloyalty.Config{
				Config: transport.Config{BaseURL: base, AllowPrivate: true, MaxAttempts: 1, NoHedge: true}, APIKey: "sandbox-loyalty-key",
			}, deps)
		},
		Operations: map[commerce.Operation]spoiltest.Operation{
			commerce.OpCustomer: func(_ testing.TB, _ commerce.Ports, f commercetest.Fixture) func(context.Context, commerce.Ports) error {
				return func(ctx context.Context, p commerce.Ports) error {
					_, err := p.Customers.Customer(ctx, f.Customer)
					return err
				}
			},
			commerce.OpLoyalty: func(_ testing.TB, _ commerce.Ports, f commercetest.Fixture) func(context.Context, commerce.Ports) error {
				return func(ctx context.Context, p commerce.Ports) error {
					_, err := p.Loyalty.Loyalty(ctx, f.Customer)
					return err
				}
			},
		},
		Inside: map[string]string{
			"an error":         `{"error":{"code":500,"message":"` + spoiltest.Canary + `"}}`,
			"a refused key":    `{"code":401,"message":"` + spoiltest.Canary + `"}`,
			"form errors":      `{"form":{"children":[]},"errors":["` + spoiltest.Canary + `"]}`,
			"another customer": `{"customerId":"00000000-0000-474c-b092-b0dd880c07e2","email":"joe@example.test","points":1}`,
		},
	})
}
