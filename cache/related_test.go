package cache

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// relatedFunc says what goes with each product.
type relatedFunc func() []commerce.RelatedProduct

func (f relatedFunc) Related(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	cards, found := f(), map[commerce.SKU][]commerce.RelatedProduct{}
	for _, sku := range skus {
		found[sku] = cards
	}
	return found, nil
}

// Cards show the names of other products: when one of those changes they are of no more use.
func TestCardsOfAProductThatChangedAreLoadedAnew(t *testing.T) {
	t.Parallel()
	name := "Lamp"
	c := newCache(t, realTime)
	ports := c.Wrap(commerce.Ports{
		Related: relatedFunc(func() []commerce.RelatedProduct {
			return []commerce.RelatedProduct{{SKU: "LAMP", Name: name}, {SKU: "BOWL"}}
		}),
		Traits: publicTraits(commerce.OpRelated),
	})
	shown := func() string {
		found, err := ports.Related.Related(t.Context(), commerce.Market{}, []commerce.SKU{"MUG"})
		require.NoError(t, err)
		require.Len(t, found["MUG"], 2)
		return found["MUG"][0].Name
	}
	require.Equal(t, "Lamp", shown())
	name = "Desk lamp"
	for _, other := range []commerce.Tag{commerce.TagProduct("VASE"), commerce.TagPrice("LAMP"), commerce.TagStock("LAMP")} {
		invalidate(t, c, other)
		require.Equal(t, "Lamp", shown(), other)
	}
	invalidate(t, c, commerce.TagProduct("LAMP"))
	assert.Equal(t, "Desk lamp", shown())
	name = "Floor lamp"
	invalidate(t, c, commerce.TagSKU("BOWL"))
	assert.Equal(t, "Floor lamp", shown())
}
