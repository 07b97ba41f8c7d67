package commercetest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Listing is the contract of [commerce.Listing] beside the ports that describe what it names.
func Listing(t *testing.T, p commerce.Ports, f Fixture) {
	skus := func(after commerce.SKU, first int) ([]commerce.SKU, error) {
		return p.Listing.SKUs(t.Context(), f.Market, after, first)
	}
	pages := func(after commerce.PageID, first int) ([]commerce.PageID, error) {
		return p.Listing.PageIDs(t.Context(), f.Market, after, first)
	}
	t.Run("names every published product once", func(t *testing.T) {
		all := walked(t, skus, commerce.MaxBatch)
		assert.Subset(t, all, f.Products)
		assert.Contains(t, all, f.SoldOut, "what is sold out is published")
		assert.NotContains(t, all, f.Unknown)
		assert.Equal(t, all, walked(t, skus, 7), "parts of any size make the same whole")
		for batch := range slices.Chunk(all, commerce.MaxBatch) {
			products, err := p.Catalog.Products(t.Context(), f.Market, batch)
			require.NoError(t, err)
			assert.Len(t, products, len(batch), "what is listed is described")
		}
	})
	t.Run("names every published page once", func(t *testing.T) {
		all := walked(t, pages, commerce.MaxBatch)
		assert.Contains(t, all, f.Page)
		assert.Equal(t, all, walked(t, pages, 1))
		described, err := p.Content.Pages(t.Context(), f.Market, all)
		require.NoError(t, err)
		assert.Len(t, described, len(all))
	})
	t.Run("goes on behind what is not there any more", func(t *testing.T) {
		got, err := skus(f.Unknown, commerce.MaxBatch)
		require.NoError(t, err)
		assert.NotContains(t, got, f.Unknown)
	})
	t.Run("bounds its parts", func(t *testing.T) {
		for _, first := range []int{-1, 0, commerce.MaxBatch + 1} {
			_, err := skus("", first)
			_ = fieldOf(t, err, "first")
			_, err = pages("", first)
			_ = fieldOf(t, err, "first")
		}
	})
	canceled(t, func(t *testing.T) error {
		_, err := p.Listing.SKUs(dead(t), f.Market, "", 1)
		return err
	})
}

// walked is everything, asked for part by part.
func walked[K comparable](t *testing.T, part func(after K, first int) ([]K, error), first int) []K {
	t.Helper()
	var all []K
	var after K
	for {
		got, err := part(after, first)
		require.NoError(t, err)
		require.LessOrEqual(t, len(got), first)
		if len(got) == 0 {
			return all
		}
		for _, key := range got {
			require.NotContains(t, all, key, "each once")
			all = append(all, key)
		}
		after = all[len(all)-1]
	}
}
