package rest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Whether a route's answers may be kept for everyone is decided for each, by hand.
func TestC20_EveryRouteThatIsReadHasItsRow(t *testing.T) {
	t.Parallel()
	routes := map[string]bool{}
	for _, r := range (&API{}).Routes() {
		if r.Method == fiber.MethodGet {
			routes[r.Path] = true
			assert.Contains(t, sharedRoutes, r.Path, "decide whether it may be kept for everyone")
			assert.NotNil(t, readCalls[r.Path], "decide what %s costs", r.Path)
			_, own := ownRoutes[r.Path]
			assert.Equal(t, !sharedRoutes[r.Path] && r.Path != "/v1/sync", own, "decide whether its owner may keep %s, and whether it is encoded", r.Path)
		}
	}
	for path := range sharedRoutes {
		assert.Contains(t, routes, path, "there is no such route")
	}
}

// sought makes up a search; few words, so that equal ones are met often.
func sought(r *rand.Rand) commerce.SearchQuery {
	word := func() string { return []string{"", "a", "b", "1", "true"}[r.IntN(5)] }
	q := commerce.SearchQuery{First: 1 + r.IntN(2)}
	switch r.IntN(4) {
	case 0:
		q.Text, q.After = word(), word()
	case 1:
		q.Filter.Category, q.Filter.PriceMin = commerce.CategoryID(word()), word()
	case 2:
		q.Filter.PriceMax, q.Filter.InStock = word(), r.IntN(2) == 0
	}
	for range r.IntN(3) {
		if q.Filter.Facets == nil {
			q.Filter.Facets = map[string][]string{}
		}
		code := word()
		q.Filter.Facets[code] = append(q.Filter.Facets[code], word())
	}
	return q
}

// meaning is q with the order left out that says nothing.
func meaning(q commerce.SearchQuery) string {
	facets := map[string][]string{}
	for code, values := range q.Filter.Facets {
		facets[code] = slices.Sorted(slices.Values(values))
	}
	q.Filter.Facets = facets
	return fmt.Sprintf("%#v", q)
}

func TestC18_ListsAreWrittenAlikeOnlyWhenTheyMeanTheSame(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 5))
	alike := 0
	for range 200_000 {
		p, q := sought(r), sought(r)
		same := meaning(p) == meaning(q)
		require.Equal(t, same, slices.Equal(plain(p), plain(q)), "%#v and %#v", p, q)
		if same {
			alike++
		}
	}
	require.Greater(t, alike, 1_000)
}
