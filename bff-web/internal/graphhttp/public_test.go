package graphhttp

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/generated"
)

// Whether a root field may be kept for everyone is decided for each, by hand.
func TestC20_EveryRootFieldHasItsRow(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	var fields []string
	for _, f := range schema.Query.Fields {
		if f.Name != "__schema" && f.Name != "__type" {
			fields = append(fields, f.Name)
		}
	}
	for _, name := range fields {
		assert.Contains(t, rootFields, name, "decide whether %s may be kept for everyone", name)
	}
	for name := range rootFields {
		assert.Contains(t, fields, name, "there is no such field")
	}
}

// publicTypes is all that can be selected below a public root field. A type that
// tells something about a caller must not get in: its root field is not public then.
var publicTypes = []string{
	"Attribute", "Availability", "Category", "CategoryRef", "Facet", "FacetValue", "Image", "LocationStock", "Money", "Option", "OptionAxis",
	"Page", "PageInfo", "Price", "Product", "ProductConnection", "ProductEdge", "RatingCount", "Review", "ReviewSummary", "Tier", "Variant",
}

func TestC20_PublicRootFieldsLeadToPublicTypesOnly(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	seen := map[string]bool{}
	var walk func(def *ast.Definition)
	walk = func(def *ast.Definition) {
		if def == nil || def.Kind != ast.Object || seen[def.Name] {
			return
		}
		seen[def.Name] = true
		for _, f := range def.Fields {
			walk(schema.Types[f.Type.Name()])
		}
	}
	for _, f := range schema.Query.Fields {
		if rootFields[f.Name] {
			walk(schema.Types[f.Type.Name()])
		}
	}
	var reached []string
	for name := range seen {
		reached = append(reached, name)
	}
	slices.Sort(reached)
	require.Equal(t, publicTypes, reached)
}
