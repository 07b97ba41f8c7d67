package graphhttp

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

var hostileDocuments = flag.Int("hostile-documents", 4_000, "how many documents that are built to cost much TestW3_WorkIsLinear tries; a fifth of them are compared with the parser's tree")

// reference measures a parsed document: it is what the survey of the text must find.
type reference struct {
	figures
	doc       *ast.QueryDocument
	fragments map[string]*size
}

func refer(doc *ast.QueryDocument) *reference {
	r := &reference{doc: doc, fragments: map[string]*size{}}
	r.operations, r.figures.fragments = len(doc.Operations), len(doc.Fragments)
	for _, f := range doc.Fragments {
		r.names(f.Name, f.TypeCondition)
		r.variables(f.VariableDefinition)
		r.directed(f.Directives)
		r.set(f.SelectionSet, map[string]any{})
	}
	for _, op := range doc.Operations {
		r.names(op.Name)
		r.variables(op.VariableDefinitions)
		r.directed(op.Directives)
		r.set(op.SelectionSet, map[string]any{})
	}
	return r
}

func (r *reference) names(list ...string) {
	for _, name := range list {
		r.nameBytes = max(r.nameBytes, len(name))
	}
}

func (r *reference) variables(list ast.VariableDefinitionList) {
	for _, v := range list {
		r.names(v.Variable, v.Type.Name())
		depth := 0
		for t := v.Type; t.Elem != nil; t = t.Elem {
			depth++
		}
		r.nesting = max(r.nesting, depth)
		r.value(v.DefaultValue, 0)
		r.directed(v.Directives)
	}
}

func (r *reference) directed(list ast.DirectiveList) {
	r.directives += len(list)
	for _, d := range list {
		r.names(d.Name)
		r.arguments(d.Arguments)
	}
}

func (r *reference) arguments(list ast.ArgumentList) {
	for _, a := range list {
		r.names(a.Name)
		r.value(a.Value, 0)
	}
}

func (r *reference) value(v *ast.Value, depth int) {
	if v == nil {
		return
	}
	switch v.Kind {
	case ast.ListValue, ast.ObjectValue:
		depth++
		r.nesting = max(r.nesting, depth)
	case ast.Variable, ast.EnumValue, ast.BooleanValue, ast.NullValue:
		r.names(v.Raw)
	}
	for _, child := range v.Children {
		r.names(child.Name)
		r.value(child.Value, depth)
	}
}

// set measures a set; merged has the sets that it is one with, by response key.
func (r *reference) set(set ast.SelectionSet, merged map[string]any) {
	r.perSet = max(r.perSet, len(set))
	typed := false
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			r.names(sel.Name, sel.Alias)
			r.directed(sel.Directives)
			r.arguments(sel.Arguments)
			if sel.Alias != sel.Name {
				r.aliases++
			}
			r.introspects = r.introspects || strings.HasPrefix(sel.Name, "__") && sel.Name != "__typename"
			if sel.Alias != "__typename" || typed {
				used, _ := merged["#"+sel.Alias].(int)
				merged["#"+sel.Alias] = used + 1
				r.sameKey = max(r.sameKey, used+1)
			}
			typed = typed || sel.Alias == "__typename"
			if merged[sel.Alias] == nil {
				merged[sel.Alias] = map[string]any{}
			}
			below, _ := merged[sel.Alias].(map[string]any)
			r.set(sel.SelectionSet, below)
		case *ast.InlineFragment:
			r.names(sel.TypeCondition)
			r.directed(sel.Directives)
			r.set(sel.SelectionSet, merged)
		case *ast.FragmentSpread:
			r.names(sel.Name)
			r.directed(sel.Directives)
		}
	}
}

// expanded is what a set amounts to.
func (r *reference) expanded(set ast.SelectionSet) size {
	var total size
	add := func(other size) {
		total.fields = min(total.fields+other.fields, ceiling)
		total.roots = min(total.roots+other.roots, ceiling)
		total.depth = max(total.depth, other.depth)
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			one := size{fields: 1, roots: 1}
			if len(sel.SelectionSet) > 0 {
				below := r.expanded(sel.SelectionSet)
				one.fields, one.depth = min(1+below.fields, ceiling), below.depth+1
			}
			add(one)
		case *ast.InlineFragment:
			add(r.expanded(sel.SelectionSet))
		case *ast.FragmentSpread:
			add(r.fragment(sel.Name))
		}
	}
	return total
}

func (r *reference) fragment(name string) size {
	if known, ok := r.fragments[name]; ok {
		if known == nil {
			return size{}
		}
		return *known
	}
	r.fragments[name] = nil
	var total size
	if f := r.doc.Fragments.ForName(name); f != nil {
		total = r.expanded(f.SelectionSet)
	}
	r.fragments[name] = &total
	return total
}

// compare holds that what the parser takes the survey takes, with the same figures.
func compare(t *testing.T, document string) {
	t.Helper()
	const most = 3_000
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: document}, most)
	if err != nil {
		return // the parser refuses it, whatever the survey finds
	}
	s, fits := measure(document, most)
	require.True(t, fits, "refused at %d: %q", s.at, document)
	require.LessOrEqual(t, s.tokens, most)
	if s.tokens > 0 {
		_, err = parser.ParseQueryWithTokenLimit(&ast.Source{Input: document}, s.tokens)
		require.NoError(t, err, "there are more tokens than %d: %q", s.tokens, document)
	}
	if s.tokens > 1 {
		_, err = parser.ParseQueryWithTokenLimit(&ast.Source{Input: document}, s.tokens-1)
		require.Error(t, err, "there are fewer tokens than %d: %q", s.tokens, document)
	}
	r := refer(doc)
	found := s.figures
	found.tokens = 0
	require.GreaterOrEqual(t, found.nameBytes, r.nameBytes, "keywords are names, too: %q", document)
	found.nameBytes = r.nameBytes
	require.Equal(t, r.figures, found, "%q", document)
	compareSizes(t, s, r)
}

// compareSizes compares what definitions come to.
func compareSizes(t *testing.T, s *survey, r *reference) {
	t.Helper()
	e := expand(s)
	var fragments, operations int
	for i := range s.defs {
		if s.defs[i].fragment {
			// In the order of the text, as a fragment that leads back to itself depends on it.
			f := r.doc.Fragments[fragments]
			fragments++
			if e.known[f.Name] != &s.defs[i] {
				continue
			}
			require.Equal(t, r.fragment(f.Name), e.size(&s.defs[i]), "%s", f.Name)
			continue
		}
		set := r.doc.Operations[operations].SelectionSet
		operations++
		require.Equal(t, r.expanded(set), e.size(&s.defs[i]))
		require.Equal(t, introspective(set), s.defs[i].schema)
	}
}

// introspective tells whether a selection reads the schema only.
func introspective(set ast.SelectionSet) bool {
	for _, sel := range set {
		if f, ok := sel.(*ast.Field); !ok || !strings.HasPrefix(f.Name, "__") {
			return false
		}
	}
	return len(set) > 0
}

// TestW3_TheTextSaysWhatTheTreeSays compares the survey with the parser's tree, over hostile
// documents.
func TestW3_TheTextSaysWhatTheTreeSays(t *testing.T) {
	t.Parallel()
	for n := range *hostileDocuments / 5 {
		compare(t, hostileDocument(n))
	}
}

// TestW3_WorkIsLinear counts what is looked at, which time follows: it grows with the
// document, and with nothing else.
func TestW3_WorkIsLinear(t *testing.T) {
	t.Parallel()
	const perByte = 12
	for n := range *hostileDocuments {
		document := hostileDocument(n)
		s, fits := measure(document, DefaultLimits.Tokens)
		if fits && s.tokens <= DefaultLimits.Tokens && DefaultLimits.written(&s.figures) == nil {
			_ = DefaultLimits.expanded(s)
		}
		require.LessOrEqual(t, s.steps, perByte*len(document)+perByte, "document %d", n)
	}
}

func refused(t *testing.T, document string) (message string, extensions map[string]any) {
	t.Helper()
	err := DefaultLimits.Check(document)
	require.NotNil(t, err, document)
	return err.Message, err.Extensions
}

// TestW2_RefusalsNameTheLimitAndTheFigure takes each limit at its edge.
func TestW2_RefusalsNameTheLimitAndTheFigure(t *testing.T) {
	t.Parallel()
	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	for _, c := range []struct {
		limit    string
		max      int
		message  string
		document func(n int) string
	}{
		{"tokens", 1000, "token count 1001 exceeds 1000", func(n int) string { return "{a " + strings.Repeat("#\n", n-3) + "}" }},
		{"depth", 6, "depth 7 exceeds 6", func(n int) string { return "{" + strings.Repeat("a{", n) + "b" + strings.Repeat("}", n+1) }},
		{"aliases", 10, "alias count 11 exceeds 10", func(n int) string { return "{x{" + repeat(n, "a#:b ") + "}}" }},
		{"directives", 10, "directive count 11 exceeds 10", func(n int) string { return "{a " + repeat(n, "@skip(if:true)") + "}" }},
		{"rootFields", 10, "root field count 11 exceeds 10", func(n int) string { return "{" + repeat(n-1, "f# ") + "...F} fragment F on Q{a}" }},
		{"fragments", 20, "fragment count 21 exceeds 20", func(n int) string { return "{a}" + repeat(n, "fragment F# on Q{a}") }},
		{"operations", 10, "operation count 11 exceeds 10", func(n int) string { return repeat(n, "query Q#{a}") }},
		{"fieldsPerSet", 150, "fields in one selection set: 151 exceeds 150", func(n int) string { return "{x{" + repeat(n, "f# ") + "}}" }},
		{"sameKey", 5, "fields of one name in one selection set: 6 exceeds 5", func(n int) string { return "{a" + repeat(n-2, " ...on Q{a}") + " ...{...{a}}}" }},
		{"sameKey", 5, "fields of one name in one selection set: 6 exceeds 5", func(n int) string { return "{x{" + repeat(n-1, "a ") + "} x{a}}" }},
		{"sameKey", 5, "fields of one name in one selection set: 6 exceeds 5", func(n int) string {
			return "{x{__typename" + repeat(20, " ...{__typename}") + repeat(n, " __typename") + "}}"
		}},
		{"nesting", 10, "nesting of a value 11 exceeds 10", func(n int) string { return "{a(b:" + repeat(n, "[") + repeat(n, "]") + ")}" }},
		{"nameBytes", 128, "bytes of a name: 129 exceeds 128", func(n int) string { return "{" + repeat(n, "n") + "}" }},
		{"fields", 2000, "field count, fragments expanded, 2001 exceeds 2000", fieldsDocument},
	} {
		document := c.document(c.max)
		require.Nil(t, DefaultLimits.Check(document), "%s: %s", c.limit, document)
		message, extensions := refused(t, c.document(c.max+1))
		assert.Equal(t, c.message, message)
		assert.Equal(t, map[string]any{"code": CodeLimit, "limit": c.limit, "max": c.max, "actual": c.max + 1}, extensions)
	}
}

// fieldsDocument has n fields once its fragments are expanded; n is 1,901 or more.
func fieldsDocument(n int) string {
	return "{x{" + strings.Repeat("...F ", 20) + manyFields(n-1-20*95) + "}} fragment F on Q{" + manyFields(95) + "}"
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "f%d ", i)
	}
	return b.String()
}

// TestW2_ValidationReadsNoFragmentTooOften takes a document that is small in every other way:
// validation would read most of it once for every fragment.
func TestW2_ValidationReadsNoFragmentTooOften(t *testing.T) {
	t.Parallel()
	chain := func(n int) string {
		var b strings.Builder
		b.WriteString("{p{...F0}}")
		for i := range n {
			fmt.Fprintf(&b, "fragment F%d on P{...F%d %s}", i, i+1, manyFields(38))
		}
		fmt.Fprintf(&b, "fragment F%d on P{a}", n)
		return b.String()
	}
	require.Nil(t, DefaultLimits.Check(chain(10)))
	message, extensions := refused(t, chain(19))
	assert.Regexp(t, `^token count, fragments expanded, \d+ exceeds 5000$`, message)
	assert.Equal(t, "validation", extensions["limit"])
	exactly := DefaultLimits
	exactly.Validation, _ = extensions["actual"].(int)
	assert.Nil(t, exactly.Check(chain(19)), "as many as there may be")
	exactly.Validation--
	assert.NotNil(t, exactly.Check(chain(19)))
}

func TestW3_WhatIsNotGraphQLIsRefusedAtItsPlace(t *testing.T) {
	t.Parallel()
	for document, at := range map[string][2]int{
		"{a":               {1, 3},
		"{a}\r\n}":         {2, 2},
		"{\né %":           {2, 1},
		"{a \"b\"}":        {1, 7},
		"{a(b:\"x\n\")}":   {1, 8},
		"nonsense":         {1, 9},
		"{a ... F {b}}":    {1, 11},
		"{a(b:1)):c}":      {1, 9},
		"{a(b:\"\"\"x\")}": {1, 13},
		"{a(b:01)}":        {1, 8},
		"{...on}":          {1, 8},
		"query{a}}":        {1, 10},
	} {
		err := DefaultLimits.Check(document)
		if document == "{...on}" {
			assert.Nil(t, err, "the parser's to refuse")
			continue
		}
		require.NotNil(t, err, document)
		assert.Equal(t, errcode.ParseFailed, err.Extensions["code"], document)
		require.Len(t, err.Locations, 1)
		assert.Equal(t, at, [2]int{err.Locations[0].Line, err.Locations[0].Column}, document)
	}
}

// TestW3_FragmentChainIsRefused takes the document that cost gqlgen's own
// complexity check 14 seconds.
func TestW3_FragmentChainIsRefused(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("{...F0}")
	for i := range 18 {
		fmt.Fprintf(&b, "fragment F%d on Query{...F%d ...F%d}", i, i+1, i+1)
	}
	b.WriteString("fragment F18 on Query{__typename}")
	message, _ := refused(t, b.String())
	assert.Equal(t, "root field count 262144 exceeds 10", message)
}

func TestW4_IntrospectionIsRefusedByTheText(t *testing.T) {
	t.Parallel()
	message, extensions := refused(t, "{a:__schema{types{name}}}")
	assert.Equal(t, "introspection is disabled", message)
	assert.Equal(t, errcode.ValidationFailed, extensions["code"])
	assert.Nil(t, DefaultLimits.Check("{__typename __x:sku}"))
	open := DefaultLimits
	open.Introspection = true
	deep := "{__schema{" + strings.Repeat("a{", 9) + "b" + strings.Repeat("}", 10) + "%s}"
	assert.Nil(t, open.Check(fmt.Sprintf(deep, "")))
	for _, beside := range []string{" sku", " ...{__type}", " ...F"} {
		assert.NotNil(t, open.Check(fmt.Sprintf(deep, beside)), beside)
	}
}

// FuzzCheck looks for a document that the parser takes and the survey does not, or that it
// finds other figures in.
func FuzzCheck(f *testing.F) {
	f.Add(`{product(sku:"A"){sku}}`)
	f.Add(`query($a:Int=1)@x{...F}fragment F on Query{...F}`)
	for n := range len(shapes) {
		f.Add(hostileDocument(n))
	}
	f.Fuzz(func(t *testing.T, document string) {
		compare(t, document)
		s, _ := measure(document, DefaultLimits.Tokens)
		if s.steps > 12*len(document)+12 {
			t.Fatalf("%d steps for %d bytes", s.steps, len(document))
		}
		_ = DefaultLimits.Check(document)
	})
}
