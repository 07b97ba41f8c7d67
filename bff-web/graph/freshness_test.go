package graph

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/portico-bff/portico/schema/commerce"
)

// contracts is a schema with a field of every contract.
const contracts = `
directive @freshness(onError: OnError, staleUpTo: Duration, default: Constant) on FIELD_DEFINITION | FIELD
directive @goField(name: String, forceResolver: Boolean) on FIELD_DEFINITION
enum OnError { FAIL NULL DEFAULT STALE }
enum Color { RED }
scalar Duration
scalar Constant
type Query { thing: Thing things: [Thing!] @freshness(onError: NULL) }
type Thing {
  id: ID!
  stale: Thing @freshness(onError: STALE, staleUpTo: "10m")
  filled: [Int!] @freshness(onError: DEFAULT, default: [1])
  both: [Int!] @freshness(onError: DEFAULT, staleUpTo: "10m", default: [])
  null: Thing @freshness(onError: NULL)
  fail: Thing @freshness(onError: FAIL)
}
`

func parsedSchema(t testing.TB, text string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: text})
	require.NoError(t, err)
	return schema
}

// validated is a query, and what the rules say of it.
func validated(t testing.TB, schema *ast.Schema, query string) (*ast.QueryDocument, gqlerror.List) {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	require.NoError(t, err)
	return doc, validator.ValidateWithRules(schema, doc, Rules())
}

// What each contract of the schema leaves of each wish of a query: a tolerance, or the
// reason of a refusal.
func TestAQueryMayOnlyAskForLess(t *testing.T) {
	t.Parallel()
	schema := parsedSchema(t, contracts)
	const looser, invalid = reasonLooser, reasonInvalid
	wishes := []string{
		``, `onError:STALE`, `onError:STALE,staleUpTo:"5m"`, `staleUpTo:"10m"`, `staleUpTo:"11m"`, `onError:DEFAULT`,
		`onError:NULL`, `onError:NULL,staleUpTo:"1s"`, `onError:FAIL`,
	}
	for field, want := range map[string][]string{
		"stale":  {"STALE 10m", "STALE 10m", "STALE 5m", "STALE 10m", looser, looser, "NULL 0s", invalid, "FAIL 0s"},
		"both":   {"DEFAULT 10m", "STALE 10m", "STALE 5m", "DEFAULT 10m", looser, "DEFAULT 10m", "NULL 0s", invalid, "FAIL 0s"},
		"filled": {"DEFAULT 0s", looser, looser, looser, looser, "DEFAULT 0s", "NULL 0s", invalid, "FAIL 0s"},
		"null":   {"NULL 0s", looser, looser, looser, looser, looser, "NULL 0s", invalid, "FAIL 0s"},
		"fail":   {"FAIL 0s", looser, looser, looser, looser, looser, looser, looser, "FAIL 0s"},
		"id":     {"STALE unbounded", reasonNoSource, reasonNoSource, reasonNoSource, reasonNoSource, reasonNoSource, reasonNoSource, reasonNoSource, reasonNoSource},
	} {
		for i, wish := range wishes {
			directive := ""
			if wish != "" {
				directive = "@freshness(" + wish + ")"
			}
			below := ""
			if schema.Types["Thing"].Fields.ForName(field).Type.Name() == "Thing" {
				below = "{id}"
			}
			doc, errs := validated(t, schema, "{thing{"+field+directive+below+"}}")
			what := field + " " + wish
			if len(errs) > 0 {
				require.Len(t, errs, 1, what)
				assert.Equal(t, want[i], errs[0].Extensions["reason"], "%s: %s", what, errs[0].Message)
				assert.Equal(t, "Thing."+field, errs[0].Extensions["field"], what)
				assert.Contains(t, errs[0].Message, "Thing."+field)
				continue
			}
			thing, _ := doc.Operations[0].SelectionSet[0].(*ast.Field)
			f, _ := thing.SelectionSet[0].(*ast.Field)
			got := ToleranceOf(f)
			span := "unbounded"
			if got.StaleUpTo != Unbounded {
				span = spanText(got.StaleUpTo)
			}
			assert.Equal(t, want[i], fmt.Sprint(string(got.OnError), " ", span), what)
		}
	}
}

func TestARefusalSaysWhatTheSchemaAllows(t *testing.T) {
	t.Parallel()
	schema := parsedSchema(t, contracts)
	for directive, want := range map[string]string{
		`stale@freshness(staleUpTo:"2h"){id}`:        `Thing.stale: @freshness: staleUpTo: "2h" is more than the schema gives: it declares onError: STALE, staleUpTo: "10m"; a query may say onError: STALE, NULL, FAIL, and staleUpTo up to "10m"`,
		`filled@freshness(onError:STALE)`:            `Thing.filled: @freshness: onError: STALE takes what the schema does not give: it declares onError: DEFAULT; a query may say onError: DEFAULT, NULL, FAIL`,
		`fail@freshness(onError:NULL){id}`:           `Thing.fail: @freshness: onError: NULL takes what the schema does not give: it declares onError: FAIL; a query may say onError: FAIL`,
		`id@freshness(onError:NULL)`:                 `Thing.id: @freshness: the field is read from no system of its own, so that the directive has no meaning here`,
		`stale@freshness{id}`:                        `Thing.stale: @freshness: it says nothing: give onError, staleUpTo or both`,
		`both@freshness(default:[])`:                 `Thing.both: @freshness: default is for the schema to declare`,
		`stale@freshness(staleUpTo:10){id}`:          `Thing.stale: @freshness: staleUpTo must be a text of up to 6 digits and ms, s, m or h, such as "90s"`,
		`stale@freshness(staleUpTo:"1h30m"){id}`:     `Thing.stale: @freshness: staleUpTo must be a text of up to 6 digits and ms, s, m or h, such as "90s"`,
		`stale@freshness(staleUpTo:"-1s"){id}`:       `Thing.stale: @freshness: staleUpTo must be a text of up to 6 digits and ms, s, m or h, such as "90s"`,
		`stale@freshness(staleUpTo:"10000000s"){id}`: `Thing.stale: @freshness: staleUpTo must be a text of up to 6 digits and ms, s, m or h, such as "90s"`,
		`stale@freshness(staleUpTo:""){id}`:          `Thing.stale: @freshness: staleUpTo must be a text of up to 6 digits and ms, s, m or h, such as "90s"`,
	} {
		_, errs := validated(t, schema, "{thing{"+directive+"}}")
		require.Len(t, errs, 1, directive)
		assert.Equal(t, want, errs[0].Message)
		assert.NotEmpty(t, errs[0].Locations)
		assert.NotEqual(t, errcode.ParseFailed, errs[0].Extensions["code"])
	}
	_, errs := validated(t, schema, `query($age:Duration){thing{stale@freshness(staleUpTo:$age){id}}}`)
	require.Len(t, errs, 1)
	assert.Contains(t, errs[0].Message, "must be written in the query itself")
}

// One response key has one contract, wherever its fields stand.
func TestOneNameHasOneContract(t *testing.T) {
	t.Parallel()
	schema := parsedSchema(t, contracts)
	for query, conflicts := range map[string]int{
		`{thing{stale@freshness(onError:NULL){id} stale@freshness(onError:NULL){id}}}`:                                        0,
		`{thing{stale@freshness(onError:NULL){id} stale{id}}}`:                                                                1,
		`{thing{stale@freshness(onError:NULL){id} other:stale{id}}}`:                                                          0,
		`{thing{both@freshness(staleUpTo:"10m") both}}`:                                                                       0,
		`{thing{stale@freshness(staleUpTo:"1s"){id}} ...on Query{thing{stale{id}}}}`:                                          1,
		`{thing{...A ...B}} fragment A on Thing{stale{id}} fragment B on Thing{stale@freshness(onError:FAIL){id}}`:            1,
		`{a:thing{...A} b:thing{...B}} fragment A on Thing{stale{id}} fragment B on Thing{stale@freshness(onError:FAIL){id}}`: 0,
		`{thing{null{stale{id}} null{...A}}} fragment A on Thing{...on Thing{stale@freshness(onError:FAIL){id}}}`:             1,
	} {
		_, errs := validated(t, schema, query)
		assert.Len(t, errs, conflicts, query)
		for _, err := range errs {
			assert.Equal(t, reasonConflict, err.Extensions["reason"])
		}
	}
}

// Fragments within fragments are looked at once for each place where they stand, up to a bound.
func TestConflictsAreLookedForInBoundedTime(t *testing.T) {
	t.Parallel()
	var query strings.Builder
	query.WriteString(`{thing{...F0 both@freshness(staleUpTo:"1s")}}`)
	for i := range 40 {
		fmt.Fprintf(&query, "fragment F%d on Thing{a:null{...F%d} b:null{...F%d}}", i, i+1, i+1)
	}
	query.WriteString("fragment F40 on Thing{id}")
	doc, err := parser.ParseQuery(&ast.Source{Input: query.String()})
	require.NoError(t, err)
	m := merger{doc: doc, refuse: func(*ast.Field, *ast.Position, *badFreshness) {}, left: maxMerged}
	m.set([]ast.SelectionSet{doc.Operations[0].SelectionSet})
	assert.Negative(t, m.left, "2⁴⁰ places were not looked at")
	assert.Greater(t, m.left, -200)
}

func TestWhatTheSchemaDeclaresIsChecked(t *testing.T) {
	t.Parallel()
	require.NoError(t, CheckFreshness(parsedSchema(t, contracts)))
	for declared, want := range map[string]string{
		`Int @freshness(staleUpTo: "1m")`:                                             "onError is required",
		`Int @freshness(onError: STALE)`:                                              "STALE needs a staleUpTo",
		`Int @freshness(onError: NULL, staleUpTo: "1m")`:                              "no meaning with onError: NULL",
		`Int @freshness(onError: DEFAULT)`:                                            "go together",
		`Int @freshness(onError: NULL, default: 1)`:                                   "go together",
		`Int @freshness(onError: STALE, staleUpTo: "soon")`:                           "staleUpTo must be",
		`Int @freshness(onError: DEFAULT, default: "1")`:                              "it is no Int",
		`Int! @freshness(onError: DEFAULT, default: null)`:                            "null is no Int!",
		`[Int!] @freshness(onError: DEFAULT, default: [null])`:                        "null is no Int!",
		`[Int!] @freshness(onError: DEFAULT, default: 1)`:                             "it is no list",
		`Color @freshness(onError: DEFAULT, default: GREEN)`:                          "it is no Color",
		`Duration @freshness(onError: DEFAULT, default: "1s")`:                        "it is no Duration",
		`Pair @freshness(onError: DEFAULT, default: [])`:                              "it is no object",
		`Pair @freshness(onError: DEFAULT, default: {count: 1, of: [], sum: 1})`:      "Pair.sum is made of the others",
		`Pair @freshness(onError: DEFAULT, default: {count: 1})`:                      "Pair.of is not given",
		`Pair @freshness(onError: DEFAULT, default: {count: 1, of: [], more: 1})`:     "Pair has no field more",
		`Pair @freshness(onError: DEFAULT, default: {count: 1, of: [{id: true}]})`:    "of: id: it is no ID",
		`Pair @freshness(onError: DEFAULT, default: {count: 1.5, of: [{id: "a"}]})`:   "count: it is no Int",
		`[Pair] @freshness(onError: DEFAULT, default: [null, {count: null, of: []}])`: "count: null is no Int!",
	} {
		schema := parsedSchema(t, strings.Replace(contracts, "type Thing {", "type Pair { count: Int! of: [Id!]! sum: Int! @goField(forceResolver: true) } type Id { id: ID! }\ntype Thing {\n  wrong: "+declared, 1))
		err := CheckFreshness(schema)
		require.ErrorContains(t, err, "Thing.wrong: @freshness", declared)
		assert.ErrorContains(t, err, want, declared)
	}
}

func TestFillersAreGoValues(t *testing.T) {
	t.Parallel()
	product := ownSchema().Types["Product"].Fields
	reviews, err := fillerOf[*commerce.ReviewSummary](product.ForName("reviews"))
	require.NoError(t, err)
	assert.Equal(t, &commerce.ReviewSummary{Reviews: []commerce.Review{}}, reviews)
	related, err := fillerOf[[]*commerce.Product](product.ForName("related"))
	require.NoError(t, err)
	assert.Equal(t, []*commerce.Product{}, related)
	_, err = fillerOf[*commerce.Price](product.ForName("reviews"))
	require.ErrorContains(t, err, "another type")
	_, err = fillerOf[*commerce.Price](product.ForName("price"))
	require.ErrorContains(t, err, "declares no default")

	schema := parsedSchema(t, `type Query { of: Of } type Of { count: Int! average: Float! name: String! on: Boolean! items: [Of!]! @goField(name: "Others") }
		directive @goField(name: String) on FIELD_DEFINITION`)
	doc, err := parser.ParseQuery(&ast.Source{Input: `{of(v:{count:-3,average:2.5,name:"n",on:true,items:[{count:1,average:1,name:"",on:false,items:[]}]})}`})
	require.NoError(t, err)
	field, _ := doc.Operations[0].SelectionSet[0].(*ast.Field)
	var made *of
	require.NoError(t, filler{schema}.fill(reflect.ValueOf(&made).Elem(), schema.Types["Query"].Fields[0].Type, field.Arguments[0].Value))
	assert.Equal(t, &of{Count: -3, Average: 2.5, Name: "n", On: true, Others: []of{{Count: 1, Average: 1, Others: []of{}}}}, made)
}

type of struct {
	Count   int
	Average float64
	Name    string
	On      bool
	Others  []of
}

// Stricter is an order: what is left of a contract never takes more than it, however
// often it is tightened.
func TestTighteningIsAnOrder(t *testing.T) {
	t.Parallel()
	words := []OnError{Fail, Null, Stale, Default}
	spans := []time.Duration{0, time.Second, time.Minute, time.Hour}
	for _, word := range words {
		allowed := Tolerance{OnError: word, StaleUpTo: time.Hour}.Allowed()
		assert.Contains(t, allowed, word)
		for _, next := range allowed {
			for _, further := range (Tolerance{OnError: next, StaleUpTo: time.Hour}).Allowed() {
				assert.Contains(t, allowed, further, "%s over %s", word, next)
			}
			if next != word {
				assert.NotContains(t, Tolerance{OnError: next, StaleUpTo: time.Hour}.Allowed(), word)
			}
		}
	}
	for _, declared := range spans {
		for _, wish := range spans {
			d := &ast.Directive{Arguments: ast.ArgumentList{{Name: staleUpToName, Value: &ast.Value{Kind: ast.StringValue, Raw: spanText(wish)}}}}
			tight, err := Tolerance{OnError: Default, StaleUpTo: declared}.tighten(d)
			assert.Equal(t, wish > declared, err != nil)
			if err == nil {
				assert.Equal(t, Tolerance{OnError: Default, StaleUpTo: wish}, tight)
			}
		}
	}
}

func TestWhereANullStops(t *testing.T) {
	t.Parallel()
	schema := parsedSchema(t, contracts)
	doc, errs := validated(t, schema, `{
		t: thing{fail{fail{id}} stale{fail{id}}}
		things{...F}
		all: things@freshness(onError:FAIL){...F}
	} fragment F on Thing{x:fail{id} null{fail{id}} null{y:stale@freshness(onError:FAIL){id}}}`)
	require.Empty(t, errs)
	name := func(s string) ast.PathElement { return ast.PathName(s) }
	root := &shape{sets: []ast.SelectionSet{doc.Operations[0].SelectionSet}}
	for want, paths := range map[int][]ast.Path{
		0: {{name("all"), ast.PathIndex(1), name("x")}},
		1: {{name("t"), name("fail"), name("fail")}, {name("t"), name("fail")}, {name("things"), ast.PathIndex(1), name("x")}},
		2: {{name("t"), name("stale"), name("fail")}},
		3: {{name("things"), ast.PathIndex(0), name("null"), name("y")}, {name("all"), ast.PathIndex(0), name("null"), name("fail")}},
	} {
		for _, path := range paths {
			assert.Equal(t, want, root.boundary(path), path.String())
		}
	}
}

func TestNullAtAPath(t *testing.T) {
	t.Parallel()
	const data = `{"a":{"b":[{"c":1,"d":"x"},{"c":[2]}],"b2":null},"a2":{"b":true}}`
	for want, path := range map[string]ast.Path{
		`{"a":null,"a2":{"b":true}}`:                                         {ast.PathName("a")},
		`{"a":{"b":[{"c":1,"d":"x"},null],"b2":null},"a2":{"b":true}}`:       {ast.PathName("a"), ast.PathName("b"), ast.PathIndex(1)},
		`{"a":{"b":[{"c":1,"d":"x"},{"c":null}],"b2":null},"a2":{"b":true}}`: {ast.PathName("a"), ast.PathName("b"), ast.PathIndex(1), ast.PathName("c")},
		`{"a":{"b":[{"c":1,"d":"x"},{"c":[2]}],"b2":null},"a2":{"b":null}}`:  {ast.PathName("a2"), ast.PathName("b")},
		`{"a":{"b":[{"c":1,"d":"x"},{"c":[2]}],"b2":null},"a2":{"b":true}}`:  {ast.PathName("a"), ast.PathName("b2"), ast.PathName("e")},
		`{"a":{"b":[{"c":1,"d":null},{"c":[2]}],"b2":null},"a2":{"b":true}}`: {ast.PathName("a"), ast.PathName("b"), ast.PathIndex(0), ast.PathName("d")},
	} {
		assert.Equal(t, want, string(cut([]byte(data), marked(path))), path.String())
	}
	for _, path := range []ast.Path{{ast.PathName("z")}, {ast.PathName("a"), ast.PathName("b"), ast.PathIndex(2)}} {
		assert.Equal(t, data, string(cut([]byte(data), marked(path))), path.String())
	}
}
