package graphhttp

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Only who may read the schema may ask deeply for it.
func TestW2_DepthIsBoundedWhereTheSchemaIsNotRead(t *testing.T) {
	t.Parallel()
	const deep = `{__typename{a{a{a{a{a{a{a}}}}}}}}`
	closed := DefaultLimits
	err := closed.Check(deep)
	require.NotNil(t, err)
	assert.Equal(t, "depth", err.Extensions["limit"])
	open := DefaultLimits
	open.Introspection = true
	assert.Nil(t, open.Check(deep), "GraphiQL reads the schema in one deep query; validation refuses what is none")
}
