package graphhttp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/schema/commerce"
)

// resolvers are the fields that something resolves, as "type.field" in the letters of Go.
func resolvers(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../../graph/*.resolvers.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	found := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			star, _ := f.Recv.List[0].Type.(*ast.StarExpr)
			if star == nil {
				continue
			}
			receiver, _ := star.X.(*ast.Ident)
			if typ, ok := strings.CutSuffix(receiver.Name, "Resolver"); ok && typ != "" {
				found[strings.ToLower(typ+"."+f.Name.Name)] = true
			}
		}
	}
	return found
}

// TestW10_EveryResolvedFieldHasItsCost fails where a field was added of which nobody has
// said what it asks of the systems.
func TestW10_EveryResolvedFieldHasItsCost(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for field := range readings {
		rows[strings.ToLower(field)] = true
	}
	resolved := resolvers(t)
	for field := range resolved {
		assert.True(t, rows[field], "say in readings what %s costs", field)
	}
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	for field := range readings {
		typ, name, _ := strings.Cut(field, ".")
		def := schema.Types[typ]
		if assert.NotNil(t, def, field) {
			assert.NotNil(t, def.Fields.ForName(name), "there is no %s", field)
		}
	}
	for name := range guesses {
		assert.NotNil(t, schema.Mutation.Fields.ForName(name), "there is no mutation %s", name)
	}
}

// TestW10_EveryOperationHasItsSystem holds that no call goes to a system without a name.
func TestW10_EveryOperationHasItsSystem(t *testing.T) {
	t.Parallel()
	for field, r := range readings {
		for _, op := range append([]commerce.Operation{r.once, r.keyed}, r.calls...) {
			if port, _, _ := strings.Cut(string(op), "."); op != "" {
				assert.NotEmpty(t, roles[port], "%s: %s", field, op)
			}
		}
	}
}
