package graphhttp

import (
	"strings"
	"unicode/utf8"
)

// kind is what a token is: its character for punctuators, else one of these.
type kind byte

const (
	endOfText kind = 0
	unknown   kind = 1 // no token of GraphQL
	spread    kind = '.'
	name      kind = 'a'
	text      kind = '"' // a string, block strings included
	number    kind = '0'
	comment   kind = '#'
)

// lexer cuts a document into tokens. It looks at no byte more than a few times and
// allocates nothing. What is no token ends it; what a string holds is not its business.
type lexer struct {
	source string
	at     int
	steps  int // bytes looked at
}

// byteOrderMark may stand wherever white space may.
const byteOrderMark = "\uFEFF"

// next answers the next token and its text; the text of strings and comments is empty.
func (l *lexer) next() (kind, string) {
	l.blank()
	if l.at >= len(l.source) {
		return endOfText, ""
	}
	start := l.at
	switch c := l.source[start]; {
	case letter(c):
		l.while(func(c byte) bool { return letter(c) || digit(c) })
		return name, l.source[start:l.at]
	case c == '-' || digit(c):
		return l.number(), l.source[start:l.at]
	case c == '"':
		return l.text(), ""
	case c == '#':
		l.while(func(c byte) bool { return c >= ' ' || c == '\t' })
		return comment, ""
	case strings.HasPrefix(l.source[start:], "..."):
		l.take(3)
		return spread, "..."
	case strings.IndexByte("!$&():=@[]{}|", c) >= 0:
		l.take(1)
		return kind(c), l.source[start:l.at]
	default:
		return unknown, ""
	}
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func (l *lexer) take(n int) {
	l.at += n
	l.steps += n
}

func (l *lexer) while(fits func(byte) bool) {
	for l.at < len(l.source) && fits(l.source[l.at]) {
		l.take(1)
	}
}

func (l *lexer) blank() {
	for l.at < len(l.source) {
		switch c := l.source[l.at]; {
		case c == ' ' || c == '\t' || c == ',' || c == '\n' || c == '\r':
			l.take(1)
		case c == byteOrderMark[0] && strings.HasPrefix(l.source[l.at:], byteOrderMark):
			l.take(len(byteOrderMark))
		default:
			return
		}
	}
}

// number takes -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (l *lexer) number() kind {
	l.one("-")
	zero := l.one("0")
	if some := l.digits(); some == zero {
		return unknown
	}
	if l.one(".") && !l.digits() {
		return unknown
	}
	if l.one("eE") {
		l.one("+-")
		if !l.digits() {
			return unknown
		}
	}
	return number
}

func (l *lexer) one(of string) bool {
	if l.at >= len(l.source) || strings.IndexByte(of, l.source[l.at]) < 0 {
		return false
	}
	l.take(1)
	return true
}

func (l *lexer) digits() bool {
	start := l.at
	l.while(digit)
	return l.at > start
}

// text takes a string to its closing quote.
func (l *lexer) text() kind {
	if strings.HasPrefix(l.source[l.at:], `"""`) {
		return l.block()
	}
	l.take(1)
	for l.at < len(l.source) {
		switch l.source[l.at] {
		case '"':
			l.take(1)
			return text
		case '\\':
			l.take(2) // whatever it is that is escaped
		case '\n', '\r':
			return unknown
		default:
			l.take(1)
		}
	}
	return unknown
}

// block takes a block string. Of more than three quotes the last three close it.
func (l *lexer) block() kind {
	l.take(3)
	for l.at < len(l.source) {
		switch {
		case strings.HasPrefix(l.source[l.at:], `\"""`):
			l.take(4)
		case strings.HasPrefix(l.source[l.at:], `"""`):
			l.while(func(c byte) bool { return c == '"' })
			return text
		default:
			l.take(1)
		}
	}
	return unknown
}

// place is line and column of an offset in a document, from 1 on, as editors count.
func place(source string, at int) (line, column int) {
	at = min(at, len(source))
	before := strings.ReplaceAll(strings.ReplaceAll(source[:at], "\r\n", "\n"), "\r", "\n")
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}
