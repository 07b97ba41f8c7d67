package commercetest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Catalog is the contract of [commerce.Catalog].
func Catalog(t *testing.T, port commerce.Catalog, f Fixture) {
	t.Run("answers are joined by key", func(t *testing.T) {
		asked := append([]commerce.SKU{f.Unknown}, f.Products...)
		got, err := port.Products(t.Context(), f.Market, asked)
		require.NoError(t, err)
		require.Len(t, got, len(f.Products), "a product that nobody knows is absent, not an error")
		for _, sku := range f.Products {
			require.Contains(t, got, sku)
			assert.Equal(t, sku, got[sku].SKU)
			assert.NotEmpty(t, got[sku].Name)
		}
	})
	t.Run("duplicates are one key", func(t *testing.T) {
		sku := f.Products[0]
		got, err := port.Products(t.Context(), f.Market, []commerce.SKU{sku, sku})
		require.NoError(t, err)
		require.Len(t, got, 1)
	})
	t.Run("nothing asked, nothing answered", func(t *testing.T) {
		got, err := port.Products(t.Context(), f.Market, nil)
		require.NoError(t, err)
		require.Empty(t, got)
	})
	t.Run("images have an address for any width", func(t *testing.T) {
		got, err := port.Products(t.Context(), f.Market, f.Products[:1])
		require.NoError(t, err)
		for _, image := range got[f.Products[0]].Images {
			assert.NotEmpty(t, image.URL(0))
			assert.NotEmpty(t, image.URL(1))
			assert.NotEmpty(t, image.URL(100_000))
		}
	})
	t.Run("variants name the product itself and its options", func(t *testing.T) {
		got, err := port.Products(t.Context(), f.Market, []commerce.SKU{f.Varied})
		require.NoError(t, err)
		variants := got[f.Varied].Variants
		require.Greater(t, len(variants), 1)
		var self bool
		for _, v := range variants {
			self = self || v.SKU == f.Varied
			assert.NotEmpty(t, v.Options, "variant %s", v.SKU)
		}
		assert.True(t, self)
	})
	t.Run("texts follow the locale", func(t *testing.T) {
		here, err := port.Products(t.Context(), f.Market, f.Products)
		require.NoError(t, err)
		there, err := port.Products(t.Context(), f.Other, f.Products)
		require.NoError(t, err)
		var differ bool
		for _, sku := range f.Products {
			differ = differ || here[sku].Description != there[sku].Description || here[sku].Name != there[sku].Name
		}
		assert.True(t, differ)
	})
	canceled(t, func(t *testing.T) error {
		_, err := port.Products(dead(t), f.Market, f.Products)
		return err
	})
}

// Related is the contract of [commerce.Related] beside a catalogue of the same products.
func Related(t *testing.T, port commerce.Related, catalog commerce.Catalog, f Fixture) {
	got, err := port.Related(t.Context(), f.Market, []commerce.SKU{f.Unknown, f.Paired})
	require.NoError(t, err)
	assert.NotContains(t, got, f.Unknown)
	require.NotEmpty(t, got[f.Paired])
	skus := make([]commerce.SKU, len(got[f.Paired]))
	for i, other := range got[f.Paired] {
		skus[i] = other.SKU
	}
	assert.NotContains(t, skus, f.Paired, "nothing goes with itself")
	t.Run("cards are what the catalogue says", func(t *testing.T) {
		for _, m := range []commerce.Market{f.Market, f.Other} {
			got, err := port.Related(t.Context(), m, []commerce.SKU{f.Paired})
			require.NoError(t, err)
			products, err := catalog.Products(t.Context(), m, skus)
			require.NoError(t, err)
			require.Len(t, products, len(skus), "each once, and none that is not published")
			for _, card := range got[f.Paired] {
				p := products[card.SKU]
				require.NotNil(t, p, card.SKU)
				want := commerce.RelatedProduct{SKU: p.SKU, Name: p.Name, Brand: p.Brand}
				if len(p.Images) > 0 {
					want.Image = &p.Images[0]
				}
				assert.Equal(t, want, card)
			}
		}
	})
	canceled(t, func(t *testing.T) error {
		_, err := port.Related(dead(t), f.Market, f.Products)
		return err
	})
}

// Recommendations is the contract of [commerce.Recommendations].
func Recommendations(t *testing.T, port commerce.Recommendations, f Fixture) {
	shopper := commerce.Shopper{Market: f.Market}
	got, err := port.Recommend(t.Context(), shopper, f.Products[:1], 2)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(got), 2)
	assert.NotContains(t, got, f.Products[0], "a seed is not recommended")
}

// Categories is the contract of [commerce.Categories].
func Categories(t *testing.T, port commerce.Categories, f Fixture) {
	tree, err := port.Tree(t.Context(), f.Market)
	require.NoError(t, err)
	require.NotEmpty(t, tree.Roots)
	node := tree.Category(f.Category)
	require.NotNil(t, node)
	path := tree.Path(f.Category)
	require.Greater(t, len(path), 1, "the fixture's category is not a root")
	assert.Same(t, node, path[len(path)-1])
	assert.Empty(t, path[0].Parent)
	for i := 1; i < len(path); i++ {
		assert.Equal(t, path[i-1].ID, path[i].Parent)
		assert.Contains(t, path[i-1].Children, path[i])
	}
	assert.NotEmpty(t, node.Name)
	assert.Nil(t, tree.Category("no-such-category"))
	canceled(t, func(t *testing.T) error {
		_, err := port.Tree(dead(t), f.Market)
		return err
	})
}

// Content is the contract of [commerce.Content].
func Content(t *testing.T, port commerce.Content, f Fixture) {
	got, err := port.Pages(t.Context(), f.Market, []commerce.PageID{f.Page, "no-such-page"})
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, f.Page, got[f.Page].ID)
	assert.NotEmpty(t, got[f.Page].Title)
	assert.NotEmpty(t, got[f.Page].Body)
}

// Reviews is the contract of [commerce.Reviews].
func Reviews(t *testing.T, port commerce.Reviews, f Fixture) {
	got, err := port.Reviews(t.Context(), f.Market, []commerce.SKU{f.Reviewed, f.Unreviewed, f.Unknown})
	require.NoError(t, err)
	require.Len(t, got, 2)
	none := got[f.Unreviewed]
	assert.Equal(t, f.Unreviewed, none.SKU)
	assert.Zero(t, none.Count)
	assert.Empty(t, none.Reviews)
	some := got[f.Reviewed]
	require.Positive(t, some.Count)
	assert.InDelta(t, 3, some.Average, 2, "the average is between 1 and 5")
	counted, stars := 0, 0
	for i, n := range some.Ratings {
		counted, stars = counted+n, stars+n*(i+1)
	}
	assert.Equal(t, some.Count, counted, "every review gave some number of stars")
	assert.InDelta(t, some.Average, float64(stars)/float64(some.Count), 0.006, "the average is that of the ratings")
	assert.Zero(t, none.Ratings)
	require.NotEmpty(t, some.Reviews)
	assert.LessOrEqual(t, len(some.Reviews), commerce.MaxReviews)
	for i, r := range some.Reviews {
		assert.NotEmpty(t, r.ID)
		assert.InDelta(t, 3, r.Rating, 2)
		assert.NotContains(t, r.Author, "@", "an author's e-mail address is nobody's business")
		if i > 0 {
			assert.False(t, r.CreatedAt.After(some.Reviews[i-1].CreatedAt), "newest first")
		}
	}
}

// kindOf fails the test unless err is of kind.
func kindOf(t *testing.T, err, kind error) {
	t.Helper()
	require.ErrorIs(t, err, kind)
}

// fieldOf fails the test unless err is an InputError on field.
func fieldOf(t *testing.T, err error, field string) *commerce.InputError {
	t.Helper()
	input, ok := errors.AsType[*commerce.InputError](err)
	require.True(t, ok, "want an InputError on %q, got: %v", field, err)
	require.Equal(t, field, input.Field)
	return input
}
