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

// appendTo adds what is at p: numbers as varints, texts and lists with their lengths before
// them (a list's is one more, so that none is not an empty one), pointers with what they lead
// to. What is written goes from hand to hand: on the sheet each word would be stored twice.
func (s *shape) appendTo(b []byte, p unsafe.Pointer) []byte {
	switch s.kind {
	case ofText:
		return appendField(b, *(*string)(p))
	case ofInt:
		return binary.AppendVarint(b, int64(*(*int)(p)))
	case ofBool:
		return append(b, *(*byte)(p))
	case ofFloat:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(*(*float64)(p)))
	case ofTime:
		return appendTime(b, *(*time.Time)(p))
	case ofMoney:
		m := (*commerce.Money)(p)
		return appendField(appendField(b, m.Number()), m.CurrencyCode())
	case ofStruct:
		for i := range s.fields {
			f := &s.fields[i]
			b = f.appendTo(b, unsafe.Add(p, f.at))
		}
		return b
	case ofArray:
		return s.appendElements(b, p, s.n)
	case ofList:
		list := *(*[]byte)(p) // of whatever: only its beginning and its length are looked at
		return s.appendList(b, unsafe.Pointer(unsafe.SliceData(list)), len(list))
	default:
		return s.appendPointed(b, *(*unsafe.Pointer)(p))
	}
}

// appendList adds a list's n elements, which begin at p; it may be nil.
func (s *shape) appendList(b []byte, p unsafe.Pointer, n int) []byte {
	if p == nil {
		return append(b, 0)
	}
	return s.appendElements(binary.AppendUvarint(b, uint64(n)+1), p, n)
}

func (s *shape) appendElements(b []byte, p unsafe.Pointer, n int) []byte {
	for i := range n {
		b = s.of.appendTo(b, unsafe.Add(p, uintptr(i)*s.of.size))
	}
	return b
}

// appendPointed adds what a pointer leads to, which may be nil.
func (s *shape) appendPointed(b []byte, p unsafe.Pointer) []byte {
	if p == nil {
		return append(b, 0)
	}
	return s.of.appendTo(append(b, 1), p)
}

// appendTime adds an instant and how far its zone is from UTC, but not the zone's name.
func appendTime(b []byte, t time.Time) []byte {
	_, zone := t.Zone()
	b = binary.AppendVarint(b, t.Unix())
	b = binary.AppendUvarint(b, uint64(t.Nanosecond()))
	return binary.AppendVarint(b, int64(zone))
}
