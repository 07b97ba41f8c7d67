package bffweb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func sdl(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../schema/graphql/*.graphqls")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	require.NoError(t, err)
	return schema
}

// TestSchemaIsDocumented holds that whatever a client can see says what it is.
func TestSchemaIsDocumented(t *testing.T) {
	t.Parallel()
	documented := func(name, description string) {
		t.Helper()
		assert.NotEmpty(t, strings.TrimSpace(description), "%s has no description", name)
	}
	for name, def := range sdl(t).Types {
		if def.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		documented(name, def.Description)
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			documented(name+"."+f.Name, f.Description)
			for _, arg := range f.Arguments {
				documented(name+"."+f.Name+"("+arg.Name+")", arg.Description)
			}
			if !f.Type.NonNull && f.Type.Elem == nil && def.Kind == ast.Object && name != "Query" && name != "Mutation" {
				assert.Regexp(t, `(?i)\bnull\b`, f.Description, "%s.%s does not say when it is null", name, f.Name)
			}
		}
		for _, v := range def.EnumValues {
			documented(name+"."+v.Name, v.Description)
		}
	}
}

// TestOptionalPartsAreNullable holds the boundary at which a failure stops.
func TestOptionalPartsAreNullable(t *testing.T) {
	t.Parallel()
	schema := sdl(t)
	for name, fields := range map[string][]string{
		"Query":             {"product", "search", "categories", "category", "cart", "shippingOptions", "me", "order"},
		"Product":           {"price", "availability", "reviews", "related"},
		"Variant":           {"product"},
		"CartLine":          {"product"},
		"OrderLine":         {"product"},
		"ProductEdge":       {"node"},
		"Category":          {"products"},
		"Me":                {"profile", "addresses", "loyalty", "orders"},
		"Mutation":          {"cartCreate", "orderPlace"},
		"CartPayload":       {"cart"},
		"OrderPlacePayload": {"order"},
	} {
		for _, field := range fields {
			f := schema.Types[name].Fields.ForName(field)
			require.NotNil(t, f, "%s.%s", name, field)
			assert.False(t, f.Type.NonNull, "%s.%s", name, field)
		}
	}
	assert.False(t, schema.Types["Query"].Fields.ForName("products").Type.Elem.NonNull)
	assert.False(t, schema.Types["ProductConnection"].Fields.ForName("nodes").Type.Elem.NonNull)
}
