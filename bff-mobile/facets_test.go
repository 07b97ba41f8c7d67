package bffmobile

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// searches notes what is searched for.
type searches struct {
	next commerce.Search

	mu   sync.Mutex
	list []commerce.SearchQuery
}

func (s *searches) Search(ctx context.Context, m commerce.Market, q commerce.SearchQuery) (*commerce.SearchResult, error) {
	s.mu.Lock()
	s.list = append(s.list, q)
	s.mu.Unlock()
	return s.next.Search(ctx, m, q)
}

// Facets are counted for who gets them: the first page of a list.
func TestFacetsAreCountedForFirstPagesOnly(t *testing.T) {
	t.Parallel()
	asked := &searches{}
	s := open(t, func(b *edge.Backend) { asked.next, b.Ports.Search = b.Ports.Search, asked })
	for _, path := range []string{"/v1/screens/search?first=1", "/v1/screens/categories/home?first=1"} {
		var page struct {
			Products struct {
				Facets    []any
				EndCursor string
				HasNext   bool
				Total     int
			}
		}
		asked.list = nil
		require.NoError(t, json.Unmarshal([]byte(s.checked(t, get(path)).Raw), &page), path)
		require.NotEmpty(t, page.Products.Facets, path)
		require.True(t, page.Products.HasNext, path)
		first := page.Products
		page.Products.Facets = nil
		require.NoError(t, json.Unmarshal([]byte(s.checked(t, get(path+"&after="+first.EndCursor)).Raw), &page), path)
		assert.Empty(t, page.Products.Facets, path)
		assert.Equal(t, first.Total, page.Products.Total, path)
		require.Len(t, asked.list, 2)
		assert.False(t, asked.list[0].NoFacets, path)
		assert.True(t, asked.list[1].NoFacets, path)
	}
	asked.list = nil
	s.ok(t, get("/v1/screens/home"))
	require.Len(t, asked.list, 1)
	assert.True(t, asked.list[0].NoFacets, "the first screen shows none")
}
