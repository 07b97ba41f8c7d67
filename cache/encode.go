package cache

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/portico-bff/portico/schema/commerce"
)

// What is stored is written as encoding/json writes it, byte by byte, but by functions that
// are put together once for each type: of a list's write that is what takes longest.

// sheet is JSON that is being written. Once something cannot be written, err says why.
type sheet struct {
	b   []byte
	err error
}

// pen writes the value that is at p.
type pen func(to *sheet, p unsafe.Pointer)

// penOf is what writes values of t, which are pointers or lists; nil where encoding/json is
// to do it: types with tags, maps, interfaces or ways of their own, and those that hold themselves.
func penOf(t reflect.Type) func(to *sheet, value any) {
	switch t.Kind() {
	case reflect.Pointer:
		write := penAt(t.Elem(), []reflect.Type{t})
		if write == nil {
			return nil
		}
		return func(to *sheet, value any) {
			if p := reflect.ValueOf(value).UnsafePointer(); p != nil {
				write(to, p)
			} else {
				to.b = append(to.b, "null"...)
			}
		}
	case reflect.Slice:
		write := penAt(t.Elem(), []reflect.Type{t})
		if write == nil {
			return nil
		}
		return func(to *sheet, value any) {
			v := reflect.ValueOf(value)
			to.list(v.UnsafePointer(), v.Len(), t.Elem().Size(), write)
		}
	default:
		return nil
	}
}

// penAt is penOf for what lies within others.
func penAt(t reflect.Type, within []reflect.Type) pen {
	if slices.Contains(within, t) {
		return nil
	}
	within = append(slices.Clip(within), t)
	switch t {
	case reflect.TypeFor[time.Time]():
		return (*sheet).time
	case reflect.TypeFor[commerce.Money]():
		return (*sheet).money
	}
	if writesItself(t) {
		return nil
	}
	switch t.Kind() {
	case reflect.String:
		return func(to *sheet, p unsafe.Pointer) { to.b = appendText(to.b, *(*string)(p)) }
	case reflect.Int:
		return func(to *sheet, p unsafe.Pointer) { to.b = strconv.AppendInt(to.b, int64(*(*int)(p)), 10) }
	case reflect.Bool:
		return func(to *sheet, p unsafe.Pointer) { to.b = strconv.AppendBool(to.b, *(*bool)(p)) }
	case reflect.Float64:
		return (*sheet).float
	case reflect.Struct:
		return penOfStruct(t, within)
	case reflect.Array:
		return penOfArray(t, within)
	case reflect.Slice:
		return penOfSlice(t, within)
	case reflect.Pointer:
		return penOfPointer(t, within)
	default:
		return nil
	}
}

// jsonField is a field with what stands before its value.
type jsonField struct {
	before string
	at     uintptr
	write  pen
}

func penOfStruct(t reflect.Type, within []reflect.Type) pen {
	var list []jsonField
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous || f.Tag.Get("json") != "" {
			return nil
		}
		if !f.IsExported() {
			continue
		}
		write := penAt(f.Type, within)
		if write == nil {
			return nil
		}
		before := ","
		if len(list) == 0 {
			before = "{"
		}
		list = append(list, jsonField{before + `"` + f.Name + `":`, f.Offset, write})
	}
	if len(list) == 0 {
		return func(to *sheet, _ unsafe.Pointer) { to.b = append(to.b, "{}"...) }
	}
	return func(to *sheet, p unsafe.Pointer) {
		for i := range list {
			f := &list[i]
			to.b = append(to.b, f.before...)
			f.write(to, unsafe.Add(p, f.at))
		}
		to.b = append(to.b, '}')
	}
}

func penOfArray(t reflect.Type, within []reflect.Type) pen {
	write, n, size := penAt(t.Elem(), within), t.Len(), t.Elem().Size()
	if write == nil {
		return nil
	}
	return func(to *sheet, p unsafe.Pointer) { to.elements(p, n, size, write) }
}

func penOfSlice(t reflect.Type, within []reflect.Type) pen {
	write, size := penAt(t.Elem(), within), t.Elem().Size()
	if write == nil {
		return nil
	}
	return func(to *sheet, p unsafe.Pointer) {
		s := *(*[]byte)(p) // of whatever: only its beginning and its length are looked at
		to.list(unsafe.Pointer(unsafe.SliceData(s)), len(s), size, write)
	}
}

func penOfPointer(t reflect.Type, within []reflect.Type) pen {
	write := penAt(t.Elem(), within)
	if write == nil {
		return nil
	}
	return func(to *sheet, p unsafe.Pointer) {
		if to.nothing(*(*unsafe.Pointer)(p)) {
			return
		}
		write(to, *(*unsafe.Pointer)(p))
	}
}

// nothing writes null where p is nil.
func (to *sheet) nothing(p unsafe.Pointer) bool {
	if p == nil {
		to.b = append(to.b, "null"...)
	}
	return p == nil
}

// list writes a slice, which may be nil; its elements begin at p and take size bytes each.
func (to *sheet) list(p unsafe.Pointer, n int, size uintptr, write pen) {
	if !to.nothing(p) {
		to.elements(p, n, size, write)
	}
}

func (to *sheet) elements(p unsafe.Pointer, n int, size uintptr, write pen) {
	to.b = append(to.b, '[')
	for i := range n {
		if i > 0 {
			to.b = append(to.b, ',')
		}
		write(to, unsafe.Add(p, uintptr(i)*size))
	}
	to.b = append(to.b, ']')
}

func (to *sheet) time(p unsafe.Pointer) {
	b, err := (*(*time.Time)(p)).AppendText(append(to.b, '"'))
	if err != nil {
		to.err = err
		return
	}
	to.b = append(b, '"')
}

func (to *sheet) money(p unsafe.Pointer) {
	m := (*commerce.Money)(p)
	to.b = appendText(append(to.b, `{"number":`...), m.Number())
	to.b = append(appendText(append(to.b, `,"currency":`...), m.CurrencyCode()), '}')
}

func (to *sheet) float(p unsafe.Pointer) {
	text, err := json.Marshal(*(*float64)(p)) // hardly ever: an average
	if err != nil {
		to.err = err
	}
	to.b = append(to.b, text...)
}

// plainText tells of each byte whether it stands for itself in a JSON text that is safe in HTML.
var plainText = func() (table [256]bool) {
	for c := range byte(utf8.RuneSelf) {
		switch c {
		case '"', '\\', '<', '>', '&':
		default:
			table[c] = c >= ' '
		}
	}
	return table
}()

// appendText writes s between quotes.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		if plainText[s[i]] {
			i++
			continue
		}
		if c := s[i]; c < utf8.RuneSelf {
			b = appendEscape(append(b, s[from:i]...), c)
			i++
			from = i
			continue
		}
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			b = append(append(b, s[from:i]...), `\ufffd`...)
			from = i + size
		case c == '\u2028' || c == '\u2029': // line ends to JavaScript
			b = append(append(b, s[from:i]...), `\u202`...)
			b = append(b, hexDigits[c&0xF])
			from = i + size
		}
		i += size
	}
	return append(append(b, s[from:]...), '"')
}

const hexDigits = "0123456789abcdef"

// appendEscape writes an ASCII character that does not stand for itself.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '\\', '"':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	default:
		return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
	}
}
