package graphhttp

import (
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/schema/commerce"
)

// naming makes errors about values that do not fit their type what they are to
// the caller: bad input, by the field's name and without the value. Everything
// else is about the query itself and stays. doc is the parsed query, nil when it does
// not fit the schema.
func naming(doc *ast.QueryDocument, params *graphql.RawParams, errs gqlerror.List) gqlerror.List {
	told := errs[:min(len(errs), maxErrors)]
	named := make(gqlerror.List, len(told), len(told)+1)
	var parsed *ast.QueryDocument // params.Query, once an error needs it
	for i, err := range told {
		named[i] = err
		switch {
		case len(err.Path) > 0 && err.Path[0] == ast.PathName("variable"):
			field := variableField(doc, err.Path)
			if isNull(params.Variables, err.Path[1:]) {
				named[i] = absent(field)
			} else {
				named[i] = unfit(err, field)
			}
		case err.Rule == "ValuesOfCorrectType":
			if parsed == nil {
				parsed = parse(params.Query)
			}
			named[i] = unfit(err, argumentAt(parsed, err.Locations))
		}
	}
	if more := len(errs) - len(told); more > 0 {
		named = append(named, &gqlerror.Error{
			Message:    strconv.Itoa(more) + " more errors",
			Extensions: map[string]any{"code": errcode.ValidationFailed},
		})
	}
	return named
}

// maxErrors is how many errors of a query are told, each with what it is about.
const maxErrors = 20

// parse parses a query that validation has read; what cannot be parsed is empty.
func parse(query string) *ast.QueryDocument {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, DefaultLimits.Tokens)
	if err != nil {
		return &ast.QueryDocument{}
	}
	return doc
}

// absent is an error about a variable that was not sent: the request does not fit
// its query. The validator's own error has the variable for a path of the answer.
func absent(field string) *gqlerror.Error {
	return &gqlerror.Error{
		Message:    field + ": is required",
		Extensions: map[string]any{"code": errcode.ValidationFailed, "field": field, "reason": string(commerce.CodeRequired)},
	}
}

func unfit(err *gqlerror.Error, field string) *gqlerror.Error {
	message, reason := "must be of its declared type", commerce.CodeInvalid
	switch {
	case strings.Contains(err.Message, "unknown field") || strings.Contains(err.Message, "is not defined by type"):
		message = "is not a field of its type"
	case strings.Contains(err.Message, "must be defined"):
		message, reason = "is required", commerce.CodeRequired
	}
	return &gqlerror.Error{
		Message: field + ": " + message, Locations: err.Locations,
		Extensions: map[string]any{"code": graph.CodeBadInput, "field": field, "reason": string(reason)},
	}
}

// variableField is the argument that a variable goes into, with what is below
// it: the variable's own name means nothing to whoever reads the schema.
func variableField(doc *ast.QueryDocument, path ast.Path) string {
	var names []string
	for _, element := range path[1:] {
		if name, ok := element.(ast.PathName); ok {
			names = append(names, clip(string(name)))
		}
	}
	if len(names) == 0 {
		return "variables"
	}
	f := finder{matches: func(v *ast.Value, _ *ast.Position) bool { return v.Kind == ast.Variable && v.Raw == names[0] }}
	if found := f.search(doc); found != "" {
		names[0] = found
	}
	return strings.TrimPrefix(strings.Join(names, "."), "input.")
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
func argumentAt(doc *ast.QueryDocument, locations []gqlerror.Location) string {
	f := finder{matches: func(v *ast.Value, p *ast.Position) bool {
		return slices.ContainsFunc(locations, func(l gqlerror.Location) bool {
			return stands(v.Position, l) || stands(p, l)
		})
	}}
	if found := f.search(doc); found != "" {
		return found
	}
	return "arguments"
}

func stands(p *ast.Position, l gqlerror.Location) bool {
	return p != nil && p.Line == l.Line && p.Column == l.Column
}

// finder looks for an argument's value, or an input field's, by some property of
// the value or of where its name stands.
type finder struct {
	matches func(v *ast.Value, named *ast.Position) bool
	found   string
}

func (f *finder) search(doc *ast.QueryDocument) string {
	if doc == nil {
		return ""
	}
	for _, op := range doc.Operations {
		f.set(op.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		f.set(fragment.SelectionSet)
	}
	return f.found
}

func (f *finder) set(set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			for _, arg := range sel.Arguments {
				f.value(arg.Name, arg.Value, nil)
			}
			f.set(sel.SelectionSet)
		case *ast.InlineFragment:
			f.set(sel.SelectionSet)
		}
	}
}

func (f *finder) value(name string, v *ast.Value, named *ast.Position) {
	if f.matches(v, named) {
		f.found = name
	}
	for _, child := range v.Children {
		below := name
		if child.Name != "" {
			below = strings.TrimPrefix(name+"."+child.Name, "input.")
		}
		f.value(below, child.Value, child.Position)
	}
}
