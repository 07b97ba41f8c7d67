package bffweb

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ratelimit"
)

// Only what is answered is a use of a document: not what names an operation that it does
// not have, nor what is refused for its variables, its method or its budget.
func TestWhatIsRefusedUsesNoDocument(t *testing.T) {
	t.Parallel()
	who := []header{{"X-Client-Name", "shop"}, {"X-Client-Version", "1"}}
	page, mine := idOf(trustedPage), idOf(trustedMine)
	uses := func(s *shop) int64 {
		list := s.published(t).Manifests
		require.Len(t, list, 1)
		return list[0].Uses
	}
	refused := []string{
		`{"documentId":"` + page + `","operationName":"None","variables":{"sku":"MUG-RED"}}`,
		`{"documentId":"` + page + `"}`,
		`{"documentId":"` + page + `","variables":{"sku":"a b"}}`,
		`{"documentId":"` + page + `","variables":{"sku":["a"]}}`,
	}
	for name, open := range map[string]func() *shop{
		"answers are kept": func() *shop { s, _ := kept(t); return s },
		"nothing is kept":  func() *shop { s, _ := closed(t); return s },
	} {
		s := open()
		for _, body := range refused {
			require.NotEmpty(t, s.post(t, body, who...).Errors, body)
		}
		require.Equal(t, http.StatusMethodNotAllowed, s.byID(t, url.Values{"documentId": {idOf(trustedCreate)}}, who...).Status)
		assert.Zero(t, uses(s), name)
		for n := range 3 {
			require.Equal(t, http.StatusOK, s.named(t, page, red(), who...).Status)
			assert.EqualValues(t, n+1, uses(s), name)
		}
		for _, body := range refused { // also when the answer to the same document lies there
			s.post(t, body, who...)
		}
		assert.EqualValues(t, 3, uses(s), name)
		s.named(t, mine, nil, append(who, header{"Authorization", "Bearer C1"})...)
		assert.EqualValues(t, 4, uses(s), "%s: what is a customer's own", name)
	}

	s, _ := closed(t, func(b *edge.Backend) {
		var err error
		b.RateLimit, err = ratelimit.New(ratelimit.Config{Address: 2}, ratelimit.Deps{Log: b.Log})
		require.NoError(t, err)
	})
	require.Equal(t, http.StatusTooManyRequests, s.byID(t, url.Values{"documentId": {page}, "variables": {`{"sku":"MUG-RED"}`}}, who...).Status)
	assert.Zero(t, uses(s), "what costs more than the budget has")
}
