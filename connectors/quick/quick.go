// Package quick reads JSON that is written as it nearly always is, straight into where
// it belongs: in one pass, without reflection. What it does not take for granted (an
// unknown or repeated name, a number that does not fit, nesting beyond its limit, anything that is not
// JSON) it refuses, and whoever reads falls back to encoding/json, which tells what is
// wrong, or reads it after all. What it accepts means the same to both.
package quick

import (
	"slices"
	"sync"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 64

// Value reads itself. It tells false when it cannot; the value is then of no use.
type Value interface {
	ReadQuick(r *Reader) bool
}

// Unmarshal reads data, one value in valid UTF-8 and nothing else, into v. The reader's
// caller has checked that it is UTF-8. False: v is spoiled, and data may yet be good.
func Unmarshal(data []byte, v Value) bool {
	r, ok := readers.Get().(*Reader)
	if !ok {
		r = &Reader{}
	}
	r.begin(data)
	read := v.ReadQuick(r) && r.end()
	r.data = nil // the answer is not kept by who has read it
	if cap(r.scratch) > keptScratch {
		r.scratch = nil
	}
	readers.Put(r)
	return read
}

// readers are those that have read: a reader is a kilobyte, most of it short texts, which the next answer
// of a system has again.
var readers sync.Pool

// keptScratch is how much room a reader keeps for texts with escapes.
const keptScratch = 4096

func (r *Reader) begin(data []byte) {
	r.data, r.at, r.depth, r.first, r.bad = data, 0, 0, false, false
	r.round++
	r.texts.begin(len(data))
}

// Reader is where in its data the reading is. After a failure nothing more is read: each
// method answers a zero value, and [Reader.OK] is false.
type Reader struct {
	data  []byte
	at    int
	depth int
	first bool // nothing was read of the array or object yet
	bad   bool
	round int // which answer this is that it reads
	texts texts

	scratch []byte
}

// OK tells whether all was read so far.
func (r *Reader) OK() bool { return !r.bad }

// Fail refuses what is being read. It is false, for use in a return.
func (r *Reader) Fail() bool {
	r.bad = true
	return false
}

func (r *Reader) end() bool {
	return r.peek() == 0 && r.at == len(r.data) && r.depth == 0 && !r.bad
}

// peek is the next byte that is no white space; 0 at the end, or after a failure.
func (r *Reader) peek() byte {
	if r.bad {
		return 0
	}
	for r.at < len(r.data) {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
	return 0
}

// Null consumes null and tells whether there was one.
func (r *Reader) Null() bool { return r.peek() == 'n' && r.word("null") }

// False consumes false and tells whether there was one.
func (r *Reader) False() bool { return r.peek() == 'f' && r.word("false") }

func (r *Reader) word(w string) bool {
	if len(r.data)-r.at < len(w) || string(r.data[r.at:r.at+len(w)]) != w {
		return r.Fail()
	}
	r.at += len(w)
	return true
}

// Object begins an object, whose members [Reader.Next] walks over.
func (r *Reader) Object() bool { return r.open('{') }

// Array begins an array, whose elements [Reader.More] walks over.
func (r *Reader) Array() bool { return r.open('[') }

func (r *Reader) open(bracket byte) bool {
	if r.peek() != bracket || r.depth == MaxDepth {
		return r.Fail()
	}
	r.at++
	r.depth++
	r.first = true
	return true
}

// More goes on to the next element of an array; false at its end, which it consumes.
func (r *Reader) More() bool { return r.more(']') }

// Left is how many bytes are not read yet.
func (r *Reader) Left() int { return len(r.data) - r.at }

// Next goes on to the next member of an object and answers its name, which is valid until
// more is read; nil at the object's end, which it consumes.
func (r *Reader) Next() []byte {
	if name := r.nextPlain(); name != nil {
		return name
	}
	if !r.more('}') {
		return nil
	}
	name := r.plain()
	if r.peek() != ':' || len(name) == 0 {
		r.Fail()
		return nil
	}
	r.at++
	return name
}

// nextPlain is Next where no white space is written, as by nearly all; nil for the others, of which it reads nothing.
func (r *Reader) nextPlain() []byte {
	begin := r.at
	if !r.first {
		begin++ // past the comma
	}
	if r.bad || begin >= len(r.data) || r.data[begin] != '"' || !r.first && r.data[r.at] != ',' {
		return nil
	}
	begin++
	end := r.textEnd(begin)
	if end == begin || end+1 >= len(r.data) || r.data[end] != '"' || r.data[end+1] != ':' {
		return nil
	}
	r.at, r.first = end+len(`":`), false
	return r.data[begin:end]
}

func (r *Reader) more(closing byte) bool {
	c := r.peek()
	switch {
	case c == closing:
		r.at++
		r.depth--
		r.first = false
		return false
	case r.first && c != 0:
		r.first = false
		return true
	case c == ',' && !r.first:
		r.at++
		return r.peek() != closing || r.Fail()
	default:
		return r.Fail()
	}
}

// Bool reads true or false; null is false.
func (r *Reader) Bool() bool {
	switch r.peek() {
	case 't':
		return r.word("true")
	case 'f':
		r.word("false")
	case 'n':
		r.word("null")
	default:
		r.Fail()
	}
	return false
}

// Raw reads any value as it is written. It is a part of the data.
func (r *Reader) Raw() []byte {
	r.peek()
	begin := r.at
	r.Skip()
	if r.bad {
		return nil
	}
	return slices.Clip(r.data[begin:r.at])
}

// Skip reads any value.
func (r *Reader) Skip() {
	switch r.peek() {
	case '{':
		for r.Object(); r.Next() != nil; {
			r.Skip()
		}
	case '[':
		for r.Array(); r.More(); {
			r.Skip()
		}
	case '"':
		r.skipText()
	case 't', 'f', 'n':
		r.Bool()
	default:
		r.Number()
	}
}

// Once tells whether field, of fewer than 64, is met for the first time in an object: of
// one that comes twice encoding/json has the last, or both. Seen starts at 0.
func (r *Reader) Once(seen *uint64, field int) bool {
	bit := uint64(1) << field
	if *seen&bit != 0 {
		return r.Fail()
	}
	*seen |= bit
	return true
}
