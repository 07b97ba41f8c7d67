// Package fields is what clients ask a screen for by "fields": which of its optional
// properties they want. Names are read against the screen's own type, so that a name that
// is not there is a mistake that is told; texts that ask for the same have one form.
package fields

import (
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// degraded is the property of a screen that always stays.
const degraded = "degraded"

// Tree is the properties of an object of the contract. It is made once for each screen and
// never changes.
type Tree struct {
	properties []property // by name
	fixed      bool       // nothing of it can be left out
	least      string     // the shortest list of names that asks for nothing that can be left out; empty when there is none
}

// property is a member of an object.
type property struct {
	name  string
	at    int   // its place in the struct
	stays bool  // the contract requires it, and every generated client counts on it
	below *Tree // of an object, or of the objects in a list; nil of anything else
}

// Of is the properties of an answer, a struct of the contract's types. What has no omitempty
// or omitzero is required there, and stays.
func Of(answer any) *Tree {
	t := treeOf(reflect.TypeOf(answer), nil)
	for i := range t.properties {
		if p := &t.properties[i]; p.name == degraded {
			p.stays, p.below = true, nil
		}
	}
	t.settle()
	return t
}

// treeOf leaves out what is below a type that holds itself.
func treeOf(of reflect.Type, within []reflect.Type) *Tree {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || slices.Contains(within, of) || writesItself(of) {
		return nil
	}
	within = append(slices.Clip(within), of)
	t := &Tree{}
	for i := range of.NumField() {
		f := of.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		t.properties = append(t.properties, property{name: name, at: i, stays: !strings.Contains(options, "omit"), below: treeOf(f.Type, within)})
	}
	slices.SortFunc(t.properties, func(a, b property) int { return cmp.Compare(a.name, b.name) })
	t.settle()
	return t
}

// writesItself tells whether values of a type have a way of their own into JSON.
func writesItself(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	return pointer.Implements(reflect.TypeFor[json.Marshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

func (t *Tree) settle() {
	t.fixed, t.least = true, ""
	for _, p := range t.properties {
		t.fixed = t.fixed && p.fixed()
		if name := p.name; p.fixed() && (t.least == "" || len(name) < len(t.least)) {
			t.least = name
		}
	}
}

// fixed tells whether the property, and all below it, is there whatever is asked for.
func (p *property) fixed() bool { return p.stays && (p.below == nil || p.below.fixed) }

// find is the place of a property by its name, or negative.
func (t *Tree) find(name string) int {
	if t == nil {
		return -1
	}
	for i := range t.properties {
		if t.properties[i].name == name {
			return i
		}
	}
	return -1
}

// Walk calls visit with each property, those below it behind it, by the names that lead to
// it with dots between, and with whether it always stays where its object is.
func (t *Tree) Walk(visit func(path string, stays bool)) { t.walk("", visit) }

func (t *Tree) walk(at string, visit func(string, bool)) {
	for _, p := range t.properties {
		visit(at+p.name, p.stays)
		if p.below != nil {
			p.below.walk(at+p.name+".", visit)
		}
	}
}
