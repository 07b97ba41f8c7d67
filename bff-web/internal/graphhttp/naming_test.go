package graphhttp

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestW3_FewErrorsAreTold asks for what is wrong 300 times over: the answer says so much
// and no more.
func TestW3_FewErrorsAreTold(t *testing.T) {
	t.Parallel()
	d := newDecider()
	d.transport.Checked = lru.New[bool](1)
	ctx := graphql.StartOperationTrace(t.Context())
	query := `{search(filter:{facets:[{code:"a" values:[` + strings.Repeat("1 ", 300) + `]}]}){totalCount}}`
	_, errs := d.transport.prepare(ctx, d.exec, &graphql.RawParams{Query: query})
	require.Len(t, errs, maxErrors+1)
	for _, err := range errs[:maxErrors] {
		assert.Equal(t, "filter.facets.values: must be of its declared type", err.Message)
		assert.NotEmpty(t, err.Locations)
	}
	assert.Equal(t, "280 more errors", errs[maxErrors].Message)
	assert.Equal(t, "GRAPHQL_VALIDATION_FAILED", errs[maxErrors].Extensions["code"])
}

// TestW3_ErrorsAreNamedByOneParse holds that naming errors costs about as much for many of
// them as for one, in what is allocated: the query is parsed once.
//
//nolint:paralleltest // allocations are counted for the whole process
func TestW3_ErrorsAreNamedByOneParse(t *testing.T) {
	query := `{search(filter:{facets:[{code:"a" values:[` + strings.Repeat("1 ", 300) + `]}]}){totalCount}}`
	params := &graphql.RawParams{Query: query}
	d := newDecider()
	_, errs := d.exec.CreateOperationContext(graphql.StartOperationTrace(t.Context()), params)
	require.Len(t, errs, 300)
	one := testing.AllocsPerRun(10, func() { naming(nil, params, errs[:1]) })
	all := testing.AllocsPerRun(10, func() { naming(nil, params, errs[:maxErrors]) })
	assert.Less(t, all, 2*one)
}
