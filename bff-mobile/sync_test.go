package bffmobile

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// page asks for a page of the sync.
func (s *shop) page(t *testing.T, query string, headers ...string) api.Sync {
	t.Helper()
	a := s.checked(t, get("/v1/sync"+query, headers...))
	require.Equal(t, 200, a.Status, a.Raw)
	require.Equal(t, "public, max-age=5", a.Header.Get("Cache-Control"))
	require.Empty(t, a.Header.Get("RateLimit"), "others share it")
	var page api.Sync
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &page))
	return page
}

func TestSyncGoldens(t *testing.T) {
	t.Parallel()
	s := open(t)
	golden(t, "sync", s.checked(t, get("/v1/sync?first=4")))
	golden(t, "sync-french", s.checked(t, get("/v1/sync?first=4", "X-Channel", "eu", "Accept-Language", "fr")))
	whole := s.page(t, "")
	require.True(t, whole.Full)
	require.False(t, whole.More)
	expired := s.checked(t, get("/v1/sync?since="+whole.Next))
	require.Equal(t, 410, expired.Status, "nobody tells of changes")
	golden(t, "problem-sync-expired", expired)
	golden(t, "problem-sync-invalid", s.checked(t, get("/v1/sync?since=garbage")))
	golden(t, "problem-sync-market", s.checked(t, get("/v1/sync?since="+whole.Next, "Accept-Language", "fr")))
}

// What a copy is made of is the same however large its pages are.
func TestAWalkIsTheSameWhateverItsPages(t *testing.T) {
	t.Parallel()
	s := open(t)
	whole := s.page(t, "").Items
	require.Equal(t, api.SyncKindCategories, whole[0].Kind)
	for _, first := range []string{"1", "2", "3", "7"} {
		var items []api.SyncItem
		query := "?first=" + first
		for {
			page := s.page(t, query)
			require.True(t, page.Full)
			items = append(items, page.Items...)
			if !page.More {
				break
			}
			query = "?first=" + first + "&since=" + page.Next
		}
		require.Equal(t, whole, items, first)
	}
}

func TestSyncIsPublicAndRevalidated(t *testing.T) {
	t.Parallel()
	s := open(t)
	mine, all := s.checked(t, get("/v1/sync", "Authorization", "Bearer C1")), s.checked(t, get("/v1/sync"))
	require.Equal(t, all.Raw, mine.Raw, "it is nobody's in particular")
	require.Equal(t, all.Header.Get("Cache-Control"), mine.Header.Get("Cache-Control"))
	tag := all.Header.Get("ETag")
	again := s.checked(t, get("/v1/sync", "If-None-Match", `"x", `+tag))
	require.Equal(t, 304, again.Status)
	require.Empty(t, again.Raw)
	require.Equal(t, tag, again.Header.Get("ETag"))
	french := s.checked(t, get("/v1/sync", "If-None-Match", tag, "Accept-Language", "fr"))
	require.Equal(t, 200, french.Status)
	require.NotEqual(t, tag, s.checked(t, get("/v1/sync", "X-Currency", "EUR")).Header.Get("ETag"))
}

// An answer is whole or a problem.
func TestSyncIsNeverPartial(t *testing.T) {
	t.Parallel()
	for _, op := range []commerce.Operation{commerce.OpProducts, commerce.OpPages, commerce.OpCategoryTree, commerce.OpSKUs, commerce.OpPageIDs} {
		s := open(t)
		s.Fail(op, commerce.ErrUnavailable)
		a := s.checked(t, get("/v1/sync"))
		require.Equal(t, 503, a.Status, "%s: %s", op, a.Raw)
		require.Equal(t, "1", a.Header.Get("Retry-After"))
		require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	}
}
