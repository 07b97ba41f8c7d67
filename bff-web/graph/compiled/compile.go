package compiled

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// compiler compiles one operation.
type compiler struct {
	*Executor
	oc      *graphql.OperationContext
	tree    *tree
	divided bool // fragments are deferred
}

// uncovered is why an operation cannot be compiled.
type uncovered string

// Error is the reason.
func (u uncovered) Error() string { return string(u) }

func (e *Executor) compile(oc *graphql.OperationContext, divided bool) *tree {
	c := &compiler{Executor: e, oc: oc, tree: &tree{collected: map[selected]selection{}, asked: map[string]bool{}}, divided: divided}
	if oc.Operation.Operation != ast.Query {
		c.tree.uncovered = string(oc.Operation.Operation)
		return c.tree
	}
	root, err := c.node(e.schema.Query, nil, oc.Operation.SelectionSet)
	if err != nil {
		return &tree{uncovered: err.Error()}
	}
	c.tree.root = root
	c.tree.constant = root.constant()
	return c.tree
}

// constant is the whole answer to a selection of nothing but the type's name, or nil.
func (n *node) constant() []byte {
	b := []byte(before + "{")
	for i, f := range n.fields {
		if f.how != fromName {
			return nil
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, f.key...)
	}
	return append(b, '}', behind)
}

func (c *compiler) node(def *ast.Definition, typ reflect.Type, set ast.SelectionSet) (*node, error) {
	n := &node{object: def.Name, typ: typ}
	found := selection{now: set}
	if c.divided {
		var err error
		if found.now, err = c.later(n, def, set); err != nil {
			return nil, err
		}
	}
	for _, d := range n.later {
		found.later = append(found.later, d.set)
	}
	found.fields = graphql.CollectFields(c.oc, found.now, c.satisfies(def))
	if len(set) > 0 {
		c.tree.collected[selectionOf(set)] = found
	}
	for _, f := range found.fields {
		compiled, err := c.field(def, typ, f)
		if err != nil {
			return nil, err
		}
		below := compiled.shape.object()
		compiled.slot = -1
		if compiled.how == fromResolver || below.grouped() {
			compiled.slot = len(n.ahead)
			n.ahead = append(n.ahead, compiled)
			if compiled.waits() {
				n.apart = append(n.apart, compiled)
			}
		}
		n.fields = append(n.fields, compiled)
	}
	return n, nil
}

// later compiles what set defers for objects of n, and answers the rest of it.
func (c *compiler) later(n *node, def *ast.Definition, set ast.SelectionSet) (now ast.SelectionSet, err error) {
	s := splitter{oc: c.oc}
	now, fragments := s.split(set)
	for _, f := range fragments {
		below, err := c.node(def, n.typ, f.set)
		if err != nil {
			return nil, err
		}
		if len(below.fields)+len(below.later) > 0 { // else it is for other types
			n.later = append(n.later, later{f.label, below, f.set})
		}
	}
	return now, nil
}

// satisfies lists the type conditions that an object type fulfils.
func (c *compiler) satisfies(def *ast.Definition) []string {
	names := []string{def.Name}
	for _, abstract := range c.schema.GetImplements(def) {
		names = append(names, abstract.Name)
	}
	return names
}

// object is the selection that a shape leads to, or nil.
func (s *shape) object() *node {
	for s.elem != nil {
		s = s.elem
	}
	return s.node
}

func (c *compiler) field(def *ast.Definition, typ reflect.Type, f graphql.CollectedField) (*field, error) {
	c.tree.fields++
	c.tree.asked[def.Name+"."+f.Name] = true
	out := &field{key: string(appendText(nil, f.Alias)) + ":", alias: f.Alias, step: ast.PathName(f.Alias), collected: f}
	if f.Name == "__typename" {
		out.how, out.key = fromName, out.key+string(appendText(nil, def.Name))
		return out, nil
	}
	if strings.HasPrefix(f.Name, "__") {
		return nil, uncovered("introspection")
	}
	value, err := c.origin(out, def, typ)
	if err != nil {
		return nil, err
	}
	if f.Definition.Arguments != nil {
		if out.given, err = c.arguments(out); err != nil {
			return nil, err
		}
	}
	divided := c.divided
	c.divided = divided && out.how != fromMethod // whose objects are not gathered
	out.shape, err = c.shape(f.Definition.Type, value, f.Selections)
	c.divided = divided
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", def.Name, f.Name, err)
	}
	return out, c.check(out, def)
}

// check refuses what the walk cannot do.
func (c *compiler) check(f *field, def *ast.Definition) error {
	ahead := f.shape.object().grouped()
	switch {
	case f.how == fromMethod && ahead:
		return uncovered(def.Name + "." + f.collected.Name + ": resolvers below a method")
	case f.shape.elem != nil && f.shape.elem.elem != nil:
		return uncovered(def.Name + "." + f.collected.Name + ": a list of lists")
	case f.how == fromInline && ahead:
		f.how = fromResolver
	}
	return nil
}

// origin finds where a field's value comes from, and its Go type.
func (c *compiler) origin(f *field, def *ast.Definition, typ reflect.Type) (reflect.Type, error) {
	name := f.collected.Name
	if r := c.resolvers[def.Name+"."+name]; r != nil {
		if r.unreadable || r.parent != nil && r.parent != reflect.PointerTo(typ) {
			return nil, uncovered(def.Name + "." + name + ": its resolver")
		}
		f.how, f.resolver = fromResolver, r
		if r.hint.Inline != nil {
			f.how, f.inline = fromInline, r.hint.Inline
		}
		return r.value, nil
	}
	if typ == nil || len(f.collected.Definition.Arguments) > 0 {
		return nil, uncovered(def.Name + "." + name + ": no resolver")
	}
	wanted := goName(f.collected.Definition)
	for i := range reflect.PointerTo(typ).NumMethod() {
		m := reflect.PointerTo(typ).Method(i)
		if same(wanted, m.Name) && m.Type.NumIn() == 1 && m.Type.NumOut() == 1 {
			f.how, f.method = fromMethod, i
			if in := c.hints[def.Name+"."+name].Inline; in != nil && in.parent == reflect.PointerTo(typ) && in.value == m.Type.Out(0) {
				f.how, f.inline = fromInline, in
			}
			return m.Type.Out(0), nil
		}
	}
	for i := range typ.NumField() {
		if m := typ.Field(i); m.IsExported() && same(wanted, m.Name) {
			f.how, f.member = fromMember, i
			return m.Type, nil
		}
	}
	return nil, uncovered(def.Name + "." + name + ": nothing to read it from")
}

// shape fits a GraphQL type to the Go type of its values.
func (c *compiler) shape(t *ast.Type, typ reflect.Type, set ast.SelectionSet) (shape, error) {
	s := shape{nonNull: t.NonNull}
	if t.Elem != nil {
		if typ.Kind() != reflect.Slice {
			return s, uncovered("its list is " + typ.String())
		}
		elem, err := c.shape(t.Elem, typ.Elem(), set)
		s.elem = &elem
		return s, err
	}
	if typ.Kind() == reflect.Pointer {
		s.pointer, typ = true, typ.Elem()
	}
	if reflect.PointerTo(typ).Implements(reflect.TypeFor[graphql.Marshaler]()) || reflect.PointerTo(typ).Implements(reflect.TypeFor[graphql.ContextMarshaler]()) {
		return s, uncovered(typ.String() + " writes itself")
	}
	def := c.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.Object:
		if typ.Kind() != reflect.Struct {
			return s, uncovered("its object is " + typ.String())
		}
		var err error
		s.node, err = c.node(def, typ, set)
		return s, err
	case ast.Enum:
		s.leaf, s.values = leafEnum, map[string]bool{}
		for _, v := range def.EnumValues {
			s.values[v.Name] = true
		}
	case ast.Scalar:
		s.leaf = leaves[t.NamedType]
	}
	if !s.leaf.fits(typ) {
		return s, uncovered(t.NamedType + " as " + typ.String())
	}
	return s, nil
}

var leaves = map[string]leaf{
	"ID": leafText, "String": leafText, "Int": leafInt, "Boolean": leafBool, "Float": leafFloat, "Time": leafTime,
}

// fits tells whether values of typ can be written as l.
func (l leaf) fits(typ reflect.Type) bool {
	switch l {
	case leafText, leafEnum:
		return typ.Kind() == reflect.String
	case leafInt:
		return typ.Kind() == reflect.Int
	case leafBool:
		return typ.Kind() == reflect.Bool
	case leafFloat:
		return typ.Kind() == reflect.Float64
	case leafTime:
		return typ == reflect.TypeFor[time.Time]()
	}
	return false
}
