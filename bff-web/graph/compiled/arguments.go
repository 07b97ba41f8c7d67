package compiled

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// given is the arguments of one field.
type given struct {
	field *ast.Field
	types []reflect.Type
	slot  int             // among those read anew for each request; -1 when constant
	fixed []reflect.Value // of constant arguments
	input func(*ast.Type, reflect.Type, any) (reflect.Value, error)
}

func (c *compiler) arguments(f *field) (*given, error) {
	g := &given{field: f.collected.Field, types: f.resolver.params, slot: -1, input: c.decode}
	varies := slices.ContainsFunc(f.collected.Arguments, func(a *ast.Argument) bool { return hasVariable(a.Value) })
	if varies {
		g.slot = len(c.tree.given)
		c.tree.given = append(c.tree.given, g)
		return g, nil
	}
	var err error
	if g.fixed, err = g.read(nil); err != nil {
		return nil, uncovered("an argument that cannot be read")
	}
	return g, nil
}

func hasVariable(v *ast.Value) bool {
	return v.Kind == ast.Variable || slices.ContainsFunc(v.Children, func(c *ast.ChildValue) bool { return hasVariable(c.Value) })
}

// arguments reads the arguments that depend on variables. It answers false when one
// cannot be read: then it is the generated executor's to say so.
func (t *tree) arguments(variables map[string]any) ([][]reflect.Value, bool) {
	if len(t.given) == 0 {
		return nil, true
	}
	all := make([][]reflect.Value, len(t.given))
	for i, g := range t.given {
		var err error
		if all[i], err = g.read(variables); err != nil {
			return nil, false
		}
	}
	return all, true
}

// of are the arguments for one request.
func (g *given) of(r *run) []reflect.Value {
	switch {
	case g == nil:
		return nil
	case g.slot < 0:
		return g.fixed
	default:
		return r.args[g.slot]
	}
}

func (g *given) read(variables map[string]any) ([]reflect.Value, error) {
	raw := g.field.ArgumentMap(variables)
	values := make([]reflect.Value, len(g.types))
	for i, def := range g.field.Definition.Arguments {
		value, exists := raw[def.Name]
		if value == nil {
			if exists && def.Type.NonNull {
				return nil, fmt.Errorf("%s is null", def.Name)
			}
			values[i] = reflect.Zero(g.types[i])
			continue
		}
		var err error
		if values[i], err = g.input(def.Type, g.types[i], value); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// decode makes v, which is not null, the Go value that the generated executor makes of it.
func (e *Executor) decode(t *ast.Type, typ reflect.Type, v any) (reflect.Value, error) {
	out := reflect.New(typ).Elem()
	if t.Elem != nil {
		return e.decodeList(t.Elem, typ, v)
	}
	def := e.schema.Types[t.NamedType]
	if def.Kind == ast.InputObject {
		return e.decodeObject(def, typ, v)
	}
	if typ.Kind() == reflect.Pointer {
		value, err := e.decode(t, typ.Elem(), v)
		if err != nil {
			return out, err
		}
		out.Set(reflect.New(typ.Elem()))
		out.Elem().Set(value)
		return out, nil
	}
	return out, decodeScalar(t.NamedType, out, v)
}

func decodeScalar(name string, out reflect.Value, v any) error {
	switch out.Kind() {
	case reflect.String:
		read := graphql.UnmarshalString
		if name == "ID" {
			read = graphql.UnmarshalID
		}
		s, err := read(v)
		out.SetString(s)
		return err
	case reflect.Int:
		n, err := graphql.UnmarshalInt(v)
		out.SetInt(int64(n))
		return err
	case reflect.Bool:
		b, err := graphql.UnmarshalBoolean(v)
		out.SetBool(b)
		return err
	}
	return fmt.Errorf("%s as %s", name, out.Type())
}

func (e *Executor) decodeList(elem *ast.Type, typ reflect.Type, v any) (reflect.Value, error) {
	list := graphql.CoerceList(v)
	out := reflect.MakeSlice(typ, len(list), len(list))
	for i, item := range list {
		if item == nil {
			continue
		}
		value, err := e.decode(elem, typ.Elem(), item)
		if err != nil {
			return out, err
		}
		out.Index(i).Set(value)
	}
	return out, nil
}

// decodeObject reads an input object by way of JSON, which the generated types know:
// it tells null from nothing.
func (e *Executor) decodeObject(def *ast.Definition, typ reflect.Type, v any) (reflect.Value, error) {
	out := reflect.New(typ)
	strict, err := e.strict(&ast.Type{NamedType: def.Name}, v)
	if err != nil {
		return out.Elem(), err
	}
	text, err := json.Marshal(strict)
	if err != nil {
		return out.Elem(), err
	}
	return out.Elem(), json.Unmarshal(text, out.Interface())
}

// strict is v as it would be had the client written it to the letter of its type: ids
// as text, lists as lists, defaults spelled out.
func (e *Executor) strict(t *ast.Type, v any) (any, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // null is a value
	}
	if t.Elem != nil {
		list := slices.Clone(graphql.CoerceList(v))
		for i := range list {
			var err error
			if list[i], err = e.strict(t.Elem, list[i]); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	switch def := e.schema.Types[t.NamedType]; {
	case def.Kind == ast.InputObject:
		return e.strictObject(def, v)
	case t.NamedType == "ID":
		return graphql.UnmarshalID(v)
	case t.NamedType == "String":
		return graphql.UnmarshalString(v)
	case t.NamedType == "Int":
		return graphql.UnmarshalInt(v)
	case t.NamedType == "Boolean":
		return graphql.UnmarshalBoolean(v)
	case def.Kind == ast.Enum:
		return v, nil
	}
	return nil, fmt.Errorf("input of type %s", t.NamedType)
}

func (e *Executor) strictObject(def *ast.Definition, v any) (any, error) {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%T is no object", v)
	}
	out := make(map[string]any, len(fields))
	for _, f := range def.Fields {
		value, there := fields[f.Name]
		if !there && f.DefaultValue != nil {
			var err error
			if value, err = f.DefaultValue.Value(nil); err != nil {
				return nil, err
			}
			there = true
		}
		if !there {
			continue
		}
		strict, err := e.strict(f.Type, value)
		if err != nil {
			return nil, err
		}
		out[f.Name] = strict
	}
	return out, nil
}
