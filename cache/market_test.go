package cache

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// Each public answer with the fields of a market that it depends on, written down apart from
// the table of policies: two callers who differ in one of them are never given one answer.
var dependsOn = map[commerce.Operation]string{
	commerce.OpProducts:     "channel locale country",
	commerce.OpRelated:      "channel locale country",
	commerce.OpCategoryTree: "channel locale country",
	commerce.OpPages:        "channel locale country",
	commerce.OpReviews:      "channel locale country",
	commerce.OpAvailability: "channel locale country",
	commerce.OpSearch:       "channel locale currency country",
	commerce.OpPrices:       "channel locale currency country group",
}

func TestC18_MarketsAndGroupsNeverMeet(t *testing.T) {
	t.Parallel()
	const group = commerce.PriceGroup("retail")
	for op, fields := range dependsOn {
		for field, change := range map[string]func(*commerce.Market, *commerce.PriceGroup){
			"channel":  func(m *commerce.Market, _ *commerce.PriceGroup) { m.Channel = "other" },
			"locale":   func(m *commerce.Market, _ *commerce.PriceGroup) { m.Locale = "fr" },
			"currency": func(m *commerce.Market, _ *commerce.PriceGroup) { m.Currency = "EUR" },
			"country":  func(m *commerce.Market, _ *commerce.PriceGroup) { m.Country = "FR" },
			"group":    func(_ *commerce.Market, g *commerce.PriceGroup) { *g = "wholesale" },
		} {
			t.Run(string(op)+" by "+field, func(t *testing.T) {
				t.Parallel()
				c, err := New(realTime, Deps{})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, c.Close()) })
				shop := commercetest.NewShop()
				ports, f := c.Wrap(shop.Ports()), shop.Fixture()
				put := asking(ports, f)[op]

				market, other := f.Market, group
				require.NoError(t, put(t.Context(), market, group))
				require.NoError(t, put(t.Context(), market, group))
				require.Equal(t, 1, shop.Calls(op), "the same caller is answered from memory")
				change(&market, &other)
				require.NoError(t, put(t.Context(), market, other))
				if slices.Contains(strings.Fields(fields), field) {
					assert.Equal(t, 2, shop.Calls(op), "another %s is another answer", field)
				}
			})
		}
	}
}

type question func(ctx context.Context, m commerce.Market, g commerce.PriceGroup) error

// asking has a call for each operation of dependsOn.
func asking(p commerce.Ports, f commercetest.Fixture) map[commerce.Operation]question {
	skus := f.Products[:1]
	return map[commerce.Operation]question{
		commerce.OpProducts:     asked(p.Catalog.Products, skus),
		commerce.OpRelated:      asked(p.Related.Related, skus),
		commerce.OpReviews:      asked(p.Reviews.Reviews, skus),
		commerce.OpAvailability: asked(p.Inventory.Availability, skus),
		commerce.OpPages:        asked(p.Content.Pages, []commerce.PageID{f.Page}),
		commerce.OpSearch:       asked(p.Search.Search, commerce.SearchQuery{First: 3}),
		commerce.OpCategoryTree: func(ctx context.Context, m commerce.Market, _ commerce.PriceGroup) error {
			_, err := p.Categories.Tree(ctx, m)
			return err
		},
		commerce.OpPrices: func(ctx context.Context, m commerce.Market, g commerce.PriceGroup) error {
			_, err := p.Pricing.Prices(ctx, m, g, []commerce.PriceKey{{SKU: skus[0], Quantity: 1}})
			return err
		},
	}
}

func asked[A, V any](port func(context.Context, commerce.Market, A) (V, error), args A) question {
	return func(ctx context.Context, m commerce.Market, _ commerce.PriceGroup) error {
		_, err := port(ctx, m, args)
		return err
	}
}
