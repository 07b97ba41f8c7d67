package compiled

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Hint tells what a resolver is like, beyond its signature.
type Hint struct {
	// Quick resolvers never wait: they are called one after the other.
	Quick bool
	// Inline, if set, is called in place of the resolver, or of the domain's method, while
	// the answer is written.
	Inline *Inline
	// Direct, if set, is how a batch resolver is called.
	Direct *Direct
}

// Inline is a resolver that needs no context of its field: it never waits and never fails.
type Inline struct {
	parent reflect.Type // pointer
	value  reflect.Type
	text   func(ctx context.Context, obj any) string
	call   func(ctx context.Context, obj any, args []reflect.Value) reflect.Value
}

// InlineText makes a resolver of a text.
func InlineText[P any](f func(ctx context.Context, obj *P) string) *Inline {
	return &Inline{
		parent: reflect.TypeFor[*P](), value: reflect.TypeFor[string](),
		text: func(ctx context.Context, obj any) string {
			p, _ := obj.(*P) // the compiler has seen to it
			return f(ctx, p)
		},
	}
}

// InlineArg makes a resolver of a value with one argument.
func InlineArg[P, A, V any](f func(ctx context.Context, obj *P, arg A) V) *Inline {
	return &Inline{
		parent: reflect.TypeFor[*P](), value: reflect.TypeFor[V](),
		call: func(ctx context.Context, obj any, args []reflect.Value) reflect.Value {
			p, _ := obj.(*P)
			a, _ := args[0].Interface().(A)
			return reflect.ValueOf(f(ctx, p, a))
		},
	}
}

// resolver is a field's method.
type resolver struct {
	method reflect.Value
	params []reflect.Type // of the arguments, in the schema's order
	value  reflect.Type   // of one parent's field
	parent reflect.Type   // pointer; nil for a root field
	batch  bool           // takes all parents at once
	// unreadable resolvers have a signature that says nothing.
	unreadable bool
	hint       Hint
	direct     call // how a batch resolver is called; nil: by reflection
}

// resolversOf finds the resolvers of every field that has one.
func resolversOf(schema *ast.Schema, iface reflect.Type, root reflect.Value, hints map[string]Hint) (map[string]*resolver, error) {
	found := map[string]*resolver{}
	var mistakes []error
	for i := range iface.NumMethod() {
		typeName := iface.Method(i).Name
		def := schema.Types[typeName]
		if def == nil || def.Kind != ast.Object {
			mistakes = append(mistakes, fmt.Errorf("resolvers of %s: no such type", typeName))
			continue
		}
		if def == schema.Subscription {
			continue // streams are not covered
		}
		methods := root.MethodByName(typeName).Call(nil)[0]
		of := iface.Method(i).Type.Out(0)
		for j := range of.NumMethod() {
			m := of.Method(j)
			field := fieldNamed(def, m.Name)
			if field == nil {
				mistakes = append(mistakes, fmt.Errorf("resolver %s.%s: no such field", typeName, m.Name))
				continue
			}
			name := typeName + "." + field.Name
			r := &resolver{method: methods.MethodByName(m.Name), hint: hints[name]}
			if err := r.read(m.Type, def == schema.Query || def == schema.Mutation, len(field.Arguments)); err != nil {
				mistakes = append(mistakes, fmt.Errorf("resolver %s: %w", name, err))
				r.unreadable = true
			}
			found[name] = r
		}
	}
	for name, hint := range hints {
		if found[name] == nil && hint.Inline == nil {
			mistakes = append(mistakes, fmt.Errorf("hint for %s: no such resolver", name))
		}
	}
	return found, errors.Join(mistakes...)
}

// read takes a resolver's signature apart.
func (r *resolver) read(t reflect.Type, root bool, arguments int) error {
	first := 1
	if !root {
		first = 2
	}
	if t.NumIn() != first+arguments || t.NumOut() != 2 {
		return fmt.Errorf("its signature is %s", t)
	}
	for i := first; i < t.NumIn(); i++ {
		r.params = append(r.params, t.In(i))
	}
	r.value = t.Out(0)
	if root {
		return nil
	}
	r.parent = t.In(1)
	if r.parent.Kind() == reflect.Slice {
		r.batch, r.parent, r.value = true, r.parent.Elem(), r.value.Elem()
	}
	if d := r.hint.Direct; d != nil {
		if r.direct = d.bind(r.method.Interface()); r.direct == nil {
			return fmt.Errorf("its hint is for another signature than %s", t)
		}
	}
	if in := r.hint.Inline; in != nil && (in.parent != r.parent || in.value != r.value) {
		return fmt.Errorf("its hint is for %s of %s", in.value, in.parent)
	}
	return nil
}

// fieldNamed is the field that a Go name stands for.
func fieldNamed(def *ast.Definition, goName string) *ast.FieldDefinition {
	for _, f := range def.Fields {
		if same(f.Name, goName) {
			return f
		}
	}
	return nil
}

// same tells whether the generator takes a Go name for a field's.
func same(field, goName string) bool {
	return strings.EqualFold(strings.ReplaceAll(field, "_", ""), strings.ReplaceAll(goName, "_", ""))
}

// goName is the Go name of a field: its own, or what the schema says.
func goName(f *ast.FieldDefinition) string {
	if d := f.Directives.ForName("goField"); d != nil {
		if name := d.Arguments.ForName("name"); name != nil {
			return name.Value.Raw
		}
	}
	return f.Name
}
