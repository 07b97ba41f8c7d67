package fields

import (
	"reflect"
	"strings"
)

// Set is which properties of a screen are wanted. The zero value is all of them. It is
// never changed.
type Set struct {
	tree  *Tree
	asked *want
	text  string
}

// want is what is asked for of an object, by its properties' places in the tree: nil for
// nothing but what stays.
type want struct{ below []*want }

// whole is all of a property.
var whole = &want{}

func newWant(of *Tree) *want { return &want{make([]*want, len(of.properties))} }

// normal leaves out of asked what changes nothing, so that what asks for the same is the same.
func normal(of *Tree, asked *want) *want {
	for i := range of.properties {
		p, sub := &of.properties[i], asked.below[i]
		switch {
		case sub == nil:
		case p.fixed():
			asked.below[i] = nil
		case sub == whole:
		case p.below.fixed:
			asked.below[i] = whole
		default:
			sub = normal(p.below, sub)
			if full(p.below, sub) {
				asked.below[i] = whole
			} else if p.stays && sub.empty() {
				asked.below[i] = nil
			}
		}
	}
	return asked
}

// full tells whether asked, in its normal form, leaves nothing out.
func full(of *Tree, asked *want) bool {
	for i := range of.properties {
		if asked.below[i] != whole && !of.properties[i].fixed() {
			return false
		}
	}
	return true
}

func (w *want) empty() bool {
	for _, sub := range w.below {
		if sub != nil {
			return false
		}
	}
	return true
}

// write writes what is asked for in its normal form: by name, each once.
func write(b []byte, of *Tree, asked *want) []byte {
	if asked.empty() {
		return append(b, of.least...)
	}
	separate := false
	for i, sub := range asked.below {
		if sub == nil {
			continue
		}
		if separate {
			b = append(b, ',')
		}
		separate = true
		b = append(b, of.properties[i].name...)
		if sub != whole {
			b = append(write(append(b, '('), of.properties[i].below, sub), ')')
		}
	}
	return b
}

// String is the set as a client would write it shortest, properties by name: of all texts
// that ask for the same it is one. Of all properties it is empty.
func (s Set) String() string { return s.text }

// All tells whether nothing is left out.
func (s Set) All() bool { return s.tree == nil }

// Wants tells whether a property of the screen will be in the answer, provided that it has
// a value. Its path is names with dots between; empty is the screen itself.
func (s Set) Wants(path string) bool {
	tree, asked := s.tree, s.asked
	if tree == nil {
		return true
	}
	for path != "" && asked != whole {
		name, rest, _ := strings.Cut(path, ".")
		i := tree.find(name)
		if i < 0 {
			return false // there is no such thing
		}
		p := &tree.properties[i]
		if asked != nil {
			asked = asked.below[i]
		}
		if asked == nil && !p.stays {
			return false
		}
		tree, path = p.below, rest
	}
	return true
}

// Trim takes out of shown, a pointer to the struct that the set's tree is of, what is not
// wanted. Its structs and lists of structs have to be its own; all else may be shared.
func (s Set) Trim(shown any) {
	if !s.All() {
		s.tree.trim(reflect.ValueOf(shown).Elem(), s.asked)
	}
}

// trim trims a struct; nothing is asked for of it but what stays when asked is nil.
func (t *Tree) trim(v reflect.Value, asked *want) {
	for i := range t.properties {
		p := &t.properties[i]
		var sub *want
		if asked != nil {
			sub = asked.below[i]
		}
		switch {
		case sub == whole, p.fixed():
		case sub == nil && !p.stays:
			v.Field(p.at).SetZero()
		default:
			p.below.each(v.Field(p.at), sub)
		}
	}
}

// each trims what v holds: a struct, what points to one, or a list of them.
func (t *Tree) each(v reflect.Value, asked *want) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			t.each(v.Elem(), asked)
		}
	case reflect.Slice:
		for i := range v.Len() {
			t.each(v.Index(i), asked)
		}
	default:
		t.trim(v, asked)
	}
}
