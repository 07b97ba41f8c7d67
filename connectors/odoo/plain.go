package odoo

import (
	"bytes"
	"unicode/utf8"
)

// An answer holds thousands of relations, texts and numbers. Here are those that are
// written as they nearly always are, read without a decoder of their own; what is
// written in another way is left to encoding/json.

// maxPlainID is how many digits an id has at most to be read here: it fits an int64.
const maxPlainID = 18

// plain reads [id, name] and tells whether it could.
func (r *relation) plain(data []byte) bool {
	rest, ok := bytes.CutPrefix(data, []byte("["))
	n := digits(rest)
	if !ok || n == 0 || n > maxPlainID || n > 1 && rest[0] == '0' {
		return false
	}
	var id recordID
	for _, d := range rest[:n] {
		id = 10*id + recordID(d-'0')
	}
	rest, ok = bytes.CutPrefix(rest[n:], []byte(","))
	name, rest, read := plainText(bytes.TrimLeft(rest, " "))
	if !ok || !read || string(rest) != "]" {
		return false
	}
	r.ID, r.Name = id, string(name)
	return true
}

// plainText reads a string without escapes at the beginning of data.
func plainText(data []byte) (s, rest []byte, ok bool) {
	if len(data) < 2 || data[0] != '"' {
		return nil, nil, false
	}
	end := bytes.IndexByte(data[1:], '"') + 1
	if end == 0 {
		return nil, nil, false
	}
	s = data[1:end]
	for _, b := range s {
		if b < ' ' || b == '\\' {
			return nil, nil, false
		}
	}
	return s, data[end+1:], utf8.Valid(s)
}

// digits is how many of them data begins with.
func digits[S ~string | ~[]byte](data S) int {
	n := 0
	for n < len(data) && data[n] >= '0' && data[n] <= '9' {
		n++
	}
	return n
}

// isDecimal tells whether data is what numberPattern admits, without an exponent or a sign.
func isDecimal(data []byte) bool {
	const whole, places = 15, 20
	n := digits(data)
	if n == 0 || n > whole {
		return false
	}
	if n == len(data) {
		return true
	}
	m := digits(data[n+1:])
	return data[n] == '.' && m > 0 && m <= places && n+1+m == len(data)
}

// isNumber tells whether data is what numberPattern admits.
func isNumber(data []byte) bool { return isDecimal(data) || numberPattern.Match(data) }

// wholeNumber reads a number without decimals, or with zeros only.
func wholeNumber(data []byte) (int64, bool) {
	d := digits(data)
	if d == 0 || d > maxPlainID {
		return 0, false
	}
	var value int64
	for _, c := range data[:d] {
		value = 10*value + int64(c-'0')
	}
	for i, c := range data[d:] {
		if i == 0 && c != '.' || i > 0 && c != '0' {
			return 0, false
		}
	}
	return value, true
}

// scaled is a number that is not below zero times ten to the places, when that is a whole number of few
// digits, written without an exponent.
func (n number) scaled(places int) (int64, bool) {
	const most = 15 // an int64 holds three more
	d := digits(n)
	if d == 0 || d+places > most {
		return 0, false
	}
	value := int64(0)
	for i := range d {
		value = 10*value + int64(n[i]-'0')
	}
	fraction := n[d:]
	if fraction != "" {
		fraction = fraction[1:]
		if n[d] != '.' || fraction == "" || digits(fraction) != len(fraction) {
			return 0, false
		}
	}
	for i := range max(places, len(fraction)) {
		c := byte('0')
		if i < len(fraction) {
			c = fraction[i]
		}
		if i < places {
			value = 10*value + int64(c-'0')
		} else if c != '0' {
			return 0, false
		}
	}
	return value, true
}
