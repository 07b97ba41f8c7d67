// Package pen writes answers as JSON, byte for byte as encoding/json does, by functions that are put
// together once for each type: of a list's answer, encoding/json's way of looking at each value anew is
// most of the work. What it has no function for is encoding/json's.
package pen

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Marshal is v as JSON, in memory of its own. It fails where [json.Marshal] does.
func Marshal(v any) ([]byte, error) {
	value := reflect.ValueOf(v)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return json.Marshal(v)
	}
	room := rooms.Get().(*[]byte) //nolint:forcetypeassert // nothing else is in there
	defer rooms.Put(room)
	written, err := penOf(value.Type().Elem())((*room)[:0], value.Elem())
	if err != nil {
		return nil, err
	}
	if cap(written) <= mostKept {
		*room = written
	}
	return slices.Clone(written), nil
}

// mostKept is the largest room that is kept, in bytes: twice what a list of 100 products takes.
const mostKept = 128 << 10

var rooms = sync.Pool{New: func() any { return new([]byte) }}

// pen appends a value, which can be addressed.
type pen func(b []byte, v reflect.Value) ([]byte, error)

var pens sync.Map // of reflect.Type: pen

func penOf(t reflect.Type) pen {
	if known, ok := pens.Load(t); ok {
		return known.(pen) //nolint:forcetypeassert // nothing else is in there
	}
	made := penWithin(t, nil)
	pens.Store(t, made)
	return made
}

// penWithin is the pen of a type that is part of others. One that holds itself is encoding/json's.
func penWithin(t reflect.Type, within []reflect.Type) pen {
	if slices.Contains(within, t) || writesItself(t) {
		return asEver
	}
	within = append(slices.Clip(within), t)
	switch t.Kind() {
	case reflect.String:
		return func(b []byte, v reflect.Value) ([]byte, error) { return appendText(b, v.String()), nil }
	case reflect.Int, reflect.Int64:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendInt(b, v.Int(), 10), nil }
	case reflect.Bool:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendBool(b, v.Bool()), nil }
	case reflect.Pointer:
		return ofPointer(penWithin(t.Elem(), within))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return asEver
		}
		return ofSlice(penWithin(t.Elem(), within))
	case reflect.Struct:
		return ofStruct(t, within)
	default:
		return asEver
	}
}

// writesItself tells whether values of t, or what points to them, have a way of their own.
func writesItself(t reflect.Type) bool {
	for _, way := range []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()} {
		if t.Implements(way) || reflect.PointerTo(t).Implements(way) {
			return true
		}
	}
	return t == reflect.TypeFor[json.Number]()
}

// asEver leaves a value to encoding/json.
func asEver(b []byte, v reflect.Value) ([]byte, error) {
	text, err := json.Marshal(v.Addr().Interface())
	return append(b, text...), err
}

func ofPointer(write pen) pen {
	return func(b []byte, v reflect.Value) ([]byte, error) {
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		return write(b, v.Elem())
	}
}

func ofSlice(write pen) pen {
	return func(b []byte, v reflect.Value) (_ []byte, err error) {
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = write(b, v.Index(i)); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	}
}

// field is a struct's field as its tag has it.
type field struct {
	before string // its value, a comma and its name
	at     int
	write  pen
	skip   func(reflect.Value) bool // nil: never
}

func ofStruct(t reflect.Type, within []reflect.Type) pen {
	var list []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, skip, plain := tagOf(f)
		if before := `,"` + name + `":`; !plain || slices.ContainsFunc(list, func(f field) bool { return f.before == before }) {
			return asEver // of several with one name it writes none
		}
		list = append(list, field{`,"` + name + `":`, i, penWithin(f.Type, within), skip})
	}
	return func(b []byte, v reflect.Value) (_ []byte, err error) {
		begin := len(b)
		b = append(b, '{')
		for i := range list {
			f := &list[i]
			value := v.Field(f.at)
			if f.skip != nil && f.skip(value) {
				continue
			}
			before := f.before
			if len(b) == begin+1 {
				before = before[1:] // the first has no comma
			}
			if b, err = f.write(append(b, before...), value); err != nil {
				return b, err
			}
		}
		return append(b, '}'), nil
	}
}

// tagOf reads a field's tag as encoding/json does. It is not plain where more is meant than a name and
// when the field is left out.
func tagOf(f reflect.StructField) (name string, skip func(reflect.Value) bool, plain bool) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if !f.IsExported() || name == "" || !isName(name) || f.Type.Kind() == reflect.Array {
		return "", nil, false
	}
	var empty, zero bool
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			empty = true
		case "omitzero":
			zero = true
		case "":
		default:
			return "", nil, false
		}
	}
	_, own := f.Type.MethodByName("IsZero")
	_, ofPointer := reflect.PointerTo(f.Type).MethodByName("IsZero")
	if zero && (own || ofPointer) {
		return "", nil, false
	}
	return name, skipOf(f.Type.Kind(), empty, zero), true
}

// isName tells whether a name stands in JSON as it is.
func isName(name string) bool {
	return !strings.ContainsFunc(name, func(c rune) bool { return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') })
}

// skipOf tells which values of a field are left out: a list that is empty already when it is
// omitempty, a struct when it is omitzero.
func skipOf(kind reflect.Kind, empty, zero bool) func(reflect.Value) bool {
	switch kind {
	case reflect.Slice, reflect.Map:
		if empty {
			return func(v reflect.Value) bool { return v.Len() == 0 }
		}
	case reflect.Struct:
		if !zero {
			return nil
		}
	default:
	}
	if empty || zero {
		return reflect.Value.IsZero
	}
	return nil
}
