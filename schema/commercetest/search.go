package commercetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Search is the contract of [commerce.Search].
func Search(t *testing.T, port commerce.Search, f Fixture) {
	search := func(t *testing.T, q commerce.SearchQuery) *commerce.SearchResult {
		t.Helper()
		got, err := port.Search(t.Context(), f.Market, q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(got.SKUs), q.First)
		require.GreaterOrEqual(t, got.Total, len(got.SKUs))
		cursorsFit(t, len(got.SKUs), got.Cursors, got.EndCursor)
		return got
	}
	t.Run("a text finds", func(t *testing.T) {
		got := search(t, commerce.SearchQuery{Text: f.Text, First: 20})
		assert.Contains(t, got.SKUs, f.Found)
	})
	t.Run("nothing found is no error", func(t *testing.T) {
		got := search(t, commerce.SearchQuery{Text: "zzqqxxyyww", First: 5})
		assert.Empty(t, got.SKUs)
		assert.Zero(t, got.Total)
		assert.False(t, got.HasNext)
		assert.Empty(t, got.EndCursor)
	})
	for _, sort := range commerce.Sorts {
		t.Run("pages of "+string(sort)+" cover everything once", func(t *testing.T) {
			pagesCover(t, func(first int, after string) *commerce.SearchResult {
				return search(t, commerce.SearchQuery{Sort: sort, First: first, After: after})
			})
		})
	}
	t.Run("one goes on behind any product of a page", func(t *testing.T) {
		page := func(first int, after string) *commerce.SearchResult {
			return search(t, commerce.SearchQuery{Sort: commerce.SortPriceDesc, First: first, After: after})
		}
		whole := page(20, "")
		for i := range len(whole.SKUs) - 1 {
			rest := page(3, whole.Cursors[i])
			require.Equal(t, whole.SKUs[i+1:min(i+4, len(whole.SKUs))], rest.SKUs[:min(3, len(whole.SKUs)-i-1)])
		}
	})
	t.Run("a category narrows", func(t *testing.T) {
		all := search(t, commerce.SearchQuery{First: 1})
		some := search(t, commerce.SearchQuery{First: 1, Filter: commerce.SearchFilter{Category: f.Category}})
		assert.Positive(t, some.Total)
		assert.Less(t, some.Total, all.Total)
	})
	t.Run("a chosen facet narrows the hits and stays open itself", func(t *testing.T) {
		facetNarrows(t, f.Facet, func(filter commerce.SearchFilter) *commerce.SearchResult {
			return search(t, commerce.SearchQuery{First: 1, Filter: filter})
		})
	})
	t.Run("a search without facets finds the same, and its cursors fit", func(t *testing.T) {
		q := commerce.SearchQuery{Sort: commerce.SortName, First: 3}
		first := search(t, q)
		require.NotEmpty(t, first.Facets)
		q.NoFacets = true
		bare := search(t, q)
		assert.Empty(t, bare.Facets)
		assert.Equal(t, first.SKUs, bare.SKUs)
		assert.Equal(t, first.Total, bare.Total)
		q.After = first.EndCursor
		next := search(t, q)
		assert.Empty(t, next.Facets)
		q.After, q.NoFacets = bare.EndCursor, false
		again := search(t, q)
		assert.Equal(t, next.SKUs, again.SKUs)
		assert.NotEmpty(t, again.Facets)
		q = commerce.SearchQuery{First: 3, NoFacets: true, Filter: commerce.SearchFilter{Facets: map[string][]string{f.Facet: {facet(t, first, f.Facet).Values[0].Value}}}}
		assert.Equal(t, facet(t, first, f.Facet).Values[0].Count, search(t, q).Total, "what is chosen narrows all the same")
	})
	t.Run("bad input names its field", func(t *testing.T) {
		_, err := port.Search(t.Context(), f.Market, commerce.SearchQuery{First: 5, After: "not a cursor"})
		_ = fieldOf(t, err, "after")
		bad := commerce.SearchFilter{Facets: map[string][]string{"no-such-facet": {"x"}}}
		_, err = port.Search(t.Context(), f.Market, commerce.SearchQuery{First: 5, Filter: bad})
		_ = fieldOf(t, err, "filter")
	})
	canceled(t, func(t *testing.T) error {
		_, err := port.Search(dead(t), f.Market, commerce.SearchQuery{First: 3})
		return err
	})
}

// cursorsFit holds that each of n rows has a cursor of its own, and the last one ends the page.
func cursorsFit(t *testing.T, n int, cursors []string, end string) {
	t.Helper()
	require.Len(t, cursors, n)
	if n == 0 {
		require.Empty(t, end)
		return
	}
	require.Equal(t, cursors[n-1], end)
	seen := map[string]bool{}
	for _, c := range cursors {
		require.NotEmpty(t, c)
		require.False(t, seen[c], "two rows have one cursor")
		seen[c] = true
	}
}

// pagesCover walks a listing in odd steps and compares it with itself in one go.
func pagesCover(t *testing.T, page func(first int, after string) *commerce.SearchResult) {
	t.Helper()
	whole := page(commerce.MaxBatch, "")
	seen := map[commerce.SKU]bool{}
	var walked []commerce.SKU
	for after, rounds := "", 0; rounds < commerce.MaxBatch; rounds++ {
		part := page(7, after)
		for _, sku := range part.SKUs {
			require.False(t, seen[sku], "%s came twice", sku)
			seen[sku] = true
			walked = append(walked, sku)
		}
		if !part.HasNext || len(walked) >= len(whole.SKUs) {
			break
		}
		require.NotEmpty(t, part.EndCursor)
		after = part.EndCursor
	}
	require.GreaterOrEqual(t, len(walked), len(whole.SKUs))
	assert.Equal(t, whole.SKUs, walked[:len(whole.SKUs)])
}

func facetNarrows(t *testing.T, code string, search func(commerce.SearchFilter) *commerce.SearchResult) {
	t.Helper()
	all := search(commerce.SearchFilter{})
	open := facet(t, all, code)
	require.Greater(t, len(open.Values), 1)
	choice := open.Values[0]
	require.Positive(t, choice.Count)
	one := search(commerce.SearchFilter{Facets: map[string][]string{code: {choice.Value}}})
	assert.Equal(t, choice.Count, one.Total)
	chosen := facet(t, one, code)
	require.Len(t, chosen.Values, len(open.Values), "the other choices stay")
	for i, v := range chosen.Values {
		assert.Equal(t, open.Values[i].Count, v.Count)
		assert.Equal(t, v.Value == choice.Value, v.Selected)
	}
	other := open.Values[1]
	two := search(commerce.SearchFilter{Facets: map[string][]string{code: {choice.Value, other.Value}}})
	assert.Equal(t, choice.Count+other.Count, two.Total, "values of one facet are alternatives")
}

func facet(t *testing.T, r *commerce.SearchResult, code string) commerce.Facet {
	t.Helper()
	for _, f := range r.Facets {
		if f.Code == code {
			return f
		}
	}
	require.Failf(t, "no such facet", "want %q in %v", code, r.Facets)
	return commerce.Facet{}
}
