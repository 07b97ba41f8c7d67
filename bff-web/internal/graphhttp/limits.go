package graphhttp

import (
	"strings"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// Limits bounds what a query may cost before anything is run. They are checked
// in time linear in the query's length, before validation, whose own cost some
// of them bound.
type Limits struct {
	Tokens        int // of the document
	Depth         int // of nested selections below the root
	Aliases       int // in the document
	Directives    int // in the document
	RootFields    int // of an operation, fragments expanded
	Fragments     int // in the document
	Operations    int // in the document
	FieldsPerSet  int // of one selection set as it is written
	SameKey       int // fields with one response key in one selection set
	Fields        int // of an operation, fragments expanded
	Nodes         int // objects an answer may hold, by the sizes asked for
	ListItems     int // of a list that is sent
	Introspection bool
}

// DefaultLimits are those of open mode.
var DefaultLimits = Limits{
	Tokens: 1_000, Depth: 6, Aliases: 10, Directives: 10, RootFields: 10, Fragments: 20, Operations: 10,
	FieldsPerSet: 150, SameKey: 5, Fields: 2_000, Nodes: 5_000, ListItems: 250,
}

// CodeLimit is extensions.code of a query that costs too much.
const CodeLimit = "QUERY_LIMIT"

func tooMuch(what string) *gqlerror.Error {
	return &gqlerror.Error{Message: "the query has " + what, Extensions: map[string]any{"code": CodeLimit}}
}

// size is what a selection set amounts to, fragments expanded.
type size struct{ fields, depth, roots int }

// survey measures a document. Each fragment is measured once.
type survey struct {
	Limits
	doc        *ast.QueryDocument
	fragments  map[string]*size // nil while being measured
	aliases    int
	directives int
	err        *gqlerror.Error
}

// Check parses a query and refuses it when it asks for too much. A query that
// does not parse is the executor's to refuse.
func (l Limits) Check(query string) *gqlerror.Error {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, l.Tokens)
	if err != nil {
		if strings.Contains(err.Error(), "exceeded token limit") {
			return tooMuch("too many tokens")
		}
		return nil
	}
	s := &survey{Limits: l, doc: doc, fragments: map[string]*size{}}
	s.whole()
	return s.err
}

func (s *survey) refuse(over bool, what string) {
	if over && s.err == nil {
		s.err = tooMuch(what)
	}
}

func (s *survey) whole() {
	s.refuse(len(s.doc.Fragments) > s.Fragments, "too many fragments")
	s.refuse(len(s.doc.Operations) > s.Operations, "too many operations")
	for _, f := range s.doc.Fragments {
		s.fragment(f.Name)
	}
	for _, op := range s.doc.Operations {
		s.directives += len(op.Directives)
		for _, v := range op.VariableDefinitions {
			s.directives += len(v.Directives)
		}
		total := s.set(op.SelectionSet)
		s.refuse(total.roots > s.RootFields, "too many root fields")
		s.refuse(total.fields > s.Fields, "too many fields")
		deep := s.Introspection && introspective(op.SelectionSet) // GraphiQL reads the schema in one deep query
		s.refuse(total.depth > s.Depth && !deep, "too many levels")
	}
	s.refuse(s.aliases > s.Aliases, "too many aliases")
	s.refuse(s.directives > s.Directives, "too many directives")
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

func (s *survey) fragment(name string) size {
	if known, ok := s.fragments[name]; ok {
		if known == nil {
			return size{} // a cycle; validation refuses it
		}
		return *known
	}
	s.fragments[name] = nil
	var total size
	if f := s.doc.Fragments.ForName(name); f != nil {
		s.directives += len(f.Directives)
		total = s.set(f.SelectionSet)
	}
	s.fragments[name] = &total
	return total
}

// ceiling keeps sums from growing without end: fragments double at every level.
const ceiling = 1 << 20

func (t *size) add(other size) {
	t.fields = min(t.fields+other.fields, ceiling)
	t.roots = min(t.roots+other.roots, ceiling)
	t.depth = max(t.depth, other.depth)
}

func (s *survey) set(set ast.SelectionSet) size {
	s.refuse(len(set) > s.FieldsPerSet, "too many fields in one selection")
	var total size
	same := map[string]int{}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			same[sel.Alias]++
			s.refuse(same[sel.Alias] > s.SameKey, "one field too often in one selection")
			total.add(s.field(sel))
		case *ast.InlineFragment:
			s.directives += len(sel.Directives)
			total.add(s.set(sel.SelectionSet))
		case *ast.FragmentSpread:
			s.directives += len(sel.Directives)
			total.add(s.fragment(sel.Name))
		}
	}
	return total
}

func (s *survey) field(f *ast.Field) size {
	if f.Alias != f.Name {
		s.aliases++
	}
	s.directives += len(f.Directives)
	if !s.Introspection && strings.HasPrefix(f.Name, "__") && f.Name != "__typename" && s.err == nil {
		s.err = &gqlerror.Error{Message: "introspection is disabled", Extensions: map[string]any{"code": errcode.ValidationFailed}}
	}
	total := size{fields: 1, roots: 1}
	if len(f.SelectionSet) > 0 {
		below := s.set(f.SelectionSet)
		total.fields = min(total.fields+below.fields, ceiling)
		total.depth = below.depth + 1
	}
	return total
}
