package graph

import (
	"context"
	"log/slog"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/schema/commerce"
)

// uncovered compiles a query and answers why that is left to the generated executor.
func (b both) uncovered(t *testing.T, text string, variables map[string]any) string {
	t.Helper()
	oc, errs := b.gqlgen.CreateOperationContext(graphql.StartOperationTrace(t.Context()), &graphql.RawParams{Query: text, Variables: variables})
	require.Empty(t, errs, text)
	return b.compiled.Uncovered(oc)
}

// TestEveryFieldIsCompiled asks for each field of each type that a query leads to, on
// its own: what is not compiled is slow, and nobody would notice.
func TestEveryFieldIsCompiled(t *testing.T) {
	t.Parallel()
	b := newBoth(t, newWorld(1))
	schema := b.schema()
	ways := map[string][2]string{"Query": {"", ""}} // what leads to a type, and closes it again
	asked := 0
	for queue := []*ast.Definition{schema.Query}; len(queue) > 0; queue = queue[1:] {
		def := queue[0]
		way := ways[def.Name]
		for _, f := range def.Fields {
			if f.Name[0] == '_' {
				continue
			}
			text, below := f.Name+required(schema, f), schema.Types[f.Type.Name()]
			if _, known := ways[below.Name]; below.Kind == ast.Object && !known {
				ways[below.Name] = [2]string{way[0] + text + "{", "}" + way[1]}
				queue = append(queue, below)
			}
			if below.Kind == ast.Object {
				text += "{__typename}"
			}
			assert.Empty(t, b.uncovered(t, "{"+way[0]+text+way[1]+"}", nil), "%s.%s", def.Name, f.Name)
			asked++
		}
	}
	assert.Greater(t, asked, 150, "the walk through the schema ended early")
}

// required is a field's arguments that must be there.
func required(schema *schemaOf, f *ast.FieldDefinition) string {
	text := ""
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil {
			text += a.Name + ":" + literal(schema, a.Type) + " "
		}
	}
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

func literal(schema *schemaOf, t *ast.Type) string {
	if t.Elem != nil {
		return "[" + literal(schema, t.Elem) + "]"
	}
	switch def := schema.Types[t.NamedType]; {
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		text := ""
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil {
				text += f.Name + ":" + literal(schema, f.Type) + " "
			}
		}
		return "{" + text + "}"
	case t.NamedType == "Int":
		return "1"
	case t.NamedType == "Boolean":
		return "true"
	}
	return `"x"`
}

func TestWhatIsLeftToTheGeneratedExecutor(t *testing.T) {
	t.Parallel()
	b := newBoth(t, newWorld(1))
	for _, c := range []struct {
		query, why string
		variables  map[string]any
	}{
		{query: `mutation{cartCreate{cart{id}}}`, why: "mutation"},
		{query: `{__schema{types{name}}}`, why: "introspection"},
		{query: `{__type(name:"Product"){name}}`, why: "introspection"},
		{query: `{product(sku:"a"){sku ...@defer{name}}}`},
		{query: `query($b:Boolean!){product(sku:"a"){sku @skip(if:$b)}}`, variables: map[string]any{"b": true}},
		{query: `{__typename}`},
	} {
		assert.Equal(t, c.why, b.uncovered(t, c.query, c.variables), c.query)
	}
}

// A caller who has left is answered nothing, by either executor, and nothing is asked.
func TestCompiledEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := newBoth(t, newWorld(1))
	oc, errs := b.gqlgen.CreateOperationContext(graphql.StartOperationTrace(t.Context()), &graphql.RawParams{Query: `{product(sku:"a"){sku}}`})
	require.Empty(t, errs)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	response, covered := b.compiled.Run(ctx, oc)
	assert.True(t, covered)
	assert.Nil(t, response)
}

// What panics while the answer is written fails its field: the rest is answered.
func TestCompiledPanicsFailTheirField(t *testing.T) {
	t.Parallel()
	s := newStore(t, 1)
	ports := commerce.Ports{Catalog: s, Pricing: s}
	r := &Resolver{Ports: ports, Log: slog.New(slog.DiscardHandler)}
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: r})
	own := compiled.New[generated.ResolverRoot](compiled.Config{
		Schema: schema.Schema(), Present: r.Present, Recover: r.Recover, Hints: map[string]compiled.Hint{
			"Money.formatted": {Inline: compiled.InlineText(func(context.Context, *commerce.Money) string { panic("no such locale") })},
		},
	}, r)
	require.NoError(t, own.Mistakes())
	ctx, loader := load.Start(t.Context(), ports, commerce.Shopper{}, "retail")
	defer loader.Close()
	gqlgen := executor.New(schema)
	gqlgen.SetRecoverFunc(r.Recover)
	oc, errs := gqlgen.CreateOperationContext(graphql.StartOperationTrace(ctx), &graphql.RawParams{
		Query: `{products(skus:["SKU-0000"]){sku price{quantity unit{formatted}}}}`,
	})
	require.Empty(t, errs)
	response, covered := own.Run(ctx, oc)
	require.True(t, covered)
	assert.JSONEq(t, `{"products":[{"sku":"SKU-0000","price":null}]}`, string(response.Data))
	require.Len(t, response.Errors, 1)
	assert.Equal(t, "products[0].price.unit.formatted", response.Errors[0].Path.String())
	assert.Equal(t, CodeInternal, response.Errors[0].Extensions["code"])
}
