package graphhttp

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/assert"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/schema/commerce"
)

// What an operation reaches is the same however it is written.
func TestWhatOperationsReach(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	for roots, want := range map[string]reach{
		`__typename`:                                {},
		`a: __typename b: __typename`:               {},
		`categories { id }`:                         {reads: true, everyones: true},
		`__typename categories { id }`:              {reads: true, everyones: true},
		`categories { id } me { priceGroup }`:       {reads: true, owners: true},
		`me { priceGroup }`:                         {reads: true, owners: true},
		`categories { id ... @defer { name } }`:     {reads: true},
		`__schema { queryType { name } }`:           {reads: true},
		`__typename __type(name: "Query") { name }`: {reads: true},
	} {
		for _, text := range []string{
			`{ ` + roots + ` }`,
			`{ ...Root } fragment Root on Query { ` + roots + ` }`,
			`{ ... on Query { ` + roots + ` } }`,
			`query ($no: Boolean!) { ` + roots + ` me @include(if: $no) { priceGroup } ... @include(if: $no) { order(number: "1") { number } } }`,
			`query ($no: Boolean!) { __typename @include(if: $no) ` + roots + ` }`,
		} {
			doc, errs := gqlparser.LoadQueryWithRules(schema, text, rules.NewDefaultRules())
			if !assert.Empty(t, errs, text) {
				continue
			}
			with := func(no bool) reach {
				return reachOf(&graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], RawQuery: text, Variables: map[string]any{"no": no}})
			}
			assert.Equal(t, want, with(false), text)
			if strings.Contains(text, " me @include") {
				assert.True(t, with(true).owners, text)
				assert.False(t, with(true).everyones, text)
			}
		}
	}
	doc, _ := gqlparser.LoadQueryWithRules(schema, `mutation { cartCreate { cart { id } } }`, rules.NewDefaultRules())
	mutation := reachOf(&graphql.OperationContext{Doc: doc, Operation: doc.Operations[0]})
	assert.Equal(t, reach{reads: true, owners: true}, mutation)
	assert.True(t, mutation.private(commerce.Principal{}))
	assert.False(t, reach{reads: true, everyones: true}.private(commerce.Principal{}))
	assert.True(t, reach{}.private(commerce.Principal{Tenant: "default", Subject: "C1"}))
}
