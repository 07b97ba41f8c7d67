package transport

import (
	"encoding/json"
	"reflect"
	"sync"
)

// looseTypes remembers what loose found, by type.
var looseTypes sync.Map

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// loose tells whether a value of the type may hold another of any type, in which a
// number would become a float unless the decoder is told otherwise.
func loose(t reflect.Type) bool {
	if known, ok := looseTypes.Load(t); ok {
		answer, _ := known.(bool)
		return answer
	}
	answer := holdsAny(t, map[reflect.Type]bool{})
	looseTypes.Store(t, answer)
	return answer
}

// holdsAny looks at each type below t once. What decodes itself is not told of numbers in any case.
func holdsAny(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == nil {
		return true
	}
	if seen[t] || t.Implements(unmarshaler) || reflect.PointerTo(t).Implements(unmarshaler) {
		return false
	}
	seen[t] = true
	switch t.Kind() { //nolint:exhaustive // the others hold nothing
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsAny(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if holdsAny(field.Type, seen) {
				return true
			}
		}
	}
	return false
}
