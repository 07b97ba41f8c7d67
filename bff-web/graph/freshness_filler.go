package graph

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/generated"
)

// A filler is the constant that the schema declares in place of a value:
//
//	reviews: ReviewSummary @freshness(onError: DEFAULT, default: {count: 0, average: 0, items: []})
//
// It is written with the schema's names, holds every field of its type but those that are
// made of the others, and is made a Go value once.

// fillers are the Go values that were made. There are no more than the schema declares.
var fillers sync.Map // *ast.FieldDefinition → any

// ownSchema is the schema that the server runs.
var ownSchema = sync.OnceValue(func() *ast.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() })

// fillerOf is the constant that f's definition declares, as the Go value of the field.
// It is shared and read-only.
func fillerOf[V any](def *ast.FieldDefinition) (V, error) {
	if made, ok := fillers.Load(def); ok {
		v, ok := made.(V)
		if !ok {
			return v, fmt.Errorf("default of %s is of another type", def.Name)
		}
		return v, nil
	}
	var v V
	constant := constantOf(def)
	if constant == nil {
		return v, fmt.Errorf("%s declares no default", def.Name)
	}
	if err := (filler{ownSchema()}).fill(reflect.ValueOf(&v).Elem(), def.Type, constant); err != nil {
		return v, fmt.Errorf("default of %s: %w", def.Name, err)
	}
	fillers.Store(def, v)
	return v, nil
}

func constantOf(def *ast.FieldDefinition) *ast.Value {
	d := def.Directives.ForName(directiveName)
	if d == nil {
		return nil
	}
	if arg := d.Arguments.ForName(defaultName); arg != nil {
		return arg.Value
	}
	return nil
}

// filler makes Go values of constants.
type filler struct{ schema *ast.Schema }

// fill sets out, of the Go type that t binds to, to what v says.
func (m filler) fill(out reflect.Value, t *ast.Type, v *ast.Value) error {
	if out.Kind() == reflect.Pointer && v.Kind != ast.NullValue {
		out.Set(reflect.New(out.Type().Elem()))
		return m.fill(out.Elem(), t, v)
	}
	if v.Kind == ast.NullValue {
		return nil
	}
	switch out.Kind() {
	case reflect.Slice:
		out.Set(reflect.MakeSlice(out.Type(), len(v.Children), len(v.Children)))
		for i, child := range v.Children {
			if err := m.fill(out.Index(i), t.Elem, child.Value); err != nil {
				return err
			}
		}
		return nil
	case reflect.Struct:
		return m.object(out, m.schema.Types[t.Name()], v)
	default:
		return scalar(out, v)
	}
}

func (m filler) object(out reflect.Value, def *ast.Definition, v *ast.Value) error {
	for _, child := range v.Children {
		field := def.Fields.ForName(child.Name)
		if field == nil {
			return fmt.Errorf("%s has no field %s", def.Name, child.Name)
		}
		name := goNameOf(field)
		at := out.FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, name) })
		if !at.IsValid() {
			return fmt.Errorf("%s.%s is no field of %s", def.Name, child.Name, out.Type())
		}
		if err := m.fill(at, field.Type, child.Value); err != nil {
			return fmt.Errorf("%s: %w", child.Name, err)
		}
	}
	return nil
}

// goNameOf is the name of what a field binds to in Go.
func goNameOf(f *ast.FieldDefinition) string {
	if d := f.Directives.ForName("goField"); d != nil {
		if name := d.Arguments.ForName("name"); name != nil {
			return name.Value.Raw
		}
	}
	return f.Name
}

func scalar(out reflect.Value, v *ast.Value) error {
	switch out.Kind() {
	case reflect.String:
		out.SetString(v.Raw)
	case reflect.Bool:
		out.SetBool(v.Raw == "true")
	case reflect.Int:
		n, err := strconv.ParseInt(v.Raw, 10, 64)
		out.SetInt(n)
		return err
	case reflect.Float64:
		x, err := strconv.ParseFloat(v.Raw, 64)
		out.SetFloat(x)
		return err
	default:
		return fmt.Errorf("no constant makes a %s", out.Type())
	}
	return nil
}

// CheckFreshness checks what a schema declares with @freshness: that each declaration can
// be read, and that each default is a value of its field's type. Its error names every
// field that is wrong.
func CheckFreshness(schema *ast.Schema) error {
	var errs []error
	for _, def := range schema.Types {
		for _, field := range def.Fields {
			own := field.Directives.ForName(directiveName)
			if own == nil {
				continue
			}
			_, err := declaredBy(own)
			if constant := constantOf(field); err == nil && constant != nil {
				err = fits(schema, field.Type, constant)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s.%s: @freshness: %w", def.Name, field.Name, err))
			}
		}
	}
	return errors.Join(errs...)
}

// literals are the kinds of constant that the built-in scalars take.
var literals = map[string][]ast.ValueKind{
	"Int":     {ast.IntValue},
	"Float":   {ast.IntValue, ast.FloatValue},
	"String":  {ast.StringValue, ast.BlockValue},
	"ID":      {ast.StringValue, ast.IntValue},
	"Boolean": {ast.BooleanValue},
}

// fits checks that v is what a field of type t could answer.
func fits(schema *ast.Schema, t *ast.Type, v *ast.Value) error {
	if v.Kind == ast.NullValue {
		if t.NonNull {
			return errors.New("null is no " + t.String())
		}
		return nil
	}
	if t.Elem != nil {
		if v.Kind != ast.ListValue {
			return errors.New("it is no list")
		}
		for _, child := range v.Children {
			if err := fits(schema, t.Elem, child.Value); err != nil {
				return err
			}
		}
		return nil
	}
	def := schema.Types[t.NamedType]
	switch {
	case def.Kind == ast.Object:
		return fitsObject(schema, def, v)
	case def.Kind == ast.Enum:
		if v.Kind != ast.EnumValue || def.EnumValues.ForName(v.Raw) == nil {
			return errors.New("it is no " + def.Name)
		}
	case !slices.Contains(literals[def.Name], v.Kind):
		return errors.New("it is no " + def.Name)
	}
	return nil
}

// computed tells whether a field is made of its object's others.
func computed(f *ast.FieldDefinition) bool {
	d := f.Directives.ForName("goField")
	if d == nil {
		return false
	}
	forced := d.Arguments.ForName("forceResolver")
	return forced != nil && forced.Value.Raw == "true"
}

func fitsObject(schema *ast.Schema, def *ast.Definition, v *ast.Value) error {
	if v.Kind != ast.ObjectValue {
		return errors.New("it is no object")
	}
	for _, child := range v.Children {
		if def.Fields.ForName(child.Name) == nil {
			return fmt.Errorf("%s has no field %s", def.Name, child.Name)
		}
	}
	for _, field := range def.Fields {
		value := v.Children.ForName(field.Name)
		switch {
		case strings.HasPrefix(field.Name, "__"), value == nil && computed(field):
		case computed(field):
			return fmt.Errorf("%s.%s is made of the others", def.Name, field.Name)
		case value == nil:
			return fmt.Errorf("%s.%s is not given", def.Name, field.Name)
		default:
			if err := fits(schema, field.Type, value); err != nil {
				return fmt.Errorf("%s: %w", field.Name, err)
			}
		}
	}
	return nil
}
