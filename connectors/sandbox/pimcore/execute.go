package pimcore

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// object is what a query can select fields of.
type object interface {
	// typename is the GraphQL type.
	typename() string
	// field answers a scalar, an object, a list ([]any) of either, nil, or an error, which makes the field
	// null and is reported. language is what localized fields are in unless an argument says otherwise.
	field(name string, args arguments, language string) any
}

// arguments are a field's, with variables and defaults filled in.
type arguments map[string]any

func (a arguments) text(name string) string {
	text, _ := a[name].(string)
	return text
}

// number answers false when the argument was not given.
func (a arguments) number(name string) (int, bool) {
	switch n := a[name].(type) {
	case int64:
		return int(n), true
	case json.Number:
		i, err := n.Int64()
		return int(i), err == nil
	default:
		return 0, false
	}
}

func (a arguments) texts(name string) []string {
	list, _ := a[name].([]any)
	texts := make([]string, 0, len(list))
	for _, item := range list {
		if text, ok := item.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

type graphqlError struct {
	Message   string              `json:"message"`
	Locations []gqlerror.Location `json:"locations,omitempty"`
	Path      []any               `json:"path,omitempty"`
}

// execution is one query under way. Values are written as they are resolved.
type execution struct {
	schema    *ast.Schema
	vars      map[string]any
	collected map[collectedKey][]*collected
	out       bytes.Buffer
	errs      []graphqlError
}

// execute answers nil data when the query was refused before any field was resolved.
func (s *server) execute(sent request) (json.RawMessage, []graphqlError) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: sent.Query}, tokenLimit)
	if err != nil {
		return nil, refused(gqlerror.List{gqlerror.WrapIfUnwrapped(err)})
	}
	if errs := validator.ValidateWithRules(s.schema, doc, nil); len(errs) > 0 {
		return nil, refused(errs)
	}
	op := doc.Operations.ForName(sent.OperationName)
	if op == nil {
		return nil, []graphqlError{{Message: "Must provide operation name if query contains multiple operations."}}
	}
	vars, err := validator.VariableValues(s.schema, op, sent.Variables)
	if err != nil {
		return nil, refused(gqlerror.List{gqlerror.WrapIfUnwrapped(err)})
	}
	e := &execution{schema: s.schema, vars: vars, collected: map[collectedKey][]*collected{}}
	e.object(root{s.repo}, op.SelectionSet, &position{language: defaultLanguage})
	return e.out.Bytes(), e.errs
}

func refused(list gqlerror.List) []graphqlError {
	errs := make([]graphqlError, len(list))
	for i, err := range list {
		errs[i] = graphqlError{Message: err.Message, Locations: err.Locations}
	}
	return errs
}

// position is where in the answer a value goes, and the language there.
type position struct {
	parent   *position // nil at the top
	key      string    // within an object
	index    int       // within a list, when key is empty
	language string
}

// path is how GraphQL writes a position: keys and indexes from the top.
func (p *position) path() []any {
	if p.parent == nil {
		return nil
	}
	if p.key != "" {
		return append(p.parent.path(), p.key)
	}
	return append(p.parent.path(), p.index)
}

// collected is one key of an answer: all selections of it merged, with what they have in common for every object.
type collected struct {
	field *ast.Field
	args  arguments
	set   ast.SelectionSet
}

// collectedKey is a selection set, by its place in the query, asked of a type.
type collectedKey struct {
	typename string
	first    *ast.Selection
	length   int
}

// fields are what a selection set asks of a type. They are worked out once.
func (e *execution) fields(typename string, set ast.SelectionSet) []*collected {
	if len(set) == 0 {
		return nil
	}
	key := collectedKey{typename, &set[0], len(set)}
	fields, known := e.collected[key]
	if !known {
		fields = e.collect(typename, set, nil)
		e.collected[key] = fields
	}
	return fields
}

// collect lists what of set applies to the type, in the query's order, fragments spread.
func (e *execution) collect(typename string, set ast.SelectionSet, into []*collected) []*collected {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if e.included(s.Directives) {
				into = e.merge(into, s)
			}
		case *ast.InlineFragment:
			if e.included(s.Directives) && e.applies(s.TypeCondition, typename) {
				into = e.collect(typename, s.SelectionSet, into)
			}
		case *ast.FragmentSpread:
			if e.included(s.Directives) && e.applies(s.Definition.TypeCondition, typename) {
				into = e.collect(typename, s.Definition.SelectionSet, into)
			}
		}
	}
	return into
}

func (e *execution) merge(into []*collected, f *ast.Field) []*collected {
	for _, c := range into {
		if c.field.Alias == f.Alias {
			c.set = append(c.set[:len(c.set):len(c.set)], f.SelectionSet...)
			return into
		}
	}
	return append(into, &collected{field: f, args: f.ArgumentMap(e.vars), set: f.SelectionSet})
}

func (e *execution) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		on, _ := d.ArgumentMap(e.vars)["if"].(bool)
		if (d.Name == "skip" && on) || (d.Name == "include" && !on) {
			return false
		}
	}
	return true
}

// applies tells whether a fragment on condition is for the type: itself, its interface or a union it is in.
func (e *execution) applies(condition, typename string) bool {
	if condition == "" || condition == typename {
		return true
	}
	for _, possible := range e.schema.GetPossibleTypes(e.schema.Types[condition]) {
		if possible.Name == typename {
			return true
		}
	}
	return false
}

func (e *execution) object(o object, set ast.SelectionSet, at *position) {
	e.out.WriteByte('{')
	for i, c := range e.fields(o.typename(), set) {
		if i > 0 {
			e.out.WriteByte(',')
		}
		e.text(c.field.Alias)
		e.out.WriteByte(':')
		e.resolve(o, c, &position{parent: at, key: c.field.Alias, language: at.language})
	}
	e.out.WriteByte('}')
}

func (e *execution) resolve(o object, c *collected, at *position) {
	if c.field.Name == "__typename" {
		e.text(o.typename())
		return
	}
	if language := c.args.text("defaultLanguage"); language != "" {
		at.language = language
	}
	value := o.field(c.field.Name, c.args, at.language)
	if err, failed := value.(error); failed {
		e.errs = append(e.errs, graphqlError{
			Message: err.Error(), Path: at.path(),
			Locations: []gqlerror.Location{{Line: c.field.Position.Line, Column: c.field.Position.Column}},
		})
		value = nil
	}
	e.value(value, c.set, at)
}

func (e *execution) value(value any, set ast.SelectionSet, at *position) {
	switch v := value.(type) {
	case object:
		e.object(v, set, at)
	case []any:
		e.out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				e.out.WriteByte(',')
			}
			e.value(item, set, &position{parent: at, index: i, language: at.language})
		}
		e.out.WriteByte(']')
	case nil:
		e.out.WriteString("null")
	case string:
		e.text(v)
	default:
		e.other(v)
	}
}

// text writes a string. Most need no escapes.
func (e *execution) text(s string) {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			e.other(s)
			return
		}
	}
	e.out.WriteByte('"')
	e.out.WriteString(s)
	e.out.WriteByte('"')
}

func (e *execution) other(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		text = []byte("null")
		e.errs = append(e.errs, graphqlError{Message: fmt.Sprintf("cannot be written: %T", v)})
	}
	e.out.Write(text)
}
