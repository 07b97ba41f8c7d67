package cache

import (
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
)

// writtenAs is how values are written: whoever changes what a [sheet] makes of them changes it.
const writtenAs = "shapes 1"

// formOf is short for how a release writes values of a type, and for which tags
// answers have by their keys. It is in their keys, so that what another release wrote
// otherwise is a miss: nothing that is written says what it is.
func formOf(value reflect.Type, tags []template) string {
	list := []string{writtenAs, string(describe(nil, value, map[reflect.Type]int{}))}
	for _, t := range tags {
		list = append(list, t.kind, string(t.fixed))
	}
	const enough = 6 // bytes
	sum := sha256.Sum256([]byte(fields(list...)))
	return base64.RawURLEncoding.EncodeToString(sum[:enough])
}

// describe adds to b what is written of t. within numbers the types that t is part
// of: one that holds itself has an end.
func describe(b []byte, t reflect.Type, within map[reflect.Type]int) []byte {
	if n, ok := within[t]; ok {
		return strconv.AppendInt(append(b, '#'), int64(n), 10)
	}
	within[t] = len(within)
	defer delete(within, t)
	if writesItself(t) {
		return append(b, t.PkgPath()+"."+t.Name()...) // its form is its own affair
	}
	switch t.Kind() {
	case reflect.Struct:
		b = append(b, '{')
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() || f.Anonymous {
				b = appendField(appendField(b, f.Name), f.Tag.Get("json"))
				b = strconv.AppendBool(b, f.Anonymous)
				b = append(describe(b, f.Type, within), ';')
			}
		}
		return append(b, '}')
	case reflect.Map:
		b = append(describe(append(b, "map["...), t.Key(), within), ']')
		return describe(b, t.Elem(), within)
	case reflect.Array:
		b = strconv.AppendInt(append(b, '['), int64(t.Len()), 10)
		return describe(append(b, ']'), t.Elem(), within)
	case reflect.Slice, reflect.Pointer:
		return describe(append(b, t.Kind().String()+" "...), t.Elem(), within)
	default:
		return append(b, t.Kind().String()...)
	}
}

// writesItself tells whether t decides how it is written.
func writesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.PkgPath() == "" {
		return false // what it points to is looked at
	}
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Marshaler]()) || p.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
