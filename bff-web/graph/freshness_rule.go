package graph

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Rules are the rules that a query is validated by: the specification's, those of
// @freshness, and those of @defer's labels. They are made anew for each document.
func Rules() *rules.Rules {
	all := rules.NewDefaultRules()
	all.AddRule("Freshness", freshnessRule)
	all.AddRule("DeferLabel", deferLabelRule)
	return all
}

// freshnessRule refuses a query that takes what the schema does not give, or that says
// two things of one response key.
func freshnessRule(observers *validator.Events, addError validator.AddErrFunc) {
	used := false
	refused := map[*ast.Position]bool{} // a fragment is walked each time it is spread
	refuse := func(f *ast.Field, at *ast.Position, err *badFreshness) {
		if refused[at] {
			return
		}
		refused[at] = true
		addError(freshnessError(f, at, err))
	}
	observers.OnField(func(_ *validator.Walker, f *ast.Field) {
		d := f.Directives.ForName(directiveName)
		if d == nil || f.Definition == nil || f.ObjectDefinition == nil {
			return
		}
		used = true
		declared, ok := declaredOf(f.Definition)
		if !ok {
			refuse(f, d.Position, &badFreshness{reasonNoSource, "the field is read from no system of its own, so that the directive has no meaning here"})
			return
		}
		if _, err := declared.tighten(d); err != nil {
			bad, _ := err.(*badFreshness) //nolint:errorlint // tighten answers no other
			refuse(f, d.Position, bad)
		}
	})
	observers.OnOperation(func(w *validator.Walker, op *ast.OperationDefinition) {
		if used && len(refused) == 0 { // operations are told after their fields
			m := merger{doc: w.Document, refuse: refuse, left: maxMerged}
			m.set([]ast.SelectionSet{op.SelectionSet})
		}
	})
}

func freshnessError(f *ast.Field, at *ast.Position, bad *badFreshness) validator.ErrorOption {
	name := f.ObjectDefinition.Name + "." + f.Name
	return func(err *gqlerror.Error) {
		err.Message = name + ": @freshness: " + bad.message
		if at != nil {
			err.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
		}
		err.Extensions = map[string]any{"field": name, "reason": bad.reason}
	}
}

// maxMerged bounds how many fields are looked at for conflicts: more than any query has
// that the limits admit.
const maxMerged = 20_000

// merger looks for fields of one response key that differ in what they take: the
// executor answers them with one value.
type merger struct {
	doc    *ast.QueryDocument
	refuse func(*ast.Field, *ast.Position, *badFreshness)
	left   int
}

// set looks at selection sets whose fields become one object's.
func (m *merger) set(sets []ast.SelectionSet) {
	var order []string
	byKey := map[string][]*ast.Field{}
	spread := map[string]bool{}
	var collect func(ast.SelectionSet)
	collect = func(set ast.SelectionSet) {
		for _, sel := range set {
			if m.left--; m.left < 0 {
				return
			}
			switch sel := sel.(type) {
			case *ast.Field:
				if byKey[sel.Alias] == nil {
					order = append(order, sel.Alias)
				}
				byKey[sel.Alias] = append(byKey[sel.Alias], sel)
			case *ast.InlineFragment:
				collect(sel.SelectionSet)
			case *ast.FragmentSpread:
				if f := m.doc.Fragments.ForName(sel.Name); f != nil && !spread[sel.Name] {
					spread[sel.Name] = true
					collect(f.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		collect(set)
	}
	for _, key := range order {
		m.same(byKey[key])
	}
}

// same looks at fields of one response key.
func (m *merger) same(fields []*ast.Field) {
	var below []ast.SelectionSet
	first := ToleranceOf(fields[0])
	for _, f := range fields {
		if ToleranceOf(f) != first && !apart(f, fields[0]) {
			m.refuse(f, f.Position, &badFreshness{reasonConflict, "the field is asked for twice under one name with different directives; give one of them an alias"})
		}
		if len(f.SelectionSet) > 0 {
			below = append(below, f.SelectionSet)
		}
	}
	if len(below) > 0 {
		m.set(below)
	}
}

// apart tells whether two fields are never of one object.
func apart(a, b *ast.Field) bool {
	of, other := a.ObjectDefinition, b.ObjectDefinition
	return of == nil || other == nil || of != other && of.Kind == ast.Object && other.Kind == ast.Object
}
