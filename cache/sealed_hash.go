//go:build cachehash

package cache

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"os"
	"reflect"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// Values in memory are shared by all who ask, read-only. This build finds who changes
// one: it hashes each when it is put, and again whenever it is read and when it goes.
// A changed value ends the process, whoever recovers from panics: it is wrong for
// everybody. Under the race detector, whoever changes a value while it is hashed is
// found in the act.

// seal is the hash of an entry's value when it was first put; 0 before.
type seal struct{ sum atomic.Uint64 }

// seal notes what e holds, or compares with what it held.
func (e *entry) seal() {
	now := hashOf(e.value)
	if !e.sealed.sum.CompareAndSwap(0, now) {
		e.compare(now)
	}
}

// unchanged compares what e holds with what it held when it was put.
func (e *entry) unchanged() { e.compare(hashOf(e.value)) }

func (e *entry) compare(now uint64) {
	if was := e.sealed.sum.Load(); was != now {
		fmt.Fprintf(os.Stderr, "portico: a cached %T was changed by one of those who share it: %+v\nfound by\n%s", e.value, e.value, debug.Stack())
		os.Exit(2)
	}
}

var sealSeed = maphash.MakeSeed()

// hashOf is never 0.
func hashOf(value any) uint64 {
	h := newHasher(nil)
	h.any(reflect.ValueOf(value))
	return h.Sum64() | 1
}

// hasher writes a value down in full, each part with its kind or length before it.
type hasher struct {
	maphash.Hash
	outer *hasher      // of the map that the value lies in
	seen  map[spot]int // what was met, in order: values may hold themselves
}

// spot is what a pointer or a slice leads to.
type spot struct {
	at     uintptr
	kind   reflect.Type
	length int
}

func newHasher(outer *hasher) *hasher {
	h := &hasher{outer: outer, seen: map[spot]int{}}
	h.SetSeed(sealSeed)
	return h
}

func (h *hasher) number(n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	_, _ = h.Write(b[:]) // it never fails
}

func (h *hasher) text(s string) {
	h.number(uint64(len(s)))
	_, _ = h.WriteString(s) // it never fails
}

func (h *hasher) any(v reflect.Value) {
	h.number(uint64(v.Kind()))
	switch v.Kind() {
	case reflect.Invalid: // nil
	case reflect.String:
		h.text(v.String())
	case reflect.Bool:
		if v.Bool() {
			h.number(1)
		} else {
			h.number(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		h.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		h.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		h.number(math.Float64bits(v.Float()))
	case reflect.Interface:
		h.contained(v)
	case reflect.Pointer:
		h.pointed(v)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		h.number(uint64(v.Pointer())) // which one it is, not what it holds
	default:
		h.parts(v)
	}
}

func (h *hasher) contained(v reflect.Value) {
	if v.IsNil() {
		h.number(0)
		return
	}
	h.text(v.Elem().Type().String())
	h.any(v.Elem())
}

func (h *hasher) pointed(v reflect.Value) {
	switch {
	case v.IsNil() || v.Type() == reflect.TypeFor[*entry](), v.Type() == reflect.TypeFor[*plan](): // an answer knows the entry that it lies in, a recipe whose its parts are
		h.number(0)
	case v.Type() == reflect.TypeFor[*time.Location](): // which the standard library fills in when it likes
		h.number(uint64(v.Pointer()))
	case !h.met(spot{v.Pointer(), v.Type(), 1}):
		h.any(v.Elem())
	}
}

// met tells whether what lies there is written down already, and then writes where.
func (h *hasher) met(there spot) bool {
	for depth, in := uint64(0), h; in != nil; depth, in = depth+1, in.outer {
		if nth, known := in.seen[there]; known {
			h.number(depth)
			h.number(uint64(nth))
			return true
		}
	}
	h.seen[there] = len(h.seen) + 1
	return false
}

// parts writes what holds several values. A slice's room behind its end counts too:
// whoever appends to a shared slice writes there.
func (h *hasher) parts(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			h.any(v.Field(i))
		}
	case reflect.Array:
		h.elements(v)
	case reflect.Slice:
		h.number(uint64(v.Len()))
		h.number(uint64(v.Cap()))
		if v.Cap() > 0 && !h.met(spot{v.Pointer(), v.Type(), v.Cap()}) {
			h.elements(v.Slice(0, v.Cap()))
		}
	case reflect.Map: // whose order is nobody's
		sum := uint64(v.Len())
		for it := v.MapRange(); it.Next(); {
			each := newHasher(h)
			each.any(it.Key())
			each.any(it.Value())
			sum += each.Sum64()
		}
		h.number(sum)
	}
}

func (h *hasher) elements(v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
		_, _ = h.Write(v.Bytes())
		return
	}
	for i := range v.Len() {
		h.any(v.Index(i))
	}
}
