package cache

import (
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// Every value that is kept is measured. For most types that is done by functions that are
// put together once, which answer what [sizer] does and take a tenth of its time.

// gauge is what the value at p holds on to beyond its own words; nil for nothing.
type gauge func(m *met, p unsafe.Pointer) int64

// met are the pointers that were followed within a value: seldom more than one or two.
type met struct{ list []unsafe.Pointer }

var mets = sync.Pool{New: func() any { return &met{} }}

// gauges are those that were put together, by type; nil for what they cannot measure.
var gauges sync.Map

// gaugeFor is the gauge of values of t, or nil where [sizer] is to do it: all but pointers
// and lists, and whatever holds maps, interfaces or itself.
func gaugeFor(t reflect.Type) func(value any) int64 {
	if known, ok := gauges.Load(t); ok {
		of, _ := known.(func(any) int64)
		return of
	}
	of := gaugeOf(t)
	gauges.Store(t, of)
	return of
}

func gaugeOf(t reflect.Type) func(value any) int64 {
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Slice {
		return nil
	}
	each, ok := gaugeAt(t.Elem(), []reflect.Type{t})
	if !ok {
		return nil
	}
	size := t.Elem().Size()
	return func(value any) int64 {
		m, _ := mets.Get().(*met)
		defer m.giveBack()
		v := reflect.ValueOf(value)
		if t.Kind() == reflect.Pointer {
			return m.pointed(v.UnsafePointer(), size, each)
		}
		return int64(v.Cap())*int64(size) + m.elements(v.UnsafePointer(), v.Len(), size, each)
	}
}

func (m *met) giveBack() {
	clear(m.list)
	m.list = m.list[:0]
	mets.Put(m)
}

// mostMet is how many pointers a gauge follows: of more, it would take longer to find out
// which were followed than to measure what they lead to.
const mostMet = 64

// pointed is what p, which may be nil, leads to, the first time that it does.
func (m *met) pointed(p unsafe.Pointer, size uintptr, each gauge) int64 {
	if p == nil || uintptr(p) == localZone || slices.Contains(m.list, p) {
		return 0
	}
	if len(m.list) < mostMet {
		m.list = append(m.list, p)
	}
	total := int64(size)
	if each != nil {
		total += each(m, p)
	}
	return total
}

func (m *met) elements(p unsafe.Pointer, n int, size uintptr, each gauge) int64 {
	if each == nil {
		return 0
	}
	total := int64(0)
	for i := range n {
		total += each(m, unsafe.Add(p, uintptr(i)*size))
	}
	return total
}

// gaugeAt is the gauge of what lies within others, which is nil for what holds on to nothing.
func gaugeAt(t reflect.Type, within []reflect.Type) (of gauge, ok bool) {
	if slices.Contains(within, t) {
		return nil, false
	}
	within = append(slices.Clip(within), t)
	switch t.Kind() {
	case reflect.String:
		return func(_ *met, p unsafe.Pointer) int64 { return int64(len(*(*string)(p))) }, true
	case reflect.Struct:
		return gaugeOfStruct(t, within)
	case reflect.Map, reflect.Interface:
		return nil, false
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return gaugeOfMany(t, within)
	default:
		return nil, true
	}
}

func gaugeOfMany(t reflect.Type, within []reflect.Type) (of gauge, ok bool) {
	each, ok := gaugeAt(t.Elem(), within)
	if !ok {
		return nil, false
	}
	size := t.Elem().Size()
	switch t.Kind() {
	case reflect.Pointer:
		return func(m *met, p unsafe.Pointer) int64 { return m.pointed(*(*unsafe.Pointer)(p), size, each) }, true
	case reflect.Slice:
		return func(m *met, p unsafe.Pointer) int64 {
			s := *(*[]byte)(p) // of whatever: only its words are looked at
			return int64(cap(s))*int64(size) + m.elements(unsafe.Pointer(unsafe.SliceData(s)), len(s), size, each)
		}, true
	default:
		n := t.Len()
		if each == nil {
			return nil, true
		}
		return func(m *met, p unsafe.Pointer) int64 { return m.elements(p, n, size, each) }, true
	}
}

// gaugedField is a field that holds on to something.
type gaugedField struct {
	at uintptr
	of gauge
}

func gaugeOfStruct(t reflect.Type, within []reflect.Type) (of gauge, ok bool) {
	var list []gaugedField
	for i := range t.NumField() {
		f := t.Field(i)
		each, ok := gaugeAt(f.Type, within)
		if !ok {
			return nil, false
		}
		if each != nil {
			list = append(list, gaugedField{f.Offset, each})
		}
	}
	if list == nil {
		return nil, true
	}
	return func(m *met, p unsafe.Pointer) int64 {
		total := int64(0)
		for i := range list {
			total += list[i].of(m, unsafe.Add(p, list[i].at))
		}
		return total
	}, true
}
