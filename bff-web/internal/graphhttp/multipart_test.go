package graphhttp

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/edge/recent"
)

// What is known of an answer in parts is of all of them.
func TestWhatIsNotWellIsNotedOfEachPart(t *testing.T) {
	t.Parallel()
	price := ast.Path{ast.PathName("product"), ast.PathName("price")}
	lost := gqlerror.List{{Message: "unavailable now", Path: price, Extensions: map[string]any{"code": "UNAVAILABLE"}}}
	fragment := func(data string, errs gqlerror.List) []compiled.Part {
		return []compiled.Part{{Path: price[:1], Data: []byte(data), Errors: errs}}
	}
	out := &writer{ResponseWriter: httptest.NewRecorder()}
	parts := &multipart{out: out}
	require.True(t, parts.later(fragment(`{"name":"Mug"}`, nil), nil, true))
	assert.Equal(t, recent.Made{}, out.made, "nothing is wrong")

	require.True(t, parts.later(fragment(`{"price":null}`, lost), []load.Report{{Path: price, Source: "odoo", State: "missing"}}, true))
	assert.True(t, out.made.Degraded)
	assert.False(t, out.made.Failed)
	before := out.made.Tell

	require.True(t, parts.later(fragment(`"`+strings.Repeat("x", limits.MaxResponseBytes)+`"`, nil), nil, false))
	assert.True(t, out.made.Failed, "a part that is too large is a loss, too")
	told := out.made.Tell()
	assert.Equal(t, []string{"UNAVAILABLE", "ANSWER_TOO_LARGE"}, told.Errors)
	require.Len(t, told.Parts, 1)
	assert.Equal(t, "product.price", told.Parts[0].Part)
	assert.Equal(t, []string{"UNAVAILABLE"}, before().Errors)
}

// Parts that are small each are too large together, as the answer that they are.
func TestTheSizeIsOfAllParts(t *testing.T) {
	t.Parallel()
	out := &writer{ResponseWriter: httptest.NewRecorder()}
	parts := &multipart{out: out}
	half := []byte(`"` + strings.Repeat("x", limits.MaxResponseBytes*2/3) + `"`)
	require.True(t, parts.later([]compiled.Part{{Data: half}}, nil, true))
	assert.Equal(t, recent.Made{}, out.made)
	require.True(t, parts.later([]compiled.Part{{Data: half}}, nil, true))
	assert.Equal(t, []string{"ANSWER_TOO_LARGE"}, out.made.Tell().Errors)
}

// A fragment of the whole operation that is null is all of what was asked for in it.
func TestARootsFragmentThatIsNullHasFailed(t *testing.T) {
	t.Parallel()
	out := &writer{ResponseWriter: httptest.NewRecorder()}
	lost := gqlerror.List{{Message: "unavailable now", Path: ast.Path{ast.PathName("a"), ast.PathName("b")}, Extensions: map[string]any{"code": "UNAVAILABLE"}}}
	require.True(t, (&multipart{out: out}).later([]compiled.Part{{Data: []byte(`{"a":null}`), Errors: lost}}, nil, true))
	assert.False(t, out.made.Failed)
	require.True(t, (&multipart{out: out}).later([]compiled.Part{{Errors: lost}}, nil, false))
	assert.True(t, out.made.Failed)
}
