package cache

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
	"unsafe"

	"github.com/portico-bff/portico/schema/commerce"
)

// sheet is what values are written on, one behind the other. Once something cannot be
// written, err says why.
type sheet struct {
	b   []byte
	err error
}

var errNoValue = errors.New("no value")

// value writes what is at p, of a shape: numbers as varints, texts and lists with their
// lengths before them (a list's is one more, so that none is not an empty one), pointers
// with what they lead to.
func (to *sheet) value(s *shape, p unsafe.Pointer) {
	switch s.kind {
	case ofText:
		to.text(*(*string)(p))
	case ofInt:
		to.b = binary.AppendVarint(to.b, int64(*(*int)(p)))
	case ofBool:
		to.b = append(to.b, *(*byte)(p))
	case ofFloat:
		to.b = binary.BigEndian.AppendUint64(to.b, math.Float64bits(*(*float64)(p)))
	case ofTime:
		to.time(*(*time.Time)(p))
	case ofMoney:
		m := (*commerce.Money)(p)
		to.text(m.Number())
		to.text(m.CurrencyCode())
	case ofStruct:
		for i := range s.fields {
			f := &s.fields[i]
			to.value(f.shape, unsafe.Add(p, f.at))
		}
	case ofArray:
		to.elements(s, p, s.n)
	case ofList:
		list := *(*[]byte)(p) // of whatever: only its beginning and its length are looked at
		to.list(s, unsafe.Pointer(unsafe.SliceData(list)), len(list))
	case ofPointer:
		to.pointed(s, *(*unsafe.Pointer)(p))
	}
}

func (to *sheet) text(s string) { to.b = appendField(to.b, s) }

// list writes a list's n elements, which begin at p; it may be nil.
func (to *sheet) list(s *shape, p unsafe.Pointer, n int) {
	if p == nil {
		to.b = append(to.b, 0)
		return
	}
	to.b = binary.AppendUvarint(to.b, uint64(n)+1)
	to.elements(s, p, n)
}

func (to *sheet) elements(s *shape, p unsafe.Pointer, n int) {
	for i := range n {
		to.value(s.of, unsafe.Add(p, uintptr(i)*s.of.size))
	}
}

// pointed writes what a pointer leads to, which may be nil.
func (to *sheet) pointed(s *shape, p unsafe.Pointer) {
	if p == nil {
		to.b = append(to.b, 0)
		return
	}
	to.b = append(to.b, 1)
	to.value(s.of, p)
}

// time writes an instant and how far its zone is from UTC, but not the zone's name.
func (to *sheet) time(t time.Time) {
	_, zone := t.Zone()
	to.b = binary.AppendVarint(to.b, t.Unix())
	to.b = binary.AppendUvarint(to.b, uint64(t.Nanosecond()))
	to.b = binary.AppendVarint(to.b, int64(zone))
}
