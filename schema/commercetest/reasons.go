package commercetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Reasons is every [commerce.Reason] that there is a constant for, sorted, read from the
// source as it is seen from a channel's folder.
func Reasons(t testing.TB) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../schema/commerce/provenance.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var words []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Reason" {
			word, ok := spec.Values[0].(*ast.BasicLit)
			require.True(t, ok, spec.Names[0].Name)
			text, err := strconv.Unquote(word.Value)
			require.NoError(t, err)
			words = append(words, text)
		}
		return true
	})
	slices.Sort(words)
	return words
}
