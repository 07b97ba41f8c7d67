package compiled

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// A fragment with @defer is a selection of its own: its fields are no fields of the
// selection that it stands in, and may be answered later.

// fragment is a deferred one.
type fragment struct {
	label *string // nil: it has none
	set   ast.SelectionSet
}

// Deferred counts the fragments that oc's operation defers, each wherever it is spread,
// up to most and one more.
func Deferred(oc *graphql.OperationContext, most int) int {
	if !strings.Contains(oc.RawQuery, "defer") {
		return 0
	}
	s := splitter{oc: oc}
	return s.count(oc.Operation.SelectionSet, most)
}

// count is how many fragments are deferred in and below set.
func (s *splitter) count(set ast.SelectionSet, most int) (n int) {
	for _, selected := range set {
		if n > most {
			return n
		}
		switch selected := selected.(type) {
		case *ast.Field:
			if s.stays(selected.Directives) {
				n += s.count(selected.SelectionSet, most-n)
			}
		default:
			f := s.fragment(selected)
			if !s.stays(f.directives) {
				continue
			}
			if _, deferred := s.defers(f.directives); deferred {
				n++
			}
			n += s.count(f.set, most-n)
		}
	}
	return n
}

// Split tells the selections of set that are answered at once from those of each fragment
// that it defers. Set is left as it is, and answered where there are none.
func Split(oc *graphql.OperationContext, set ast.SelectionSet) (now ast.SelectionSet, later []ast.SelectionSet) {
	if !strings.Contains(oc.RawQuery, "defer") {
		return set, nil
	}
	s := splitter{oc: oc}
	now, fragments := s.split(set)
	for _, f := range fragments {
		later = append(later, f.set)
	}
	return now, later
}

// splitter splits one selection.
type splitter struct {
	oc   *graphql.OperationContext
	seen map[string]bool // fragments that were spread and not deferred
}

// spread is a fragment where it is used, inline or by its name.
type spread struct {
	name       string // empty: it is inline
	on         string
	directives ast.DirectiveList
	set        ast.SelectionSet
}

func (s *splitter) fragment(selected ast.Selection) spread {
	switch f := selected.(type) {
	case *ast.InlineFragment:
		return spread{on: f.TypeCondition, directives: f.Directives, set: f.SelectionSet}
	case *ast.FragmentSpread:
		if def := s.oc.Doc.Fragments.ForName(f.Name); def != nil {
			return spread{name: f.Name, on: def.TypeCondition, directives: f.Directives, set: def.SelectionSet}
		}
	}
	return spread{}
}

// split tells the selections of set that are answered at once from fragments that are
// deferred, which lie in set itself or in fragments that are not. Set is left as it is, and
// answered where there are none.
func (s *splitter) split(set ast.SelectionSet) (now ast.SelectionSet, later []fragment) {
	divided := false
	for _, selected := range set {
		if _, ok := selected.(*ast.Field); ok {
			now = append(now, selected)
			continue
		}
		f := s.fragment(selected)
		if !s.stays(f.directives) || f.name != "" && s.seen[f.name] {
			divided = true
			continue
		}
		if label, deferred := s.defers(f.directives); deferred {
			divided = true
			later = append(later, fragment{label, f.only(f.set)})
			continue
		}
		s.see(f.name)
		own, below := s.split(f.set)
		if len(below) == 0 {
			now = append(now, selected)
			continue
		}
		divided = true
		now = append(now, f.only(own)...)
		for _, d := range below {
			later = append(later, fragment{d.label, f.only(d.set)})
		}
	}
	if !divided {
		return set, nil
	}
	return now, later
}

func (s *splitter) see(name string) {
	if name == "" {
		return
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	s.seen[name] = true
}

// only is set, for the objects that the fragment is for.
func (f spread) only(set ast.SelectionSet) ast.SelectionSet {
	return ast.SelectionSet{&ast.InlineFragment{TypeCondition: f.on, SelectionSet: set}}
}

// stays tells whether @skip and @include leave what they stand at.
func (s *splitter) stays(list ast.DirectiveList) bool {
	for _, d := range list {
		if d.Name == "skip" && s.holds(d) || d.Name == "include" && !s.holds(d) {
			return false
		}
	}
	return true
}

// defers tells whether a fragment is deferred, and by which label.
func (s *splitter) defers(list ast.DirectiveList) (label *string, deferred bool) {
	d := list.ForName("defer")
	if d == nil || !s.holds(d) {
		return nil, false
	}
	if text, ok := d.ArgumentMap(s.oc.Variables)["label"].(string); ok {
		label = &text
	}
	return label, true
}

func (s *splitter) holds(d *ast.Directive) bool {
	holds, _ := d.ArgumentMap(s.oc.Variables)["if"].(bool)
	return holds
}

// Undivided is oc for who would defer fragments, with none that is.
func Undivided(oc *graphql.OperationContext) *graphql.OperationContext {
	if !strings.Contains(oc.RawQuery, "defer") {
		return oc
	}
	doc, op := *oc.Doc, *oc.Operation
	doc.Fragments = make(ast.FragmentDefinitionList, len(oc.Doc.Fragments))
	for i, f := range oc.Doc.Fragments {
		own := *f
		own.SelectionSet = whole(f.SelectionSet)
		doc.Fragments[i] = &own
	}
	op.SelectionSet = whole(op.SelectionSet)
	return &graphql.OperationContext{
		RawQuery: oc.RawQuery, Variables: oc.Variables, OperationName: oc.OperationName, Doc: &doc, Extensions: oc.Extensions,
		Headers: oc.Headers, Operation: &op, DisableIntrospection: oc.DisableIntrospection, RecoverFunc: oc.RecoverFunc,
		ResolverMiddleware: oc.ResolverMiddleware, RootResolverMiddleware: oc.RootResolverMiddleware, Stats: oc.Stats,
	}
}

// whole is a copy of set in which nothing is deferred.
func whole(set ast.SelectionSet) ast.SelectionSet {
	copied := make(ast.SelectionSet, len(set))
	for i, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			own := *s
			own.SelectionSet = whole(s.SelectionSet)
			copied[i] = &own
		case *ast.InlineFragment:
			own := *s
			own.SelectionSet, own.Directives = whole(s.SelectionSet), atOnce(s.Directives)
			copied[i] = &own
		case *ast.FragmentSpread:
			own := *s
			own.Directives = atOnce(s.Directives)
			copied[i] = &own
		}
	}
	return copied
}

// atOnce is list without @defer.
func atOnce(list ast.DirectiveList) (rest ast.DirectiveList) {
	for _, d := range list {
		if d.Name != "defer" {
			rest = append(rest, d)
		}
	}
	return rest
}
