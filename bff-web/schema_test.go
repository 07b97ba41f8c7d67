package bffweb

import (
	"os"
	"path/filepath"
	"slices"
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
	schema := sdl(t)
	builtIn := []string{"skip", "include", "deprecated", "specifiedBy", "defer", "oneOf"}
	for name, d := range schema.Directives {
		if slices.Contains(builtIn, name) {
			continue
		}
		documented("@"+name, d.Description)
		for _, arg := range d.Arguments {
			documented("@"+name+"("+arg.Name+")", arg.Description)
		}
	}
	for name, def := range schema.Types {
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
			if d := f.Directives.ForName("deprecated"); d != nil {
				assert.Contains(t, d.Arguments.ForName("reason").Value.Raw, "Use ", "%s.%s does not say what to use instead", name, f.Name)
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

// Clients keep what has an id once for all places where it stands. So an id belongs to what is
// the same everywhere, to one caller in one market; what tells apart the members of one list
// alone has another name.
func TestAnIdIsTheObjectsOwn(t *testing.T) {
	t.Parallel()
	var own []string
	for name, def := range sdl(t).Types {
		if id := def.Fields.ForName("id"); def.Kind == ast.Object && id != nil && id.Directives.ForName("deprecated") == nil {
			own = append(own, name)
		}
	}
	assert.ElementsMatch(t, []string{"Cart", "Category", "CategoryRef", "Page", "Review", "Reward"}, own)
}

// TestOptionalPartsAreNullable holds the boundary at which a failure stops.
func TestOptionalPartsAreNullable(t *testing.T) {
	t.Parallel()
	schema := sdl(t)
	for name, fields := range map[string][]string{
		"Query":             {"product", "search", "categories", "category", "page", "recommendations", "cart", "shippingOptions", "me", "order"},
		"Product":           {"price", "availability", "reviews", "related", "breadcrumbs", "variant"},
		"Cart":              {"shippingOptions"},
		"Variant":           {"product"},
		"CartLine":          {"product"},
		"OrderLine":         {"product"},
		"ProductEdge":       {"node"},
		"Category":          {"products"},
		"Me":                {"profile", "addresses", "loyalty", "orders", "invoices"},
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
	assert.False(t, schema.Types["Query"].Fields.ForName("pages").Type.Elem.NonNull)
	assert.False(t, schema.Types["ProductConnection"].Fields.ForName("nodes").Type.Elem.NonNull)
}

// TestConnectionsAreRelays holds that every list that is paged is read in the same way.
func TestConnectionsAreRelays(t *testing.T) {
	t.Parallel()
	schema, found := sdl(t), 0
	for name, def := range schema.Types {
		for _, f := range def.Fields {
			connection := schema.Types[f.Type.Name()]
			if !strings.HasSuffix(connection.Name, "Connection") {
				assert.Nil(t, f.Arguments.ForName("after"), "%s.%s is paged and no connection", name, f.Name)
				continue
			}
			found++
			assert.Equal(t, "Int!", f.Arguments.ForName("first").Type.String(), "%s.%s", name, f.Name)
			assert.Equal(t, "String", f.Arguments.ForName("after").Type.String(), "%s.%s", name, f.Name)
			node := strings.TrimSuffix(connection.Name, "Connection")
			fields := map[string]string{}
			for _, c := range connection.Fields {
				fields[c.Name] = c.Type.String()
			}
			assert.Equal(t, "["+node+"Edge!]!", fields["edges"], connection.Name)
			assert.Equal(t, "PageInfo!", fields["pageInfo"], connection.Name)
			assert.Equal(t, "Int!", fields["totalCount"], connection.Name)
			assert.NotEmpty(t, fields["nodes"], connection.Name)
			assert.Equal(t, "String!", schema.Types[node+"Edge"].Fields.ForName("cursor").Type.String(), node)
			assert.Equal(t, node, schema.Types[node+"Edge"].Fields.ForName("node").Type.Name(), node)
		}
	}
	assert.Equal(t, 4, found, "search, a category's products, orders, invoices")
	info := map[string]string{}
	for _, f := range schema.Types["PageInfo"].Fields {
		info[f.Name] = f.Type.String()
	}
	assert.Equal(t, map[string]string{"hasNextPage": "Boolean!", "hasPreviousPage": "Boolean!", "startCursor": "String", "endCursor": "String"}, info)
}
