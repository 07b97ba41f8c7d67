package rules_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/rules"
	"github.com/portico-bff/portico/bff-mobile/internal/strict"
	"github.com/portico-bff/portico/schema/commerce"
)

// contract is compiled once for all: its schemas hold what was compiled.
var contract = rules.MustCompile(api.Operations)

func TestValuesOfAQuery(t *testing.T) {
	t.Parallel()
	search := contract.Operation("searchScreen")
	q, err := search.ParseQuery("q=a%20b&facet=color:Red&facet=color:Blue&inStock=true&width=480")
	require.NoError(t, err)
	require.Equal(t, "a b", q.Text("q"))
	require.Equal(t, []string{"color:Red", "color:Blue"}, q.List("facet"))
	require.True(t, q.Flag("inStock"))
	require.Equal(t, 480, q.Number("width"))
	require.Equal(t, 20, q.Number("first"), "the contract's default")
	require.False(t, q.Has("sort"))
	require.Empty(t, q.Text("sort"))
	require.Zero(t, rules.Query{}.Number("first"), "nothing was sent")
}

func TestHeadersAreChecked(t *testing.T) {
	t.Parallel()
	order := contract.Operation("readOrder")
	sent := func(name string, lines ...string) func(string) []string {
		return func(asked string) []string {
			if asked == name {
				return lines
			}
			return nil
		}
	}
	require.NoError(t, order.CheckHeaders(sent("X-Order-Token", strings.Repeat("a", 255))))
	require.EqualError(t, order.CheckHeaders(sent("X-Order-Token", strings.Repeat("a", 256))), "X-Order-Token: must be at most 255 characters long")
	require.ErrorIs(t, order.CheckHeaders(sent("X-Order-Token", "\xff")), commerce.ErrInvalid)
	require.NoError(t, order.CheckHeaders(sent("X-Else", "\xff")))
	write := contract.Operation("addLine")
	require.EqualError(t, write.CheckHeaders(sent("X-Else")), "Idempotency-Key: must be sent")
	home := contract.Operation("homeScreen")
	require.NoError(t, home.CheckHeaders(sent("X-Pixel-Density", "1.5")))
	for _, lines := range [][]string{{""}, {"5"}, {"3", "3"}} {
		require.EqualError(t, home.CheckHeaders(sent("X-Pixel-Density", lines...)), "X-Pixel-Density: must be one of 1, 1.5, 2, 3, 4")
	}
}

func TestPathsAreChecked(t *testing.T) {
	t.Parallel()
	line := contract.Operation("setLine")
	for id, field := range map[string]string{"g_1": "", "g_": "id", "": "id", "x_1": "id"} {
		err := line.CheckPath(func(name string) string { return map[string]string{"id": id, "lineId": "7"}[name] })
		if field == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, "id: must have the form that the contract names", id)
	}
	require.ErrorContains(t, line.CheckPath(func(string) string { return "g_1%20" }), "id: ")
}

// An operation that nobody knows takes nothing.
func TestUnknownOperationsTakeNothing(t *testing.T) {
	t.Parallel()
	none := contract.Operation("none")
	_, err := none.ParseQuery("a=1")
	require.ErrorIs(t, err, commerce.ErrInvalid)
	_, err = none.ParseQuery("")
	require.NoError(t, err)
}

func TestABadPatternIsAnError(t *testing.T) {
	t.Parallel()
	_, err := rules.Compile([]rules.Operation{{ID: "a", Body: &rules.Schema{Kind: rules.Object, Fields: []rules.Field{
		{Name: "f", Schema: &rules.Schema{Kind: rules.List, Items: &rules.Schema{Kind: rules.Text, Pattern: "("}}},
	}}}})
	require.ErrorContains(t, err, "a: f: ")
}

// Whatever is sent: what is taken is within the contract, and a refusal names an input
// and repeats no value.
func FuzzQuery(f *testing.F) {
	search := contract.Operation("searchScreen")
	for _, seed := range []string{
		"", "q=a", "q=%00", "q=%zz", "first=1", "first=007", "first=", "first=1&first=2", "facet=a:b&facet=a:c", "facet=a", "x=1", "a;b=c", "width=4097",
		"inStock=TRUE", "sort=NAME", "priceMin=1e3", "after=%ff", "%3Cb%3E=1", "category=a/b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := search.ParseQuery(raw)
		if err != nil {
			var input *commerce.InputError
			require.ErrorAs(t, err, &input)
			require.NotEmpty(t, input.Field)
			require.Less(t, len(err.Error()), 200)
			return
		}
		sent, err := url.ParseQuery(raw)
		require.NoError(t, err)
		for name, list := range sent {
			require.True(t, name == "facet" || len(list) == 1, name)
		}
		for name, most := range map[string]int{"first": 100, "width": 4096} {
			n := q.Number(name)
			require.True(t, n >= 0 && n <= most, name)
			if q.Has(name) {
				require.Equal(t, strconv.Itoa(n), q.Text(name))
				require.Positive(t, n)
			}
		}
		require.LessOrEqual(t, len([]rune(q.Text("q"))), commerce.MaxText)
		require.LessOrEqual(t, len(q.List("facet")), 50)
		for _, text := range q.List("facet") {
			require.Contains(t, text, ":")
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := rules.Compile(uncompiled()); err != nil {
			b.Fatal(err)
		}
	}
}

// uncompiled is an operation's rules without what a compilation left in them.
func uncompiled() []rules.Operation {
	list := make([]rules.Operation, 0, len(api.Operations))
	for _, o := range api.Operations {
		fresh := make([]rules.Parameter, 0, len(o.Query))
		for _, p := range o.Query {
			p.Schema = clone(p.Schema)
			fresh = append(fresh, p)
		}
		o.Query, o.Headers, o.Body = fresh, nil, clone(o.Body)
		list = append(list, o)
	}
	return list
}

func clone(s *rules.Schema) *rules.Schema {
	if s == nil {
		return nil
	}
	made := rules.Schema{
		Kind: s.Kind, Pattern: s.Pattern, Must: s.Must, Enum: s.Enum, MinLength: s.MinLength, MaxLength: s.MaxLength,
		Min: s.Min, Max: s.Max, MinItems: s.MinItems, MaxItems: s.MaxItems, Items: clone(s.Items),
	}
	for _, f := range s.Fields {
		made.Fields = append(made.Fields, rules.Field{Name: f.Name, Required: f.Required, Schema: clone(f.Schema)})
	}
	return &made
}

func BenchmarkBody(b *testing.B) {
	rule := contract.Operation("addLine").Body
	data := []byte(`{"sku":"BK-R93R-62","quantity":1}`)
	b.ReportAllocs()
	for b.Loop() {
		var in api.AddLine
		if err := strict.Decode(data, rule, &in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuery(b *testing.B) {
	search := contract.Operation("searchScreen")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := search.ParseQuery("q=helmet&first=20&sort=NAME&facet=color:Red"); err != nil {
			b.Fatal(err)
		}
	}
}
