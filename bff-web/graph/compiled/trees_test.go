package compiled

import (
	"context"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// roots has no resolvers.
type roots any

// operation is an operation of text with variables.
func operation(t *testing.T, schema *ast.Schema, text string, variables map[string]any) *graphql.OperationContext {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schema, text, nil)
	require.Empty(t, errs)
	return &graphql.OperationContext{RawQuery: text, Doc: doc, Operation: doc.Operations[0], Variables: variables}
}

func executor(t *testing.T, keep int) (*Executor, *ast.Schema) {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `type Query{a:Int}`})
	return New[roots](Config{Schema: schema, Keep: keep}, struct{}{}), schema
}

func TestATreeIsCompiledOnceForEachOutcomeOfItsConditions(t *testing.T) {
	t.Parallel()
	e, schema := executor(t, 10)
	const text = `query($b:Boolean!){x:__typename y:__typename @include(if:$b)}`
	with := e.tree(operation(t, schema, text, map[string]any{"b": true}), false)
	without := e.tree(operation(t, schema, text, map[string]any{"b": false}), false)
	assert.Len(t, with.root.fields, 2)
	assert.Len(t, without.root.fields, 1)
	assert.Same(t, with, e.tree(operation(t, schema, text, map[string]any{"b": true}), false))
	assert.NotEmpty(t, e.Uncovered(operation(t, schema, text, map[string]any{"b": "true"})))
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	t.Parallel()
	e, schema := executor(t, 1_000_000)
	first := operation(t, schema, `{first:__typename}`, nil)
	tree := e.tree(first, false)
	require.Same(t, tree, e.tree(first, false))
	e.trees.count(maxFields)
	assert.NotSame(t, tree, e.tree(first, false))
}

// What looks ahead in an operation finds the selections that were collected with its tree,
// and collects those of another operation itself.
func TestSelectionsAreCollectedOnce(t *testing.T) {
	t.Parallel()
	e, schema := executor(t, 10)
	own := operation(t, schema, `{x:__typename ...F x:__typename} fragment F on Query{y:__typename}`, nil)
	other := operation(t, schema, `{z:__typename}`, nil)
	tree := e.tree(own, false)
	ctx := context.WithValue(t.Context(), treeKey{}, tree)
	set := own.Operation.SelectionSet
	found := Collect(ctx, own, set)
	require.Len(t, found, 2)
	assert.Same(t, &tree.collected[selectionOf(set)].fields[0], &found[0])
	assert.Equal(t, graphql.CollectFields(own, set, nil), found)
	assert.Equal(t, found, Collect(t.Context(), own, set))
	assert.Len(t, Collect(ctx, other, other.Operation.SelectionSet), 1)
	assert.Empty(t, Collect(ctx, own, nil))
}

// What is asked for anywhere is known wherever the operation runs; of what does not run
// compiled everything is.
func TestWhatAnOperationAsksForIsKnown(t *testing.T) {
	t.Parallel()
	e, schema := executor(t, 10)
	oc := operation(t, schema, `{x:__typename}`, nil)
	ctx := context.WithValue(t.Context(), treeKey{}, e.tree(oc, false))
	assert.True(t, Asks(ctx, "Query", "__typename"))
	assert.False(t, Asks(ctx, "Query", "x"))
	assert.False(t, Asks(ctx, "Product", "__typename"))
	assert.True(t, Asks(t.Context(), "Product", "name"))
}
