package cache

import (
	"encoding/binary"
	"math"
	"reflect"
	"time"
	"unsafe"

	"github.com/portico-bff/portico/schema/commerce"
)

// script is what was written of a value, and is read piece by piece; texts that are read
// are pieces of it. Once something cannot be, bad is true, and nothing more is read.
type script struct {
	rest  string
	bad   bool
	depth int // of pointers within each other
}

// mostDepth is how far pointers may lead: of what was written here, a tree's levels.
const mostDepth = 1000

// value reads a value of a shape to p, where there is none yet.
func (from *script) value(s *shape, p unsafe.Pointer) {
	switch s.kind {
	case ofText:
		*(*string)(p) = from.text()
	case ofInt:
		*(*int)(p) = from.int()
	case ofBool:
		*(*bool)(p) = from.flag()
	case ofFloat:
		*(*float64)(p) = from.float()
	case ofTime:
		*(*time.Time)(p) = from.time()
	case ofMoney:
		*(*commerce.Money)(p) = from.money()
	case ofStruct:
		for i := range s.fields {
			f := &s.fields[i]
			from.value(f.shape, unsafe.Add(p, f.at))
		}
	case ofArray:
		from.elements(s, p, s.n)
	case ofList:
		from.list(s, p)
	case ofPointer:
		from.pointed(s, p)
	}
}

// fail ends the reading.
func (from *script) fail() { from.rest, from.bad = "", true }

func (from *script) byte() byte {
	if from.rest == "" {
		from.fail()
		return 0
	}
	b := from.rest[0]
	from.rest = from.rest[1:]
	return b
}

// length is that of what follows, of which each piece takes so many bytes at least: who says
// more than there is gets no room for it.
func (from *script) length(least int) int {
	n := from.number()
	if n > uint64(len(from.rest)/max(1, least)) {
		from.fail()
		return 0
	}
	return int(n)
}

func (from *script) number() uint64 {
	n, size := binary.Uvarint(unsafe.Slice(unsafe.StringData(from.rest), min(len(from.rest), binary.MaxVarintLen64)))
	if size <= 0 {
		from.fail()
		return 0
	}
	from.rest = from.rest[size:]
	return n
}

func (from *script) signed() int64 {
	n := from.number() // as encoding/binary has them: the sign is the last bit
	return int64(n>>1) ^ -int64(n&1)
}

func (from *script) int() int {
	n := from.signed()
	if n < math.MinInt || n > math.MaxInt {
		from.fail()
	}
	return int(n)
}

func (from *script) text() string {
	n := from.length(1)
	if n == 0 {
		return "" // which holds on to nothing
	}
	text := from.rest[:n]
	from.rest = from.rest[n:]
	return text
}

func (from *script) flag() bool {
	b := from.byte()
	if b > 1 {
		from.fail()
	}
	return b == 1
}

func (from *script) float() float64 {
	if len(from.rest) < 8 {
		from.fail()
		return 0
	}
	bits := binary.BigEndian.Uint64([]byte(from.rest[:8]))
	from.rest = from.rest[8:]
	return math.Float64frombits(bits)
}

func (from *script) time() time.Time {
	const day = 24 * 60 * 60
	seconds, nanos, zone := from.signed(), from.number(), from.signed()
	if nanos >= 1e9 || zone <= -day || zone >= day {
		from.fail()
		return time.Time{}
	}
	t := time.Unix(seconds, int64(nanos)).UTC()
	if zone != 0 {
		t = t.In(time.FixedZone("", int(zone)))
	}
	return t
}

// money reads an amount; none at all is one, too.
func (from *script) money() (m commerce.Money) {
	number, code := from.text(), from.text()
	if from.bad || (code == "" && number == m.Number()) {
		return m
	}
	m, err := commerce.NewMoney(number, code)
	if err != nil {
		from.fail()
	}
	return m
}

func (from *script) elements(s *shape, p unsafe.Pointer, n int) {
	for i := range n {
		if from.bad {
			return
		}
		from.value(s.of, unsafe.Add(p, uintptr(i)*s.of.size))
	}
}

func (from *script) list(s *shape, p unsafe.Pointer) {
	n := from.number()
	if n == 0 {
		return // nil
	}
	n--
	if n > uint64(len(from.rest)/max(1, s.of.least)) {
		from.fail()
		return
	}
	list := reflect.MakeSlice(s.list, int(n), int(n))
	reflect.NewAt(s.list, p).Elem().Set(list)
	from.elements(s, list.UnsafePointer(), int(n))
}

func (from *script) pointed(s *shape, p unsafe.Pointer) {
	if !from.flag() || from.bad {
		return // nil
	}
	if from.depth == mostDepth {
		from.fail()
		return
	}
	from.depth++
	defer func() { from.depth-- }()
	to := reflect.New(s.list).UnsafePointer()
	*(*unsafe.Pointer)(p) = to
	from.value(s.of, to)
}
