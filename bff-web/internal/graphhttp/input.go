package graphhttp

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/schema/commerce"
)

// arguments checks every argument of an operation before anything runs, so that
// malformed input costs no upstream call and is refused as a whole.
type arguments struct {
	Limits
	schema    *ast.Schema
	doc       *ast.QueryDocument
	variables map[string]any
	done      map[string]int // objects below a fragment; it is looked at once
}

// checkArguments answers the first argument that cannot be used, as an
// [commerce.InputError], or an error about how much is asked for.
func (l Limits) checkArguments(schema *ast.Schema, oc *graphql.OperationContext) error {
	a := &arguments{Limits: l, schema: schema, doc: oc.Doc, variables: oc.Variables, done: map[string]int{}}
	nodes, err := a.set(oc.Operation.SelectionSet)
	if err == nil && nodes > l.Nodes {
		return exceeds("objects in the answer:", "nodes", nodes, l.Nodes)
	}
	return err
}

// set checks the arguments of a selection and counts the objects it answers.
func (a *arguments) set(set ast.SelectionSet) (int, error) {
	total := 0
	for _, sel := range set {
		var nodes int
		var err error
		switch sel := sel.(type) {
		case *ast.Field:
			if err = a.conditions(sel.Directives); err == nil {
				nodes, err = a.field(sel)
			}
		case *ast.InlineFragment:
			if err = a.conditions(sel.Directives); err == nil {
				nodes, err = a.set(sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			if err = a.conditions(sel.Directives); err == nil {
				nodes, err = a.fragment(sel.Name)
			}
		}
		if err != nil {
			return 0, err
		}
		total = min(total+nodes, ceiling)
	}
	return total, nil
}

func (a *arguments) fragment(name string) (int, error) {
	if nodes, ok := a.done[name]; ok {
		return nodes, nil
	}
	nodes, err := a.set(a.doc.Fragments.ForName(name).SelectionSet)
	a.done[name] = nodes
	return nodes, err
}

// sizes guesses how long lists get that no argument bounds.
var sizes = map[string]int{"related": 6, "variants": 10, "lines": 10}

// conditions checks the directives whose condition is a variable: validation takes one
// that may be null where it has a default, and whoever sends null undoes the default.
func (a *arguments) conditions(list ast.DirectiveList) error {
	for _, d := range list {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		condition := d.Arguments.ForName("if")
		if condition == nil || condition.Value.Kind != ast.Variable {
			continue // validation has seen to it
		}
		value, err := condition.Value.Value(a.variables)
		switch _, decides := value.(bool); {
		case err != nil || value == nil:
			return required(condition.Value.Raw)
		case !decides:
			return wrongType(condition.Value.Raw, "Boolean")
		}
	}
	return nil
}

func (a *arguments) field(f *ast.Field) (int, error) {
	times := max(sizes[f.Name], 1)
	for _, def := range f.Definition.Arguments {
		value, sent, err := a.argument(f, def)
		if err != nil {
			return 0, err
		}
		if sent {
			c := check{Limits: a.Limits, schema: a.schema, owner: f.Name}
			if err := c.value(def.Name, def.Type, value); err != nil {
				return 0, err
			}
		}
		times = max(times, length(def.Name, value))
	}
	if len(f.SelectionSet) == 0 {
		return 0, nil
	}
	below, err := a.set(f.SelectionSet)
	return min(times*(1+below), ceiling), err
}

// argument is the value that a field has of an argument, and whether it was sent. A
// variable that was left out is as good as an argument that was.
func (a *arguments) argument(f *ast.Field, def *ast.ArgumentDefinition) (value any, sent bool, err error) {
	arg := f.Arguments.ForName(def.Name)
	sent = arg != nil
	if sent && arg.Value.Kind == ast.Variable {
		_, sent = a.variables[arg.Value.Raw] // defaults of variables are among them
	}
	if !sent {
		value, err = def.DefaultValue.Value(nil) // nil has a value: nil
		return value, false, err
	}
	if value, err = arg.Value.Value(a.variables); err != nil {
		return nil, true, outOfRange(def.Name)
	}
	return value, true, nil
}

// length is how many objects an argument asks for.
func length(name string, value any) int {
	switch name {
	case "first":
		n, _ := whole(value)
		return n
	case "skus", "ids":
		list, _ := value.([]any)
		return len(list)
	}
	return 1
}

// check is the check of one argument.
type check struct {
	Limits
	schema *ast.Schema
	owner  string // the field that has the argument
}

// value checks that v is of type t to the letter, and then what the name means.
// The executor is lenient: it takes 5 for "5" and "5" for 5.
func (c check) value(name string, t *ast.Type, v any) error {
	if v == nil {
		if t.NonNull { // validation takes a variable that may be null where there is a default
			return required(name)
		}
		return nil
	}
	if t.Elem != nil {
		return c.list(name, t.Elem, v)
	}
	def := c.schema.Types[t.NamedType]
	if def != nil && def.Kind == ast.InputObject {
		return c.object(name, def, v)
	}
	if !fits(t.NamedType, v) {
		return wrongType(name, t.NamedType)
	}
	if parse := parsers[c.key(name)]; parse != nil {
		return parse(name, v)
	}
	return nil
}

// key finds the meaning of a name: "id" means something else in each field.
func (c check) key(name string) string {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if own := c.owner + "." + last; parsers[own] != nil {
		return own
	}
	return last
}

func (c check) list(name string, elem *ast.Type, v any) error {
	var list []any
	switch v := v.(type) {
	case []any:
		list = v
	case []string:
		for _, s := range v {
			list = append(list, s)
		}
	default:
		list = []any{v}
	}
	most := c.ListItems
	if key := c.key(name); key == "skus" || key == "pages.ids" {
		most = commerce.MaxBatch
	}
	if len(list) > most {
		return &commerce.InputError{Field: name, Code: commerce.CodeOutOfRange, Message: "must hold at most " + strconv.Itoa(most) + " entries"}
	}
	for _, item := range list {
		if err := c.value(name, elem, item); err != nil {
			return err
		}
	}
	return nil
}

func (c check) object(name string, def *ast.Definition, v any) error {
	fields, ok := v.(map[string]any)
	if !ok {
		return wrongType(name, def.Name)
	}
	prefix := name + "."
	if name == "input" {
		prefix = ""
	}
	for _, f := range def.Fields { // in the schema's order, so that the first error is always the same
		v, sent := fields[f.Name]
		if !sent {
			continue // it has its default, or validation has seen to it
		}
		if err := c.value(prefix+f.Name, f.Type, v); err != nil {
			return err
		}
	}
	if def.Name == "AddressInput" {
		return address(fields).Validate(name)
	}
	return nil
}

// fits tells whether v, decoded with json.Number, is a value of a scalar or enum.
func fits(scalar string, v any) bool {
	switch scalar {
	case "String":
		_, ok := v.(string)
		return ok
	case "Boolean":
		_, ok := v.(bool)
		return ok
	case "Int":
		_, ok := whole(v)
		return ok
	case "ID":
		switch v.(type) {
		case string, json.Number, int64:
			return true
		}
		return false
	}
	return true // enums, which validation has checked
}

// whole is v as a GraphQL Int, which has 32 bits.
func whole(v any) (int, bool) {
	var n int64
	switch v := v.(type) {
	case int64:
		n = v
	case json.Number:
		parsed, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil {
			return 0, false
		}
		n = parsed
	default:
		return 0, false
	}
	return int(n), n >= math.MinInt32 && n <= math.MaxInt32
}

func wrongType(name, want string) error {
	article := "a "
	if strings.ContainsAny(want[:1], "AEIO") {
		article = "an "
	}
	return &commerce.InputError{Field: name, Code: commerce.CodeInvalid, Message: "must be " + article + want}
}

func required(name string) error {
	return &commerce.InputError{Field: name, Code: commerce.CodeRequired, Message: "must not be null"}
}

func outOfRange(name string) error {
	return &commerce.InputError{Field: name, Code: commerce.CodeOutOfRange, Message: "must be a 32-bit number"}
}

func address(fields map[string]any) commerce.Address {
	get := func(name string) string { s, _ := fields[name].(string); return s }
	a := commerce.Address{
		FirstName: get("firstName"), LastName: get("lastName"), Company: get("company"), City: get("city"),
		Region: get("region"), Postcode: get("postcode"), Country: get("country"), Phone: get("phone"),
	}
	switch street := fields["street"].(type) {
	case []any:
		for _, line := range street {
			s, _ := line.(string)
			a.Street = append(a.Street, s)
		}
	case []string:
		a.Street = street
	case string:
		a.Street = []string{street}
	}
	return a
}
