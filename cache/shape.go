package cache

import (
	"reflect"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// shape is what a type looks like in memory, found out once: values are written for Redis,
// and read from there, by following it. Neither names nor types are written: whoever reads
// has the same shape, or another key (see [formOf]).
type shape struct {
	kind   kind
	of     *shape       // of the elements, or of what a pointer leads to
	list   reflect.Type // of a list, to make one; of a pointer: what it leads to
	size   uintptr      // bytes of a value in memory
	least  int          // bytes that a value takes at least when it is written
	n      int          // elements of an array
	fields []member
}

// member is a part of a struct.
type member struct {
	at uintptr
	*shape
}

// kind is how a shape is written.
type kind uint8

const (
	ofText kind = iota
	ofInt
	ofBool
	ofFloat
	ofTime
	ofMoney
	ofStruct
	ofArray
	ofList
	ofPointer
)

// shapeOf is the shape of t, which may hold itself; nil where something in it has none: what
// nobody stores yet, and what has unexported fields, which may mean anything.
func shapeOf(t reflect.Type) *shape {
	s := shapes{}
	if of := s.of(t); !s.odd {
		return of
	}
	return nil
}

// shapes are those of which one is made.
type shapes struct {
	known map[reflect.Type]*shape
	odd   bool
}

func (s *shapes) of(t reflect.Type) *shape {
	if known := s.known[t]; known != nil {
		return known
	}
	if s.known == nil {
		s.known = map[reflect.Type]*shape{}
	}
	of := &shape{size: t.Size(), least: 1}
	s.known[t] = of // before its parts: they may lead back to it
	switch t {
	case reflect.TypeFor[time.Time]():
		of.kind, of.least = ofTime, 3
		return of
	case reflect.TypeFor[commerce.Money]():
		of.kind, of.least = ofMoney, 2
		return of
	}
	switch t.Kind() {
	case reflect.String:
		of.kind = ofText
	case reflect.Int:
		of.kind = ofInt
	case reflect.Bool:
		of.kind = ofBool
	case reflect.Float64:
		of.kind, of.least = ofFloat, 8
	case reflect.Struct:
		of.kind = ofStruct
		s.struc(of, t)
	case reflect.Array:
		of.kind, of.n, of.of = ofArray, t.Len(), s.of(t.Elem())
		of.least = of.n * of.of.least
	case reflect.Slice:
		of.kind, of.list, of.of = ofList, t, s.of(t.Elem())
	case reflect.Pointer:
		of.kind, of.list, of.of = ofPointer, t.Elem(), s.of(t.Elem())
	default:
		s.odd = true
	}
	return of
}

// struc gives a struct's shape its fields.
func (s *shapes) struc(of *shape, t reflect.Type) {
	of.least = 0
	for i := range t.NumField() {
		f := t.Field(i)
		s.odd = s.odd || !f.IsExported()
		part := s.of(f.Type)
		of.fields, of.least = append(of.fields, member{f.Offset, part}), of.least+part.least
	}
}
