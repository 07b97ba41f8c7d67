package pimcore_test

import (
	"context"
	"testing"

	"github.com/portico-bff/portico/connectors/pimcore"
	dialect "github.com/portico-bff/portico/connectors/sandbox/pimcore"
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
		System: "pimcore", Name: dialect.Operation,
		Connect: func(base string, deps transport.Deps) (commerce.Ports, error) {
			return pimcore.New(pimcore.Config{
				Config: transport.Config{BaseURL: base, AllowPrivate: true, MaxAttempts: 1, NoHedge: true}, APIKey: "sandbox-pimcore-key",
			}, deps)
		},
		Operations: map[commerce.Operation]spoiltest.Operation{
			commerce.OpProducts: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Catalog.Products(ctx, f.Market, f.Products)
				return err
			}),
			commerce.OpRelated: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Related.Related(ctx, f.Market, f.Products)
				return err
			}),
			commerce.OpReviews: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Reviews.Reviews(ctx, f.Market, []commerce.SKU{f.Reviewed})
				return err
			}),
			commerce.OpCategoryTree: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Categories.Tree(ctx, f.Market)
				return err
			}),
			commerce.OpPages: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Content.Pages(ctx, f.Market, []commerce.PageID{f.Page})
				return err
			}),
			commerce.OpSKUs: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Listing.SKUs(ctx, f.Market, "", commerce.MaxBatch)
				return err
			}),
			commerce.OpPageIDs: operation(func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) error {
				_, err := p.Listing.PageIDs(ctx, f.Market, "", commerce.MaxBatch)
				return err
			}),
		},
		Inside: map[string]string{
			"GraphQL errors":           `{"errors":[{"message":"` + spoiltest.Canary + `","path":["getProductListing"]}],"data":{"getProductListing":null}}`,
			"GraphQL errors, no data":  `{"errors":[{"message":"` + spoiltest.Canary + `"}]}`,
			"another root field":       `{"data":{"getAssetListing":{"edges":[]}}}`,
			"a listing without rows":   `{"data":{"getProductListing":{"totalCount":3},"getCategoryListing":{"totalCount":3},"getContentPageListing":{"totalCount":3}}}`,
			"Symfony's error, as JSON": `{"title":"An error occurred","status":500,"detail":"` + spoiltest.Canary + `"}`,
		},
	})
}
