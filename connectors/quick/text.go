package quick

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

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

// textEnd is the place of the first such byte from i. It looks at eight bytes at once: in each of them the
// highest bit is set where what is subtracted from is less, and of those that are set the lowest tells the truth.
func (r *Reader) textEnd(i int) int {
	const each, highest = 0x01_01_01_01_01_01_01_01, 0x80_80_80_80_80_80_80_80
	for ; i+8 <= len(r.data); i += 8 {
		word := binary.LittleEndian.Uint64(r.data[i:])
		quote, backslash := word^each*'"', word^each*'\\'
		found := ((word-each*' ')&^word | (quote-each)&^quote | (backslash-each)&^backslash) & highest
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
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
