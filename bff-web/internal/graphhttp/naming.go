package graphhttp

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/portico-bff/portico/bff-web/graph"
)

// naming makes errors about values that do not fit their type what they are to
// the caller: bad input, by the field's name and without the value. Everything
// else is about the query itself and stays.
func naming(params *graphql.RawParams, errs gqlerror.List) gqlerror.List {
	named := make(gqlerror.List, len(errs))
	for i, err := range errs {
		named[i] = err
		switch {
		case len(err.Path) > 0 && err.Path[0] == ast.PathName("variable"):
			if field := variablePath(err.Path); !isNull(params.Variables, err.Path[1:]) {
				named[i] = unfit(err, field)
			}
		case err.Rule == "ValuesOfCorrectType":
			named[i] = unfit(err, argumentAt(params.Query, err.Locations))
		}
	}
	return named
}

func unfit(err *gqlerror.Error, field string) *gqlerror.Error {
	message := "must be of its declared type"
	if err.Message == "unknown field" || strings.Contains(err.Message, "is not defined by type") {
		message = "is not a field of its type"
	}
	return &gqlerror.Error{
		Message: field + ": " + message, Locations: err.Locations,
		Extensions: map[string]any{"code": graph.CodeBadInput, "field": field, "reason": "INVALID"},
	}
}

// variablePath is the name of a variable and what is below it, without indexes.
func variablePath(path ast.Path) string {
	var names []string
	for _, element := range path[1:] {
		if name, ok := element.(ast.PathName); ok {
			names = append(names, clip(string(name)))
		}
	}
	return strings.Join(names, ".")
}

// isNull tells whether a variable's value is null or not there: a well-formed
// request that does not fit its query.
func isNull(variables map[string]any, path ast.Path) bool {
	var v any = variables
	for _, element := range path {
		switch element := element.(type) {
		case ast.PathName:
			fields, _ := v.(map[string]any)
			v = fields[string(element)]
		case ast.PathIndex:
			list, _ := v.([]any)
			if int(element) >= len(list) {
				return false
			}
			v = list[element]
		}
	}
	return v == nil && len(path) == 1
}

// argumentAt finds the argument or input field whose value stands at a location.
func argumentAt(query string, locations []gqlerror.Location) string {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, DefaultLimits.Tokens)
	if err != nil || len(locations) == 0 {
		return "arguments"
	}
	f := finder{at: locations[0]}
	for _, op := range doc.Operations {
		f.set(op.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		f.set(fragment.SelectionSet)
	}
	if f.found == "" {
		return "arguments"
	}
	return f.found
}

type finder struct {
	at    gqlerror.Location
	found string
}

func (f *finder) set(set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			for _, arg := range sel.Arguments {
				f.value(arg.Name, arg.Value)
			}
			f.set(sel.SelectionSet)
		case *ast.InlineFragment:
			f.set(sel.SelectionSet)
		}
	}
}

func (f *finder) value(name string, v *ast.Value) {
	if p := v.Position; p != nil && p.Line == f.at.Line && p.Column == f.at.Column {
		f.found = name
	}
	for _, child := range v.Children {
		below := name
		if child.Name != "" {
			below = strings.TrimPrefix(name+"."+child.Name, "input.")
		}
		f.value(below, child.Value)
	}
}
