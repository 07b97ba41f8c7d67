package graphhttp

import (
	"fmt"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Limits bounds what a query may cost before anything is run. What its text alone tells
// is checked in time linear in its length, before it is parsed: the parser's and the
// validator's own cost is bounded by them.
type Limits struct {
	Tokens        int // of the document, comments included
	Depth         int // of nested selections below the root, fragments expanded
	Aliases       int // in the document
	Directives    int // in the document
	RootFields    int // of an operation, fragments expanded
	Fragments     int // in the document
	Operations    int // in the document
	FieldsPerSet  int // of one selection set as it is written
	SameKey       int // fields with one response key in one selection set, inline fragments included
	Fields        int // of an operation, fragments expanded
	Nesting       int // of lists and objects in one literal value
	NameBytes     int // of a name
	Validation    int // tokens that validation reads, fragments once for each definition that leads to them
	Nodes         int // objects an answer may hold, by the sizes asked for
	ListItems     int // of a list that is sent
	Deferred      int // fragments that an operation defers, each wherever it is spread
	Calls         int // of one system that an operation may come to; 0 does not limit
	Introspection bool
}

// DefaultLimits are those of open mode.
var DefaultLimits = Limits{
	Tokens: 1_000, Depth: 6, Aliases: 10, Directives: 10, RootFields: 10, Fragments: 20, Operations: 10,
	FieldsPerSet: 150, SameKey: 5, Fields: 2_000, Nesting: 10, NameBytes: 128, Validation: 5_000, Nodes: 5_000, ListItems: 250, Deferred: 10, Calls: 40,
}

// CodeLimit is extensions.code of a query that asks for too much.
const CodeLimit = "QUERY_LIMIT"

// exceeds says that a figure is above its limit: by name for people and for programs.
func exceeds(what, limit string, actual, most int) *gqlerror.Error {
	return &gqlerror.Error{
		Message:    fmt.Sprintf("%s %d exceeds %d", what, actual, most),
		Extensions: map[string]any{"code": CodeLimit, "limit": limit, "max": most, "actual": actual},
	}
}

// Check refuses a document whose text alone says that it asks for too much, or that it
// is not GraphQL. It needs neither schema nor variables, and nothing is kept of it.
func (l Limits) Check(document string) *gqlerror.Error {
	s, fits := measure(document, l.Tokens)
	if s.tokens > l.Tokens {
		return exceeds("token count", "tokens", s.tokens, l.Tokens)
	}
	if !fits {
		line, column := place(document, s.at)
		return &gqlerror.Error{
			Message: "the query has a syntax error", Locations: []gqlerror.Location{{Line: line, Column: column}},
			Extensions: map[string]any{"code": errcode.ParseFailed},
		}
	}
	if err := l.written(&s.figures); err != nil {
		return err
	}
	return l.expanded(s)
}

// written checks what stands in a document as it is written.
func (l Limits) written(f *figures) *gqlerror.Error {
	for _, c := range []struct {
		what, limit  string
		actual, most int
	}{
		{"operation count", "operations", f.operations, l.Operations},
		{"fragment count", "fragments", f.fragments, l.Fragments},
		{"alias count", "aliases", f.aliases, l.Aliases},
		{"directive count", "directives", f.directives, l.Directives},
		{"fields in one selection set:", "fieldsPerSet", f.perSet, l.FieldsPerSet},
		{"fields of one name in one selection set:", "sameKey", f.sameKey, l.SameKey},
		{"nesting of a value", "nesting", f.nesting, l.Nesting},
		{"bytes of a name:", "nameBytes", f.nameBytes, l.NameBytes},
	} {
		if c.actual > c.most {
			return exceeds(c.what, c.limit, c.actual, c.most)
		}
	}
	if f.introspects && !l.Introspection {
		return &gqlerror.Error{Message: "introspection is disabled", Extensions: map[string]any{"code": errcode.ValidationFailed}}
	}
	return nil
}

// expanded checks what a document comes to when fragments stand where they are spread.
func (l Limits) expanded(s *survey) *gqlerror.Error {
	e := expand(s)
	for i := range s.defs {
		def := &s.defs[i]
		total := e.size(def)
		if def.fragment {
			continue
		}
		switch {
		case total.roots > l.RootFields:
			return exceeds("root field count", "rootFields", total.roots, l.RootFields)
		case total.depth > l.Depth && (!def.schema || !l.Introspection): // GraphiQL reads the schema in one deep query
			return exceeds("depth", "depth", total.depth, l.Depth)
		case total.fields > l.Fields:
			return exceeds("field count, fragments expanded,", "fields", total.fields, l.Fields)
		}
	}
	if tokens := e.validation(); tokens > l.Validation {
		return exceeds("token count, fragments expanded,", "validation", tokens, l.Validation)
	}
	return nil
}
