// Package quick reads JSON that is written as it nearly always is, straight into where
// it belongs: in one pass, without reflection. What it does not take for granted (an
// unknown or repeated name, a number that does not fit, nesting beyond its limit, anything that is not
// JSON) it refuses, and whoever reads falls back to encoding/json, which tells what is
// wrong, or reads it after all. What it accepts means the same to both.
package quick

import (
	"slices"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
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

// plain reads a string without escapes.
func (r *Reader) plain() []byte {
	if r.peek() != '"' {
		r.Fail()
		return nil
	}
	begin := r.at + 1
	end := r.textEnd(begin)
	if end == len(r.data) || r.data[end] != '"' {
		r.Fail()
		return nil
	}
	r.at = end + 1
	return r.data[begin:end]
}

// ends are the bytes at which a text ends, or is not plain.
var ends = func() (table [256]bool) {
	for c := range ' ' {
		table[c] = true
	}
	table['"'], table['\\'] = true, true
	return table
}()

// textEnd is the place of the first such byte from i.
func (r *Reader) textEnd(i int) int {
	for i < len(r.data) && !ends[r.data[i]] {
		i++
	}
	return i
}

// Text reads a string; null is an empty one. A text shares memory with those that are read
// next to it, up to a quarter of a kilobyte of them.
func (r *Reader) Text() string { return r.TextLike("") }

// TextLike is Text where another is likely to be the same, which is then not made again.
func (r *Reader) TextLike(other string) string {
	switch r.peek() {
	case '"':
	case 'n':
		r.word("null")
		return ""
	default:
		r.Fail()
		return ""
	}
	begin := r.at
	end := r.textEnd(begin + 1)
	switch {
	case end == len(r.data):
	case r.data[end] == '"':
		r.at = end + 1
		return r.texts.of(r.data[begin+1:end], other)
	case r.data[end] == '\\':
		return r.texts.of(r.escaped(begin, end), other)
	}
	r.Fail()
	return ""
}

// escaped reads the string from begin, whose first escape is at i. It is valid until more is read.
func (r *Reader) escaped(begin, i int) []byte {
	text := append(r.scratch[:0], r.data[begin+1:i]...)
	for i < len(r.data) && r.data[i] >= ' ' {
		c := r.data[i]
		if c == '"' {
			r.at, r.scratch = i+1, text
			return text
		}
		n := 1
		if c == '\\' {
			text, n = unescape(text, r.data[i+1:])
		} else {
			text = append(text, c)
		}
		if n == 0 {
			break
		}
		i += n
	}
	r.Fail()
	return nil
}

// escapes are what follows a backslash, and what it means.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape adds to text what an escape means, whose backslash is before rest, and answers how long
// it is; 0 when it is none. Half of a surrogate pair is U+FFFD.
func unescape(text, rest []byte) ([]byte, int) {
	if len(rest) == 0 {
		return text, 0
	}
	if meant := escapes[rest[0]]; meant != 0 {
		return append(text, meant), len(`\n`)
	}
	c, ok := codePoint(rest)
	if !ok {
		return text, 0
	}
	n := len(`\u0000`)
	if utf16.IsSurrogate(c) {
		low := rune(-1)
		if len(rest) >= n && rest[n-1] == '\\' {
			low, _ = codePoint(rest[n:])
		}
		if c = utf16.DecodeRune(c, low); c != utf8.RuneError {
			n *= 2
		}
	}
	return utf8.AppendRune(text, c), n
}

// codePoint reads u and four hexadecimal digits.
func codePoint(s []byte) (rune, bool) {
	const length = len("u0000")
	if len(s) < length || s[0] != 'u' {
		return -1, false
	}
	var c rune
	for _, d := range s[1:length] {
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d >= 'a' && d <= 'f':
			d -= 'a' - 10
		case d >= 'A' && d <= 'F':
			d -= 'A' - 10
		default:
			return -1, false
		}
		c = c<<4 | rune(d)
	}
	return c, true
}

// Number reads a number as it is written, valid until more is read; nil for null.
func (r *Reader) Number() []byte {
	if r.peek() == 'n' {
		r.word("null")
		return nil
	}
	begin := r.at
	if r.byte('-') && !r.more09() || begin == r.at && !r.more09() {
		r.Fail()
		return nil
	}
	if r.byte('.') && !r.digits() {
		return nil
	}
	if r.byte('e') || r.byte('E') {
		if !r.byte('-') {
			r.byte('+')
		}
		if !r.digits() {
			return nil
		}
	}
	return r.data[begin:r.at]
}

// NumberText is [Reader.Number] as a text, which shares memory as [Reader.Text] does.
func (r *Reader) NumberText() string { return r.texts.of(r.Number(), "") }

// more09 reads the whole part of a number.
func (r *Reader) more09() bool { return r.byte('0') || r.digits() }

// digits reads one or more.
func (r *Reader) digits() bool {
	begin := r.at
	for !r.bad && r.at < len(r.data) && r.data[r.at] >= '0' && r.data[r.at] <= '9' {
		r.at++
	}
	return r.at > begin || r.Fail()
}

func (r *Reader) byte(c byte) bool {
	if r.bad || r.at == len(r.data) || r.data[r.at] != c {
		return false
	}
	r.at++
	return true
}

// safeDigits always fit an int64.
const safeDigits = 18

// Int reads a whole number; null is 0.
func (r *Reader) Int() int64 {
	text := r.Number()
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	if len(text) > safeDigits {
		r.Fail()
		return 0
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' {
			r.Fail()
			return 0
		}
		n = 10*n + int64(c-'0')
	}
	if negative {
		return -n
	}
	return n
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

func (r *Reader) skipText() {
	end := r.textEnd(r.at + 1)
	switch {
	case end == len(r.data) || r.data[end] < ' ':
		r.Fail()
	case r.data[end] == '\\':
		r.escaped(r.at, end)
	default:
		r.at = end + 1
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
